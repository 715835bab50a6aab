//! A tiny safety checker beside what diffusers and transformers make of it.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::{Device, Tensor};
use inference::model_files::ModelFiles;
use inference::pipelines::safety_checker::{SafetyCheck, SafetyChecker};
use inference::pipelines::stable_diffusion::Rgb;
use serde::Deserialize;
use tempfile::TempDir;

use crate::compare::{PART_TOLERANCE, relative_error};
use crate::families::Weights;
use crate::reference::{reference, tensors};

/// The checker without weights, and what it decided.
#[derive(Deserialize)]
struct Reference {
    files: BTreeMap<String, serde_json::Value>,
    weights: Weights,
    #[serde(rename = "unsafe")]
    is_unsafe: Vec<bool>,
}

impl Reference {
    /// Writes it as diffusers would have saved it, with what `renamed` makes of the tensors' names.
    fn write(&self, folder: &Path, renamed: impl Fn(&str) -> String) {
        for (file, content) in &self.files {
            let path = folder.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content.to_string()).unwrap();
        }
        let tensors: HashMap<String, Tensor> =
            self.weights.draw().into_iter().map(|(name, tensor)| (renamed(&name), tensor)).collect();
        candle_core::safetensors::save(&tensors, folder.join("safety_checker/model.safetensors")).unwrap();
    }
}

/// The names as the published weights have them, which are older than transformers 5.
fn published(name: &str) -> String {
    if name.starts_with("vision_model.") { format!("vision_model.{name}") } else { name.to_owned() }
}

fn load(reference: &Reference, renamed: impl Fn(&str) -> String) -> SafetyChecker {
    let folder = TempDir::new().unwrap();
    reference.write(folder.path(), renamed);
    let files = ModelFiles::folder(folder.path());
    assert!(SafetyChecker::is_in(&files));
    SafetyChecker::load(&files, &Device::Cpu).unwrap()
}

fn picture(tensors: &HashMap<String, Tensor>, i: usize) -> Rgb {
    let picture = &tensors[&format!("{i}.picture")];
    let (height, width, _) = picture.dims3().unwrap();
    let pixels = picture.flatten_all().unwrap().to_vec1().unwrap();
    Rgb { width: width as u32, height: height as u32, pixels }
}

#[test]
fn a_picture_is_seen_embedded_and_judged_the_same() {
    let (reference, tensors): (Reference, _) = (reference("safety.json"), tensors("safety.safetensors"));
    let checker = load(&reference, published);
    for (i, &is_unsafe) in reference.is_unsafe.iter().enumerate() {
        let SafetyCheck { seen, embedding, scores } = checker.check(&picture(&tensors, i)).unwrap();
        for (name, found) in [("seen", &seen), ("embedding", &embedding)] {
            let error = relative_error(found, &tensors[&format!("{i}.{name}")]);
            println!("{i}: {name} {error:.1e}");
            assert!(error <= PART_TOLERANCE, "{i}: {name} {error:.1e}");
        }
        for (name, found) in [("special_care", &scores.special_care), ("concepts", &scores.concepts)] {
            let expected: Vec<f32> = tensors[&format!("{i}.{name}")].to_vec1().unwrap();
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                // They are rounded to three places, so the next one is ten times as far as is allowed.
                assert!((found - expected).abs() <= 1e-4, "{i}: {name} {found} {expected}");
            }
        }
        assert_eq!(scores.is_unsafe(), is_unsafe, "{i}");
    }
    assert!(reference.is_unsafe.contains(&true) && reference.is_unsafe.contains(&false));
}

#[test]
fn newer_names_of_the_same_tensors_are_read_too() {
    let (reference, tensors): (Reference, _) = (reference("safety.json"), tensors("safety.safetensors"));
    let (old, new) = (load(&reference, published), load(&reference, str::to_owned));
    let picture = picture(&tensors, 0);
    assert_eq!(old.check(&picture).unwrap().scores, new.check(&picture).unwrap().scores);
}

#[test]
fn a_checker_that_lacks_a_tensor_is_refused_by_its_name() {
    let reference: Reference = reference("safety.json");
    let folder = TempDir::new().unwrap();
    reference.write(folder.path(), |name| name.replace("concept_embeds_weights", "thresholds"));
    let error = SafetyChecker::load(&ModelFiles::folder(folder.path()), &Device::Cpu).unwrap_err();
    assert_eq!(
        error.to_string(),
        "file `safety_checker/model.safetensors` has no tensor `concept_embeds_weights`"
    );
}
