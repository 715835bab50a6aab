//! Models that cannot be used: each gets one sentence that says what is wrong and where.

use std::path::Path;

use candle_core::Device;
use inference::model_files::ModelFiles;
use inference::pipelines::stable_diffusion::StableDiffusion;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A copy of the first tiny model, to be broken.
fn copy() -> TempDir {
    fn copy_folder(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let target = to.join(path.file_name().unwrap());
            if path.is_dir() {
                copy_folder(&path, &target);
            } else {
                std::fs::copy(&path, target).unwrap();
            }
        }
    }
    let folder = TempDir::new().unwrap();
    copy_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/tiny-1"), folder.path());
    folder
}

fn set(folder: &TempDir, file: &str, key: &str, value: Value) {
    let path = folder.path().join(file);
    let mut config: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    config[key] = value;
    std::fs::write(path, config.to_string()).unwrap();
}

/// What loading says, with the folder's name left out.
fn complaint(folder: &TempDir) -> String {
    let error = StableDiffusion::load(&ModelFiles::folder(folder.path()), &Device::Cpu).unwrap_err();
    error.to_string().replace(&folder.path().display().to_string(), "MODEL")
}

#[test]
fn a_whole_model_loads() {
    StableDiffusion::load(&ModelFiles::folder(copy().path()), &Device::Cpu).unwrap();
}

#[test]
fn a_missing_part_is_named() {
    for file in [
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
        "text_encoder/model.safetensors",
        "tokenizer/vocab.json",
        "scheduler/scheduler_config.json",
    ] {
        let folder = copy();
        std::fs::remove_file(folder.path().join(file)).unwrap();
        assert_eq!(complaint(&folder), format!("model `MODEL` has no file `{file}`"));
    }
}

#[test]
fn a_truncated_file_is_called_truncated() {
    let folder = copy();
    let path = folder.path().join("vae/diffusion_pytorch_model.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    for length in [bytes.len() - 1, bytes.len() / 2, 1000, 7, 0] {
        std::fs::write(&path, &bytes[..length]).unwrap();
        let complaint = complaint(&folder);
        let start = "file `vae/diffusion_pytorch_model.safetensors` of model `MODEL` cannot be read: it ends at byte ";
        assert!(complaint.starts_with(&format!("{start}{length}")), "{complaint}");
    }
}

#[test]
fn a_file_of_another_kind_is_called_broken() {
    let folder = copy();
    std::fs::write(folder.path().join("unet/diffusion_pytorch_model.safetensors"), [0xFF; 100]).unwrap();
    let complaint_about_weights = complaint(&folder);
    assert!(
        complaint_about_weights.contains("`unet/diffusion_pytorch_model.safetensors` of model"),
        "{complaint_about_weights}"
    );
    let folder = copy();
    std::fs::write(folder.path().join("vae/config.json"), "{").unwrap();
    let complaint_about_config = complaint(&folder);
    assert!(
        complaint_about_config.starts_with("file `vae/config.json` of model `MODEL` cannot be read: EOF"),
        "{complaint_about_config}"
    );
}

#[test]
fn a_missing_tensor_is_named() {
    let folder = copy();
    set(&folder, "unet/config.json", "layers_per_block", json!([3, 2, 2]));
    assert_eq!(
        complaint(&folder),
        "file `unet/diffusion_pytorch_model.safetensors` has no tensor \
         `down_blocks.0.attentions.2.norm.weight`"
    );
}

#[test]
fn a_tensor_of_another_shape_is_named_with_both_shapes() {
    let folder = copy();
    set(&folder, "unet/config.json", "in_channels", json!(9));
    assert_eq!(
        complaint(&folder),
        "tensor `conv_in.weight` in `unet/diffusion_pytorch_model.safetensors` has shape [16, 4, 3, 3], and \
         [16, 9, 3, 3] is needed"
    );
}

#[test]
fn a_setting_that_is_not_supported_is_named_with_what_is() {
    for (file, key, value, expected) in [
        (
            "unet/config.json",
            "addition_embed_type",
            json!("image"),
            "`\"image\"`, and only null or \"text_time\"",
        ),
        ("unet/config.json", "act_fn", json!("gelu"), "`\"gelu\"`, and only \"silu\" or \"swish\""),
        ("unet/config.json", "norm_num_groups", json!(5), "`5`, and only a number that divides 16 channels"),
        ("text_encoder/config.json", "hidden_act", json!("relu"), "`\"relu\"`, and only quick_gelu or gelu"),
        ("vae/config.json", "shift_factor", json!(0.1), "`0.1`, and only 0"),
    ] {
        let folder = copy();
        set(&folder, file, key, value);
        assert_eq!(complaint(&folder), format!("`{key}` in `{file}` is {expected} is supported"));
    }
}

#[test]
fn parts_of_different_models_are_refused() {
    let folder = copy();
    let other = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/demo/vae");
    for file in ["config.json", "diffusion_pytorch_model.safetensors"] {
        std::fs::copy(other.join(file), folder.path().join("vae").join(file)).unwrap();
    }
    assert_eq!(
        complaint(&folder),
        "`out_channels` in `unet/config.json` is `4`, and only the VAE's latent_channels 12 is supported"
    );
}
