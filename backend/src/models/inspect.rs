//! What is in a model, part by part, for whoever is about to install it.

use std::path::Path;

use candle_core::Device;
use inference::checkpoint::{Kinship, refuse_pickle};
use inference::model_files::ModelFiles;
use inference::weights::Weights;
use types::model::Family;

use super::{check, is_picture_model, parts};

/// What is in a model.
#[derive(Debug)]
pub struct Report {
    /// Which LoRA files suit it.
    pub family: Family,
    /// Whether its U-Net has 9 channels.
    pub inpaints: bool,
    /// One file rather than a folder.
    pub is_checkpoint: bool,
    /// Its parts, those that are broken too.
    pub parts: Vec<PartReport>,
    /// Why it cannot be used, if it cannot.
    pub problem: Option<String>,
}

/// What is in one part.
#[derive(Debug)]
pub struct PartReport {
    /// Folder in diffusers' layout.
    pub name: &'static str,
    /// How most of its numbers are stored.
    pub kind: String,
    /// Numbers in all its tensors.
    pub n_parameters: u64,
    /// Bytes that they take.
    pub n_bytes: u64,
}

/// Opens a folder in diffusers' layout or a checkpoint, and refuses what is neither.
///
/// # Errors
/// One sentence on what it is instead.
pub fn open(path: &Path) -> Result<ModelFiles, String> {
    let shown = path.display();
    let metadata = std::fs::metadata(path).map_err(|error| format!("`{shown}` cannot be read: {error}"))?;
    if metadata.is_file() {
        return refuse_pickle(path).and_then(|()| ModelFiles::checkpoint(path)).map_err(|e| e.to_string());
    }
    let files = ModelFiles::folder(path);
    if is_picture_model(&files) {
        return Ok(files);
    }
    Err(if files.exists("config.json") {
        format!(
            "`{shown}` has no model_index.json and paints no pictures: it is a single network, as GPT-2 is"
        )
    } else {
        format!(
            "`{shown}` has no model_index.json; give a folder in diffusers' layout or a .safetensors file"
        )
    })
}

/// Reads configs and the headers of the weights.
pub fn inspect(files: &ModelFiles) -> Report {
    let Kinship { family, inpaints } =
        Kinship::of(files).unwrap_or(Kinship { family: Family::Other, inpaints: false });
    let part = |(name, stem)| {
        let weights = Weights::open(files, name, stem, &Device::Cpu).ok()?;
        Some(PartReport {
            name,
            kind: weights.kind().map_or_else(|| "-".to_owned(), |kind| kind.to_string()),
            n_parameters: weights.n_parameters(),
            n_bytes: weights.n_bytes(),
        })
    };
    Report {
        family,
        inpaints,
        is_checkpoint: files.as_checkpoint().is_some(),
        parts: parts(files).filter_map(part).collect(),
        problem: check(files).err().map(|error| error.to_string()),
    }
}
