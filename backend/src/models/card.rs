//! What a model says about itself.

use std::collections::HashMap;

use inference::model_files::ModelFiles;
use serde::Deserialize;
use types::model::{ModelDefaults, Vocabulary};

use super::allowed_steps;

const CARD: &str = "darkroom.json";

/// The file `darkroom.json` beside a model's parts. All of it may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Card {
    pub(super) title: Option<String>,
    pub(super) description: String,
    pub(super) licence: Option<String>,
    pub(super) defaults: Option<ModelDefaults>,
    /// Square, landscape, portrait.
    pub(super) sizes: Option<[(u32, u32); 3]>,
    pub(super) vocabulary: Option<Vocabulary>,
    pub(super) examples: Vec<String>,
}

impl Card {
    pub(super) fn read(files: &ModelFiles) -> inference::Result<Self> {
        if !files.exists(CARD) {
            return Ok(Self::default());
        }
        let mut card: Self = files.json(CARD)?;
        if let Some(defaults) = &mut card.defaults {
            defaults.steps = allowed_steps(defaults.steps);
        }
        Ok(card)
    }
}

/// One tensor's line in the header of a safetensors file.
#[derive(Deserialize)]
struct Tensor {
    #[serde(default)]
    shape: Vec<u64>,
}

/// How many weights a part has. Nothing depends on it but a line on the models page, so whatever cannot be
/// counted (a part in several files) counts as none.
pub(super) fn n_parameters(files: &ModelFiles, folder: &str, stem: &str) -> u64 {
    ["safetensors", "fp16.safetensors"]
        .iter()
        .find_map(|ending| count(files, &format!("{folder}/{stem}.{ending}")))
        .unwrap_or(0)
}

/// A safetensors file begins with eight bytes that hold the length of its header, which is JSON.
fn count(files: &ModelFiles, file: &str) -> Option<u64> {
    let file = files.open(file).ok()?;
    let length = u64::from_le_bytes(file.read(0, 8).ok()?.as_ref().try_into().ok()?);
    let header = file.read(8, usize::try_from(length).ok()?).ok()?;
    let mut tensors: HashMap<String, serde_json::Value> = serde_json::from_slice(&header).ok()?;
    tensors.remove("__metadata__");
    let shapes = tensors.into_values().filter_map(|line| serde_json::from_value::<Tensor>(line).ok());
    Some(shapes.map(|tensor| tensor.shape.iter().product::<u64>()).sum())
}
