//! Single files with the original names beside folders of the same weights.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use candle_core::Device;
use inference::checkpoint::Kinship;
use inference::model_files::ModelFiles;
use inference::pipelines::stable_diffusion::StableDiffusion;
use inference::weights::{Progress, Weights};
use serde_json::{Value, json};
use tempfile::TempDir;
use types::model::Family;

use crate::checkpoint_pictures::both;
use crate::two_names::{Names, Stored, names, write, write_hollow};

const FULL: [(&str, Family); 4] = [
    ("sd1", Family::Sd1),
    ("sd2", Family::Sd2),
    ("sdxl", Family::Sdxl),
    ("sdxl_refiner", Family::SdxlRefiner),
];

fn stem(part: &str) -> &'static str {
    if part.starts_with("text") { "model" } else { "diffusion_pytorch_model" }
}

/// A file of a family's full size, changed before it is written.
fn hollow(
    family: &str,
    change: impl FnOnce(&mut BTreeMap<String, Vec<usize>>),
) -> (TempDir, Names, ModelFiles) {
    let (folder, names) = (TempDir::new().unwrap(), names(family));
    let mut shapes = names.originals();
    change(&mut shapes);
    let path = folder.path().join("any-name.safetensors");
    write_hollow(&path, &shapes);
    let files = ModelFiles::checkpoint(&path).unwrap();
    (folder, names, files)
}

#[test]
fn every_tensor_of_every_family_is_found_under_the_name_that_diffusers_gives_it() {
    for (name, family) in FULL {
        let (_folder, names, files) = hollow(name, |_| ());
        assert_eq!(Kinship::of(&files).unwrap(), Kinship { family, inpaints: false });
        let mut expected: BTreeMap<&str, BTreeMap<&str, Vec<usize>>> = BTreeMap::new();
        for pair in &names.pairs {
            // A map's attention is a convolution in the original, and read as it is.
            let is_convolution = pair.original_shape.as_ref().is_some_and(|shape| shape.len() == 4);
            let shape =
                if is_convolution { pair.original_shape.clone().unwrap() } else { pair.shape.clone() };
            expected.entry(&pair.part).or_default().insert(&pair.diffusers, shape);
        }
        for (part, expected) in expected {
            let weights = Weights::open(&files, part, stem(part), &Device::Cpu).unwrap();
            let found: BTreeMap<&str, Vec<usize>> =
                weights.shapes().map(|(name, shape)| (name, shape.to_vec())).collect();
            assert_eq!(found, expected, "{name}: {part}");
        }
    }
}

#[test]
fn the_configs_say_what_the_configs_of_a_folder_say() {
    for (name, _) in FULL {
        let (_folder, names, files) = hollow(name, |_| ());
        for (part, expected) in &names.configs {
            let found: Value = files.json(&format!("{part}/config.json")).unwrap();
            let n_levels = expected["block_out_channels"].as_array().map_or(0, Vec::len);
            for (key, value) in found.as_object().unwrap() {
                // transformers writes these by its own taste; nothing here reads them.
                if ["_class_name", "model_type"].contains(&key.as_str()) || key.ends_with("token_id") {
                    continue;
                }
                // SD 2.x's config says 512, and there is no projection in its file.
                if key == "projection_dim" && name == "sd2" {
                    continue;
                }
                // Without transformers on the largest maps, how many there are is anybody's guess.
                if key == "transformer_layers_per_block" && name == "sdxl_refiner" {
                    assert_eq!(*value, json!([1, 4, 4, 4]));
                    continue;
                }
                let written_out = json!(vec![expected[key].clone(); n_levels]);
                assert!(
                    *value == expected[key] || *value == written_out || is_same_number(value, &expected[key]),
                    "{name}: `{key}` of {part} is {value} and should be {}",
                    expected[key]
                );
            }
        }
    }
}

fn is_same_number(one: &Value, two: &Value) -> bool {
    one.as_f64().is_some() && one.as_f64() == two.as_f64()
}

#[test]
fn the_input_channels_tell_inpainting_and_instructions_apart() {
    for (channels, inpaints, class) in [
        (9, true, "StableDiffusionInpaintPipeline"),
        (8, false, "StableDiffusionInstructPix2PixPipeline"),
        (4, false, "StableDiffusionPipeline"),
    ] {
        let (_folder, _, files) = hollow("sd1", |shapes| {
            shapes.get_mut("model.diffusion_model.input_blocks.0.0.weight").unwrap()[1] = channels;
        });
        assert_eq!(Kinship::of(&files).unwrap(), Kinship { family: Family::Sd1, inpaints });
        assert_eq!(files.json::<Value>("model_index.json").unwrap()["_class_name"], class);
        assert_eq!(files.json::<Value>("unet/config.json").unwrap()["in_channels"], channels);
    }
}

#[test]
fn the_last_layer_of_openclip_is_left_out_of_stable_diffusion_2() {
    let (_folder, names, files) = hollow("sd2", |shapes| {
        let start = "cond_stage_model.model.transformer.resblocks.";
        let last = format!("{start}22.");
        let copies: Vec<_> = shapes
            .iter()
            .filter_map(|(name, shape)| {
                Some((format!("{start}23.{}", name.strip_prefix(&last)?), shape.clone()))
            })
            .collect();
        assert_eq!(copies.len(), 12);
        shapes.extend(copies);
        shapes.insert("cond_stage_model.model.text_projection".into(), vec![1024, 1024]);
    });
    let weights = Weights::open(&files, "text_encoder", "model", &Device::Cpu).unwrap();
    let expected = names.pairs.iter().filter(|pair| pair.part == "text_encoder").count();
    assert_eq!(weights.shapes().count(), expected);
    assert_eq!(files.json::<Value>("text_encoder/config.json").unwrap()["num_hidden_layers"], 23);
}

/// What the network predicts, of a tiny file with one more tensor or with a line of metadata.
fn prediction(family: &str, extra: Option<(&str, Vec<u8>)>, metadata: Option<(&str, &str)>) -> Value {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("model.safetensors");
    let mut tensors: BTreeMap<String, (Vec<usize>, Vec<u8>)> = names(family)
        .originals()
        .into_iter()
        .map(|(name, shape)| (name, (shape.clone(), vec![0; 8 * shape.iter().product::<usize>()])))
        .collect();
    tensors.extend(extra.map(|(name, bytes)| (name.to_owned(), (vec![], bytes))));
    write(&path, "I64", &tensors);
    if let Some((key, value)) = metadata {
        let bytes = std::fs::read(&path).unwrap();
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let mut header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
        header["__metadata__"] = json!({ key: value });
        let header = header.to_string();
        let start = (header.len() as u64).to_le_bytes();
        std::fs::write(&path, [&start[..], header.as_bytes(), &bytes[8 + length..]].concat()).unwrap();
    }
    let files = ModelFiles::checkpoint(&path).unwrap();
    files.json::<Value>("scheduler/scheduler_config.json").unwrap()["prediction_type"].clone()
}

#[test]
fn velocity_is_told_by_diffusers_rule_and_by_the_marks_of_finetuners() {
    let steps = |n: i64| Some(("global_step", n.to_le_bytes().to_vec()));
    assert_eq!(prediction("tiny-sd1", None, None), "epsilon");
    assert_eq!(prediction("tiny-sd2", None, None), "v_prediction");
    assert_eq!(prediction("tiny-sd2", steps(110_000), None), "v_prediction");
    assert_eq!(prediction("tiny-sd2", steps(875_000), None), "epsilon");
    assert_eq!(prediction("tiny-sd2", None, Some(("modelspec.prediction_type", "epsilon"))), "epsilon");
    assert_eq!(prediction("tiny-sdxl", None, None), "epsilon");
    assert_eq!(prediction("tiny-sdxl", Some(("v_pred", vec![0; 8])), None), "v_prediction");
    assert_eq!(prediction("tiny-sdxl", None, Some(("modelspec.prediction_type", "v"))), "v_prediction");
}

#[test]
fn every_weight_of_xl_is_read_bit_for_bit_as_from_its_folder() {
    for stored in [Stored::F16, Stored::BF16, Stored::F32] {
        let (_base, folder, single) = both(&names("tiny-sdxl"), stored);
        for part in ["unet", "vae", "text_encoder", "text_encoder_2"] {
            let open = |files: &ModelFiles| Weights::open(files, part, stem(part), &Device::Cpu).unwrap();
            let (one, two) = (open(&folder), open(&single));
            assert_eq!(one.shapes().count(), two.shapes().count());
            for (name, shape) in one.shapes() {
                let expected = one.root().values(name, shape).unwrap();
                let found = two.root().values(name, two.root().shape(name).unwrap()).unwrap();
                assert_eq!(found, expected, "{part}: {name}");
            }
        }
    }
}

#[test]
fn what_lies_in_the_folder_beside_a_file_wins() {
    let (base, folder, _) = both(&names("tiny-sd1"), Stored::F16);
    let side = base.path().join("single");
    std::fs::create_dir(side.join("scheduler")).unwrap();
    let scheduler = json!({"_class_name": "DDIMScheduler", "prediction_type": "v_prediction"});
    std::fs::write(side.join("scheduler/scheduler_config.json"), scheduler.to_string()).unwrap();
    std::fs::rename(Path::new(folder.name()).join("vae"), side.join("vae")).unwrap();
    let path = side.join("vae/diffusion_pytorch_model.safetensors");
    let single = ModelFiles::checkpoint(base.path().join("single.safetensors")).unwrap();
    assert_eq!(single.json::<Value>("scheduler/scheduler_config.json").unwrap(), scheduler);
    assert!(single.exists("vae/diffusion_pytorch_model.safetensors"));
    std::fs::write(&path, "no safetensors").unwrap();
    let error = Weights::open(&single, "vae", "diffusion_pytorch_model", &Device::Cpu).unwrap_err();
    assert!(error.to_string().contains("vae/diffusion_pytorch_model.safetensors"), "{error}");
}

#[test]
fn reading_is_told_byte_by_byte_up_to_all_that_is_used() {
    let (_base, _, single) = both(&names("tiny-sd1"), Stored::F16);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let report = Arc::clone(&seen);
    let progress = Progress::new(move |done, total| report.lock().unwrap().push((done, total)));
    StableDiffusion::load(&single.with_progress(Arc::new(progress)), &Device::Cpu).unwrap();
    let seen = seen.lock().unwrap();
    assert!(seen.windows(2).all(|pair| pair[0].0 <= pair[1].0 && pair[0].1 <= pair[1].1));
    let &(done, total) = seen.last().unwrap();
    // The VAE's encoder is not asked for where there is only text.
    assert!(done <= total && done > total * 8 / 10, "{done} of {total}");
}

/// What is said of a file that was changed.
fn complaint(family: &str, change: impl FnOnce(&mut BTreeMap<String, Vec<usize>>)) -> String {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("mine.safetensors");
    let mut shapes = names(family).originals();
    change(&mut shapes);
    write_hollow(&path, &shapes);
    let load = |files: ModelFiles| StableDiffusion::load(&files, &Device::Cpu).map(|_| ());
    ModelFiles::checkpoint(&path).and_then(load).unwrap_err().to_string()
}

#[test]
fn a_part_that_is_not_there_is_named_with_what_to_do() {
    assert_eq!(
        complaint("tiny-sd1", |shapes| shapes.retain(|name, _| !name.starts_with("first_stage_model."))),
        "checkpoint `mine.safetensors` has no VAE: nothing in it begins with `first_stage_model.`; take a whole \
         checkpoint, or lay the part in diffusers' layout into a folder `mine` beside it"
    );
    assert_eq!(
        complaint("tiny-sd2", |shapes| shapes.retain(|name, _| !name.starts_with("cond_stage_model."))),
        "checkpoint `mine.safetensors` has no text encoder: nothing in it begins with `cond_stage_model.transformer.`; \
         take a whole checkpoint, or lay the part in diffusers' layout into a folder `mine` beside it"
    );
}

#[test]
fn of_missing_tensors_the_first_three_are_named() {
    let complaint = complaint("tiny-sd1", |shapes| {
        shapes.retain(|name, _| {
            !name.contains("input_blocks.1.0.in_layers") && !name.contains("output_blocks.3.0.emb")
        });
    });
    assert_eq!(
        complaint,
        "file `mine.safetensors` lacks 6 of the tensors of its U-Net: \
         `model.diffusion_model.input_blocks.1.0.in_layers.0.weight`, \
         `model.diffusion_model.input_blocks.1.0.in_layers.0.bias`, \
         `model.diffusion_model.input_blocks.1.0.in_layers.2.weight` and others"
    );
}

#[test]
fn a_file_of_no_known_family_is_refused_with_what_was_found() {
    let refused = |name: &str| {
        complaint("tiny-sd1", |shapes| {
            shapes.clear();
            shapes.insert(name.to_owned(), vec![4, 4]);
        })
    };
    let start = "file `mine.safetensors` is no Stable Diffusion 1.x, 2.x or XL checkpoint: ";
    for (name, found) in [
        ("model.diffusion_model.double_blocks.0.img_attn.qkv.weight", "it is a FLUX model"),
        ("lora_unet_mid_block.lora_down.weight", "it is a LoRA; put it into the folder `loras`"),
        ("decoder.conv_in.weight", "it is a VAE alone"),
        ("wte.weight", "its 1 tensors are `wte.weight` and so on"),
    ] {
        let complaint = refused(name);
        assert!(complaint.starts_with(&format!("{start}{found}")), "{complaint}");
    }
    let channels = complaint("tiny-sd1", |shapes| {
        shapes.get_mut("model.diffusion_model.input_blocks.0.0.weight").unwrap()[1] = 5;
    });
    assert!(channels.contains("its U-Net takes 5 channels, and 4, 8"), "{channels}");
}

#[test]
fn a_pickle_is_refused_with_the_reason_and_the_way_out() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("model.ckpt");
    std::fs::write(&path, b"PK\x03\x04").unwrap();
    let expected = "is a pickle, and a pickle can run any program while it is read, so it is not opened; take the \
                    model's .safetensors file instead, or convert it in a place where it can do no harm";
    let error = ModelFiles::checkpoint(&path).unwrap_err().to_string();
    assert_eq!(error, format!("file `model.ckpt` {expected}"));

    std::fs::create_dir(folder.path().join("unet")).unwrap();
    std::fs::write(folder.path().join("unet/diffusion_pytorch_model.bin"), b"PK\x03\x04").unwrap();
    let files = ModelFiles::folder(folder.path());
    let error =
        Weights::open(&files, "unet", "diffusion_pytorch_model", &Device::Cpu).unwrap_err().to_string();
    assert_eq!(error, format!("file `unet/diffusion_pytorch_model.bin` {expected}"));
}

#[test]
fn a_folder_is_read_in_every_form_that_its_weights_come_in() {
    let tensors = |name: &str| BTreeMap::from([(name.to_owned(), (vec![1], vec![0, 0x3c]))]);
    let index = r#"{"weight_map": {"a": "x-1.safetensors", "b": "x-2.safetensors"}}"#;
    for name in [
        "model.safetensors",
        "model.fp16.safetensors",
        "model.bf16.safetensors",
        "model.safetensors.index.json",
        "model.safetensors.index.fp16.json",
        "model.fp16.safetensors.index.json",
        "model.safetensors.index.bf16.json",
    ] {
        let folder = TempDir::new().unwrap();
        let part = folder.path().join("part");
        std::fs::create_dir(&part).unwrap();
        if name.ends_with("json") {
            std::fs::write(part.join(name), index).unwrap();
            write(&part.join("x-1.safetensors"), "F16", &tensors("a"));
            write(&part.join("x-2.safetensors"), "F16", &tensors("b"));
        } else {
            write(&part.join(name), "F16", &tensors("a"));
        }
        let weights =
            Weights::open(&ModelFiles::folder(folder.path()), "part", "model", &Device::Cpu).unwrap();
        assert_eq!(weights.root().values("a", &[1]).unwrap(), [1.0], "{name}");
        assert_eq!(weights.root().has("b"), name.ends_with("json"));
    }
    let folder = TempDir::new().unwrap();
    let outside = r#"{"weight_map": {"a": "../../secret.safetensors"}}"#;
    std::fs::write(folder.path().join("model.safetensors.index.json"), outside).unwrap();
    let error = Weights::open(&ModelFiles::folder(folder.path()), "", "model", &Device::Cpu).unwrap_err();
    assert!(error.to_string().contains("`../../secret.safetensors` in another folder"), "{error}");
}
