use std::collections::HashMap;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::error::Error;

/// The tensors of a safety checker that finds each square of 8 pixels that is more white than black: its one block hands
/// the class token how bright the four patches are, and all directions point to bright ones.
fn tensors() -> HashMap<String, Tensor> {
    let filled = |value: f32, shape: &[usize]| Tensor::full(value, shape, &Device::Cpu).unwrap();
    let identity = Tensor::eye(4, candle_core::DType::F32, &Device::Cpu).unwrap();
    // Brightness in the first channel; a layer norm makes of it one of two opposite vectors.
    let bright = Tensor::cat(&[filled(1.0, &[1, 3, 4, 4]), filled(0.0, &[3, 3, 4, 4])], 0).unwrap();
    let direction = Tensor::new(&[3f32, -1.0, -1.0, -1.0], &Device::Cpu).unwrap();
    let directions = |n: usize| direction.broadcast_as((n, 4)).unwrap().contiguous().unwrap();
    let tower = "vision_model.vision_model";
    let mut tensors = HashMap::from([
        (format!("{tower}.embeddings.class_embedding"), filled(0.0, &[4])),
        (format!("{tower}.embeddings.patch_embedding.weight"), bright),
        (format!("{tower}.embeddings.position_embedding.weight"), filled(0.0, &[5, 4])),
        ("visual_projection.weight".to_owned(), identity.clone()),
        ("concept_embeds".to_owned(), directions(17)),
        ("special_care_embeds".to_owned(), directions(3)),
        ("concept_embeds_weights".to_owned(), filled(0.5, &[17])),
        ("special_care_embeds_weights".to_owned(), filled(2.0, &[3])),
    ]);
    let block = format!("{tower}.encoder.layers.0");
    for norm in [
        format!("{tower}.pre_layrnorm"),
        format!("{tower}.post_layernorm"),
        format!("{block}.layer_norm1"),
        format!("{block}.layer_norm2"),
    ] {
        tensors.insert(format!("{norm}.weight"), filled(1.0, &[4]));
        tensors.insert(format!("{norm}.bias"), filled(0.0, &[4]));
    }
    // As many bright patches as dark ones are dark.
    let dark = Tensor::new(&[-0.3f32, 0.1, 0.1, 0.1], &Device::Cpu).unwrap();
    tensors.insert(format!("{tower}.post_layernorm.bias"), dark);
    for (layer, weight) in [
        ("self_attn.q_proj", filled(0.0, &[4, 4])),
        ("self_attn.k_proj", filled(0.0, &[4, 4])),
        ("self_attn.v_proj", identity.clone()),
        ("self_attn.out_proj", identity),
        ("mlp.fc1", filled(0.0, &[8, 4])),
        ("mlp.fc2", filled(0.0, &[4, 8])),
    ] {
        let outputs = weight.dim(0).unwrap();
        tensors.insert(format!("{block}.{layer}.weight"), weight);
        tensors.insert(format!("{block}.{layer}.bias"), filled(0.0, &[outputs]));
    }
    tensors
}

fn write(folder: &Path, tensors: &HashMap<String, Tensor>) {
    let folder = folder.join(SAFETY_CHECKER);
    std::fs::create_dir_all(&folder).unwrap();
    let config = r#"{"projection_dim": 4, "vision_config": {"hidden_size": 4, "intermediate_size": 8, "image_size": 8,
        "num_attention_heads": 1, "num_hidden_layers": 1, "patch_size": 4}}"#;
    std::fs::write(folder.join("config.json"), config).unwrap();
    candle_core::safetensors::save(tensors, folder.join("model.safetensors")).unwrap();
}

fn load(tensors: &HashMap<String, Tensor>) -> Result<SafetyChecker> {
    let folder = TempDir::new().unwrap();
    write(folder.path(), tensors);
    SafetyChecker::load(&ModelFiles::folder(folder.path()), &Device::Cpu)
}

/// A black picture with a white square of 8 pixels there.
fn picture(width: u32, height: u32, white: Option<(u32, u32)>) -> Rgb {
    let is_white = |x: u32, y: u32| {
        white.is_some_and(|(left, top)| (left..left + 8).contains(&x) && (top..top + 8).contains(&y))
    };
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let pixels = pixels.flat_map(|(x, y)| [if is_white(x, y) { 255 } else { 0 }; 3]).collect();
    Rgb { width, height, pixels }
}

#[test]
fn what_is_not_to_be_shown_is_seen_at_the_ends_of_a_long_picture_as_well() {
    let checker = load(&tensors()).unwrap();
    for (width, height, ends) in [(24, 8, [(0, 0), (16, 0)]), (8, 24, [(0, 0), (0, 16)])] {
        assert!(!checker.is_unsafe(&picture(width, height, None)).unwrap());
        for end in ends {
            let picture = picture(width, height, Some(end));
            assert!(!checker.check(&picture).unwrap().scores.is_unsafe(), "the middle alone is black");
            assert!(checker.is_unsafe(&picture).unwrap(), "{end:?}");
        }
    }
}

#[test]
fn a_square_picture_is_judged_by_its_middle_as_before() {
    let checker = load(&tensors()).unwrap();
    for picture in [picture(8, 8, None), picture(8, 8, Some((0, 0)))] {
        assert_eq!(checker.is_unsafe(&picture).unwrap(), checker.check(&picture).unwrap().scores.is_unsafe());
    }
}

#[test]
fn scores_that_are_no_numbers_are_an_error_and_not_a_picture_that_may_be_shown() {
    let white = picture(8, 8, Some((0, 0)));
    for (name, value) in [
        ("visual_projection.weight", f32::NAN),
        ("visual_projection.weight", f32::MAX),
        ("visual_projection.weight", 0.0),
        ("concept_embeds", f32::NAN),
        ("concept_embeds", 0.0),
        ("concept_embeds_weights", f32::NAN),
        ("concept_embeds_weights", f32::INFINITY),
        ("special_care_embeds_weights", f32::NAN),
    ] {
        let mut tensors = tensors();
        let shape = tensors[name].shape().clone();
        tensors.insert(name.to_owned(), Tensor::full(value, shape, &Device::Cpu).unwrap());
        let judged = load(&tensors).and_then(|checker| checker.is_unsafe(&white));
        assert!(matches!(judged, Err(Error::NotJudged)), "{name} {value}: {judged:?}");
    }
}
