//! LoRA files in every form beside the weights that diffusers, or torch, makes of them.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::{Device, Tensor};
use inference::lora::{Lora, LoraUse};
use inference::model_files::ModelFiles;
use inference::pipelines::stable_diffusion::{PictureRequest, StableDiffusion};
use inference::weights::Weights;
use tempfile::TempDir;
use types::model::Family;
use types::sampler::{Sampler, Schedule};

use crate::compare::relative_error;
use crate::two_names::{Stored, names, write, write_hollow};

const FORMS: [&str; 6] = ["kohya", "kohya-original-names", "peft", "diffusers-old", "locon-core", "loha"];

/// The weight that the references were made with.
const WEIGHT: f64 = 0.75;

fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference").join(name)
}

fn tiny() -> ModelFiles {
    ModelFiles::folder(reference("tiny-1"))
}

fn lora(name: &str) -> Arc<Lora> {
    Arc::new(Lora::open(reference(&format!("lora/{name}.safetensors"))).unwrap())
}

/// All weights of the parts that LoRA files change, by part and name.
fn weights(files: &ModelFiles) -> BTreeMap<String, Tensor> {
    let mut all = BTreeMap::new();
    for (part, stem) in [("unet", "diffusion_pytorch_model"), ("text_encoder", "model")] {
        let weights = Weights::open(files, part, stem, &Device::Cpu).unwrap();
        for (name, shape) in weights.shapes() {
            all.insert(format!("{part}.{name}"), weights.root().tensor(name, shape).unwrap());
        }
    }
    all
}

fn are_equal(one: &Tensor, two: &Tensor) -> bool {
    let numbers = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    numbers(one) == numbers(two)
}

fn bits(weights: &BTreeMap<String, Tensor>) -> BTreeMap<&str, Vec<u32>> {
    let numbers = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    weights
        .iter()
        .map(|(name, tensor)| (name.as_str(), numbers(tensor).into_iter().map(f32::to_bits).collect()))
        .collect()
}

#[test]
fn every_form_changes_the_weights_as_its_reference_does() {
    let before = weights(&tiny());
    for form in FORMS {
        let merged = reference(&format!("lora/{form}.merged.safetensors"));
        let expected: HashMap<String, Tensor> = candle_core::safetensors::load(merged, &Device::Cpu).unwrap();
        let changed = tiny().with_loras(&[LoraUse::new(lora(form), WEIGHT)]).unwrap();
        let mut worst = 0.0f64;
        for (name, found) in weights(&changed) {
            match expected.get(&name) {
                Some(expected) => worst = worst.max(relative_error(&found, expected)),
                None => assert!(
                    are_equal(&found, &before[&name]),
                    "{form} changes `{name}`, which its reference does not"
                ),
            }
        }
        println!("{form}: {} weights changed, relative error {worst:.1e}", expected.len());
        assert!(worst <= 1e-6, "{form}: {worst:.1e}");
        assert_eq!(lora(form).n_ignored(&tiny()).unwrap(), 0);
    }
}

#[test]
fn several_loras_add_up_each_with_its_own_weights() {
    let plain = weights(&tiny());
    let add = |uses: &[LoraUse]| weights(&tiny().with_loras(uses).unwrap());
    let text_alone = LoraUse { lora: lora("kohya"), unet: 0.0, text_encoder: 1.0 };
    let unet_alone = LoraUse { lora: lora("peft"), unet: -0.5, text_encoder: 0.0 };
    let (one, two) = (add(std::slice::from_ref(&text_alone)), add(std::slice::from_ref(&unet_alone)));
    let both = add(&[text_alone, unet_alone]);
    for (name, plain) in &plain {
        let (one, two, both) = (&one[name], &two[name], &both[name]);
        let is_text = name.starts_with("text_encoder");
        assert!(are_equal(if is_text { two } else { one }, plain), "{name}");
        assert!(are_equal(both, if is_text { one } else { two }), "{name}");
    }
}

#[test]
fn loading_and_unloading_a_hundred_times_leaves_the_weights_bit_equal() {
    let (plain, lora) = (tiny(), lora("loha"));
    let before = weights(&plain);
    let mut files = plain;
    for i in 0..100 {
        files = files.with_loras(&[LoraUse::new(Arc::clone(&lora), f64::from(i) / 7.0)]).unwrap();
        files = files.with_loras(&[]).unwrap();
    }
    assert_eq!(bits(&weights(&files)), bits(&before));
    let with = || weights(&tiny().with_loras(&[LoraUse::new(Arc::clone(&lora), 1.0)]).unwrap());
    let (first, second) = (with(), with());
    assert_eq!(bits(&first), bits(&second));
    assert_ne!(bits(&first), bits(&before));
}

#[test]
fn a_lora_changes_the_picture_and_weight_0_does_not() {
    let request = PictureRequest {
        steps: 2,
        sampler: Sampler::Euler,
        schedule: Schedule::Normal,
        ..PictureRequest::new("a red sailing boat", 32, 32)
    };
    let paint = |files: ModelFiles| {
        let model = StableDiffusion::load(&files, &Device::Cpu).unwrap();
        model.generate(&request, &mut |_| ControlFlow::Continue(())).unwrap()
    };
    let with = |weight: f64| paint(tiny().with_loras(&[LoraUse::new(lora("kohya"), weight)]).unwrap());
    assert_eq!(with(0.0), paint(tiny()));
    assert_ne!(with(1.0), paint(tiny()));
}

#[test]
fn a_lora_for_xl_reaches_the_original_blocks_and_both_text_encoders() {
    let folder = TempDir::new().unwrap();
    let checkpoint = folder.path().join("model.safetensors");
    names("tiny-sdxl").write_both(&folder.path().join("folder"), &checkpoint, Stored::F32);
    // The file's name of a layer, and the tensor's part, name and shape.
    let layers = [
        (
            "lora_unet_input_blocks_8_1_transformer_blocks_1_attn2_to_v",
            ("unet", "down_blocks.2.attentions.1.transformer_blocks.1.attn2.to_v.weight", [128, 192]),
        ),
        ("lora_unet_label_emb_0_0", ("unet", "add_embedding.linear_1.weight", [256, 320])),
        (
            "lora_te1_text_model_encoder_layers_0_mlp_fc2",
            ("text_encoder", "text_model.encoder.layers.0.mlp.fc2.weight", [64, 96]),
        ),
        (
            "lora_te2_text_model_encoder_layers_1_self_attn_v_proj",
            ("text_encoder_2", "text_model.encoder.layers.1.self_attn.v_proj.weight", [128, 128]),
        ),
    ];
    let numbers = |n: usize, step: f32| (0..n).map(|i| (i % 7) as f32 * step - 0.3).collect::<Vec<f32>>();
    let bytes = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let mut tensors = BTreeMap::new();
    for (name, (_, _, [rows, columns])) in layers {
        tensors.insert(format!("{name}.lora_up.weight"), (vec![rows, 1], bytes(&numbers(rows, 0.1))));
        tensors.insert(format!("{name}.lora_down.weight"), (vec![1, columns], bytes(&numbers(columns, 0.2))));
        tensors.insert(format!("{name}.alpha"), (vec![], bytes(&[0.5])));
    }
    let path = folder.path().join("xl.safetensors");
    write(&path, "F32", &tensors);
    let lora = LoraUse { lora: Arc::new(Lora::open(&path).unwrap()), unet: 1.0, text_encoder: -2.0 };
    let changed_model = |files: ModelFiles| {
        let changed = files.with_loras(std::slice::from_ref(&lora)).unwrap();
        for (part, stem) in
            [("unet", "diffusion_pytorch_model"), ("text_encoder", "model"), ("text_encoder_2", "model")]
        {
            let open = |files: &ModelFiles| Weights::open(files, part, stem, &Device::Cpu).unwrap();
            let (before, after) = (open(&files), open(&changed));
            for (name, shape) in before.shapes() {
                let (old, new) =
                    (before.root().values(name, shape).unwrap(), after.root().values(name, shape).unwrap());
                let target = layers.iter().find(|(_, (of, tensor, _))| (*of, *tensor) == (part, name));
                let Some((_, (_, _, [rows, columns]))) = target else {
                    assert_eq!(old, new, "{part}: {name}");
                    continue;
                };
                let (up, down) = (numbers(*rows, 0.1), numbers(*columns, 0.2));
                let factor = if part == "unet" { 0.5 } else { -1.0 };
                for (i, (old, new)) in old.iter().zip(new).enumerate() {
                    let expected = old + factor * up[i / columns] * down[i % columns];
                    assert!((expected - new).abs() <= 1e-6, "{part}: {name}: {new} and should be {expected}");
                }
            }
        }
    };
    changed_model(ModelFiles::checkpoint(&checkpoint).unwrap());
    changed_model(ModelFiles::folder(folder.path().join("folder")));
}

#[test]
fn a_lora_for_another_family_is_refused_with_both_named() {
    let folder = TempDir::new().unwrap();
    let (model, path) = (folder.path().join("model.safetensors"), folder.path().join("style.safetensors"));
    write_hollow(&model, &names("sd1").originals());
    let files = ModelFiles::checkpoint(&model).unwrap();
    let base = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k";
    let write_for = |width: usize| {
        write_hollow(
            &path,
            &BTreeMap::from([
                (format!("{base}.lora_down.weight"), vec![4, width]),
                (format!("{base}.lora_up.weight"), vec![640, 4]),
            ]),
        );
        Arc::new(Lora::open(&path).unwrap())
    };
    let xl = write_for(2048);
    assert_eq!((xl.family(), xl.n_layers(), xl.changes_text_encoder()), (Family::Sdxl, 1, false));
    assert!(xl.fits(Family::Sdxl) && !xl.fits(Family::Sd1));
    let error = files.with_loras(&[LoraUse::new(xl, 1.0)]).unwrap_err().to_string();
    let model = model.display();
    assert_eq!(
        error,
        format!("LoRA `style` is for Stable Diffusion XL, and model `{model}` is Stable Diffusion 1.x")
    );
    files.with_loras(&[LoraUse::new(write_for(768), 1.0)]).unwrap();
}

#[test]
fn what_a_model_has_no_use_for_is_counted_and_half_a_lora_is_no_stranger() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.safetensors");
    let layer = |n: usize| format!("lora_te_text_model_encoder_layers_{n}_mlp_fc1");
    let of_layers = |numbers: &[usize]| {
        let mut shapes = BTreeMap::from([("note".to_owned(), vec![1])]);
        for &n in numbers {
            shapes.insert(format!("{}.lora_down.weight", layer(n)), vec![2, 24]);
            shapes.insert(format!("{}.lora_up.weight", layer(n)), vec![96, 2]);
        }
        write_hollow(&path, &shapes);
        Arc::new(Lora::open(&path).unwrap())
    };
    let half = of_layers(&[0, 50]);
    assert_eq!(half.n_ignored(&tiny()).unwrap(), 2);
    tiny().with_loras(&[LoraUse::new(half, 1.0)]).unwrap();
    let third = of_layers(&[0, 50, 51]);
    let error = tiny().with_loras(&[LoraUse::new(third, 1.0)]).unwrap_err().to_string();
    let expected = "LoRA `a` is for models with other layers, of which 1 of 3 are here, and model ";
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn a_file_that_is_no_lora_or_half_of_one_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.safetensors");
    let complaint = |tensors: &[(&str, &[usize])]| {
        let all = tensors.iter().map(|(name, shape)| {
            ((*name).to_owned(), (shape.to_vec(), vec![0; 4 * shape.iter().product::<usize>()]))
        });
        write(&path, "F32", &all.collect());
        Lora::open(&path).unwrap_err().to_string()
    };
    let says = |complaint: String, expected: &str| assert!(complaint.ends_with(expected), "{complaint}");
    says(complaint(&[("conv_in.weight", &[2, 2])]), "it changes no layer: it is no LoRA");
    says(
        complaint(&[("lora_unet_conv_in.lora_up.weight", &[2, 2])]),
        "`lora_unet_conv_in.lora_up.weight` has no counterpart",
    );
    says(
        complaint(&[("lora_unet_a.lora_up.weight", &[2, 3]), ("lora_unet_a.lora_down.weight", &[2, 2])]),
        "have different ranks",
    );
    for (kind, name) in [
        ("LoKr", "lora_unet_a.lokr_w1"),
        ("LoKr", "lora_unet_a.lokr_w1_a"),
        ("DoRA", "lora_unet_a.dora_scale"),
        ("DoRA", "unet.a.lora_magnitude_vector"),
        ("OFT", "lora_unet_a.oft_blocks"),
    ] {
        let change = ["lora_unet_b.lora_up.weight", "lora_unet_b.lora_down.weight"];
        let sentence = complaint(&[(name, &[2, 2]), (change[0], &[2, 2]), (change[1], &[2, 2])]);
        assert_eq!(
            sentence,
            format!(
                "file `a.safetensors` is a LoRA of the kind {kind}, which is not supported; supported are LoRA, LoCon \
                 and LoHa, under the names of kohya's scripts or of PEFT"
            )
        );
        assert_eq!(ModelFiles::checkpoint(&path).unwrap_err().to_string(), sentence);
    }
    let pickle = folder.path().join("old.pt");
    std::fs::write(&pickle, b"\x80\x02").unwrap();
    assert!(Lora::open(&pickle).unwrap_err().to_string().starts_with("file `old.pt` is a pickle"));
}
