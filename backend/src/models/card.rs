//! What a model says about itself.

use std::collections::{HashMap, HashSet};

use inference::model_files::ModelFiles;
use serde::Deserialize;
use types::model::{ModelDefaults, SizeLimits, Vocabulary};
use types::request::{GUIDANCE_SCALE, STEPS};

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
        files.json(CARD)
    }

    /// Whether a request that leaves everything open would be allowed.
    ///
    /// # Errors
    /// `BrokenFile` with the first setting that no request may have.
    pub(super) fn check(&self, files: &ModelFiles, limits: &SizeLimits) -> inference::Result<()> {
        let refuse = |reason| Err(files.broken(CARD, reason));
        if let Some(ModelDefaults { steps, guidance_scale, .. }) = &self.defaults {
            if !STEPS.contains(steps) {
                let (first, last) = (STEPS.start(), STEPS.end());
                return refuse(format!("steps {steps} is out of range; allowed are {first} to {last}"));
            }
            if !GUIDANCE_SCALE.contains(guidance_scale) {
                let (first, last) = (GUIDANCE_SCALE.start(), GUIDANCE_SCALE.end());
                return refuse(format!(
                    "guidance scale {guidance_scale} is out of range; allowed are {first} to {last}"
                ));
            }
        }
        for (width, height) in self.sizes.into_iter().flatten() {
            if !limits.allows_side(width) || !limits.allows_side(height) {
                return refuse(format!(
                    "size {width}x{height} is not possible; allowed are multiples of {} from {} to {}",
                    limits.multiple, limits.min_side, limits.max_side
                ));
            }
        }
        Ok(())
    }
}

/// One tensor's line in the header of a safetensors file.
#[derive(Deserialize)]
struct Tensor {
    #[serde(default)]
    shape: Vec<u64>,
}

/// The list of files that a large part is cut into.
#[derive(Deserialize)]
struct ShardIndex {
    weight_map: HashMap<String, String>,
}

/// How many weights a part has. Nothing depends on it but a line on the models page, so whatever cannot be
/// counted counts as none.
pub(super) fn n_parameters(files: &ModelFiles, folder: &str, stem: &str) -> u64 {
    ["safetensors", "fp16.safetensors"]
        .iter()
        .find_map(|ending| count(files, &format!("{folder}/{stem}.{ending}")))
        .or_else(|| count_shards(files, folder, &format!("{folder}/{stem}.safetensors.index.json")))
        .unwrap_or(0)
}

/// The index names a file for every tensor. The headers of the files are added up, since what the index says of
/// the whole is bytes, and not in every index there is.
fn count_shards(files: &ModelFiles, folder: &str, index: &str) -> Option<u64> {
    let index: ShardIndex = files.json(index).ok()?;
    let shards: HashSet<String> = index.weight_map.into_values().collect();
    shards.iter().map(|shard| count(files, &format!("{folder}/{shard}"))).sum()
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
