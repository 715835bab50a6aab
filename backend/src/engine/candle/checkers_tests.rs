use std::collections::HashMap;
use std::path::Path;

use candle_core::Tensor;

use super::*;
use crate::SafetyMode;
use crate::engine::Engine;
use crate::engine::candle::CandleEngine;
use crate::engine::candle::tests::{engine_on, request};
use crate::memory::Memory;
use crate::models::tests::copy_of_demo;

/// A safety checker that finds no picture, or every one: a vision tower of one block whose weights are all 0, so that each
/// picture lies at the same place, and directions that point there.
fn write_checker(folder: &Path, is_strict: bool) {
    let folder = folder.join("safety_checker");
    std::fs::create_dir_all(&folder).unwrap();
    let config = r#"{"projection_dim": 4, "vision_config": {"hidden_size": 4, "intermediate_size": 8, "image_size": 8,
        "num_attention_heads": 1, "num_hidden_layers": 1, "patch_size": 4}}"#;
    std::fs::write(folder.join("config.json"), config).unwrap();
    let filled = |value: f32, shape: &[usize]| Tensor::full(value, shape, &Device::Cpu).unwrap();
    let tower = "vision_model.vision_model";
    let mut tensors = HashMap::from([
        (format!("{tower}.embeddings.class_embedding"), filled(0.0, &[4])),
        (format!("{tower}.embeddings.patch_embedding.weight"), filled(0.0, &[4, 3, 4, 4])),
        (format!("{tower}.embeddings.position_embedding.weight"), filled(0.0, &[5, 4])),
        ("visual_projection.weight".to_owned(), filled(1.0, &[4, 4])),
        ("concept_embeds".to_owned(), filled(1.0, &[17, 4])),
        ("special_care_embeds".to_owned(), filled(1.0, &[3, 4])),
        ("concept_embeds_weights".to_owned(), filled(if is_strict { 0.5 } else { 2.0 }, &[17])),
        ("special_care_embeds_weights".to_owned(), filled(2.0, &[3])),
    ]);
    for norm in
        ["pre_layrnorm", "post_layernorm", "encoder.layers.0.layer_norm1", "encoder.layers.0.layer_norm2"]
    {
        tensors.insert(format!("{tower}.{norm}.weight"), filled(1.0, &[4]));
        tensors.insert(format!("{tower}.{norm}.bias"), filled(1.0, &[4]));
    }
    for (layer, inputs, outputs) in [
        ("self_attn.q_proj", 4, 4),
        ("self_attn.k_proj", 4, 4),
        ("self_attn.v_proj", 4, 4),
        ("self_attn.out_proj", 4, 4),
        ("mlp.fc1", 4, 8),
        ("mlp.fc2", 8, 4),
    ] {
        let layer = format!("{tower}.encoder.layers.0.{layer}");
        tensors.insert(format!("{layer}.weight"), filled(0.0, &[outputs, inputs]));
        tensors.insert(format!("{layer}.bias"), filled(0.0, &[outputs]));
    }
    candle_core::safetensors::save(&tensors, folder.join("model.safetensors")).unwrap();
}

#[test]
fn a_models_own_safety_checker_goes_before_that_of_the_models_folder() {
    let models = tempfile::tempdir().unwrap();
    for name in ["mine", "plain"] {
        copy_of_demo(&models.path().join(name));
    }
    let engine = engine_on(models.path());
    let picture = RgbImage::new(20, 12);
    assert_eq!(engine.safety_checker("plain"), None);
    assert_eq!(
        engine.is_unsafe("plain", &picture).unwrap_err().to_string(),
        "model `plain` cannot be used: no safety checker is installed any more"
    );
    write_checker(models.path(), true);
    let names: Vec<_> = engine.picture_models().into_iter().map(|model| model.name).collect();
    assert_eq!(names, ["mine", "plain"], "it is no model itself");
    assert_eq!(engine.safety_checker("mine"), engine.safety_checker("plain"));
    assert!(engine.is_unsafe("mine", &picture).unwrap());
    write_checker(&models.path().join("mine"), false);
    assert_ne!(engine.safety_checker("mine"), engine.safety_checker("plain"));
    assert!(!engine.is_unsafe("mine", &picture).unwrap());
    assert!(engine.is_unsafe("plain", &picture).unwrap());
    // The other models may use it where the folder has none.
    std::fs::remove_dir_all(models.path().join("safety_checker")).unwrap();
    assert!(!engine.is_unsafe("plain", &picture).unwrap());
}

#[test]
fn a_safety_checker_that_lacks_a_file_says_so_under_the_models_name() {
    let models = tempfile::tempdir().unwrap();
    copy_of_demo(&models.path().join("plain"));
    write_checker(models.path(), true);
    std::fs::remove_file(models.path().join("safety_checker/model.safetensors")).unwrap();
    let error = engine_on(models.path()).is_unsafe("plain", &RgbImage::new(8, 8)).unwrap_err().to_string();
    assert!(error.starts_with("model `plain` cannot be used: "), "{error}");
    assert!(error.ends_with("has no file `safety_checker/model.safetensors`"), "{error}");
}

#[test]
fn a_safety_checker_takes_memory_from_models_and_pictures() {
    let models = tempfile::tempdir().unwrap();
    copy_of_demo(&models.path().join("plain"));
    write_checker(models.path(), true);
    let open = |safety| {
        let models_dir = Some(models.path().to_owned());
        let mut engine = CandleEngine::open(&Config { models_dir, safety, ..Config::default() }).unwrap();
        engine.memory = Some(Memory::of_machine_with(8_000_000_000));
        engine
    };
    let others = |engine: &CandleEngine| {
        let installed = engine.installed();
        engine.plan(&installed.pictures[0], &request(engine), 1, Precision::F32).unwrap().others
    };
    let (off, blur) = (open(SafetyMode::Off), open(SafetyMode::Blur));
    let n_bytes = blur.checkers.n_bytes(&blur.installed(), &blur.installed().pictures[0]);
    assert!((1_000..10_000).contains(&n_bytes), "{n_bytes}");
    let difference = others(&off) - others(&blur);
    assert!(difference.abs_diff(n_bytes * 9 / 10) <= 1, "{difference} of {n_bytes}");
}
