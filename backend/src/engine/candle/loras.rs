//! The LoRAs that a picture is made with.

use std::path::PathBuf;
use std::sync::Arc;

use inference::lora::{Lora, LoraUse};
use types::error::PublicError;
use types::prompt::lora_tags;
use types::request::GenerationRequest;

use crate::engine::EngineError;
use crate::models::{Installed, Stamp};

/// A LoRA's file and how strongly it is wanted. Two that are equal change a model alike.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wanted {
    path: PathBuf,
    stamp: Stamp,
    unet: f64,
    text_encoder: f64,
}

/// The LoRAs that a request lists, and those that its prompt names.
///
/// # Errors
/// One of them is not installed any more.
pub(super) fn wanted(request: &GenerationRequest, installed: &Installed) -> Result<Vec<Wanted>, EngineError> {
    let listed = request.loras.iter().map(|lora| (lora.name.clone(), lora.weight, lora.weight));
    let tags = lora_tags(&request.prompt).1;
    let named = tags.into_iter().map(|tag| (tag.name, tag.unet, tag.text_encoder));
    let find = |(name, unet, text_encoder): (String, f64, f64)| {
        let (path, stamp) = installed.lora_file(&name).ok_or_else(|| {
            PublicError::invalid_field("loras", format!("LoRA `{name}` is not installed any more"))
        })?;
        Ok(Wanted { path: path.to_owned(), stamp: stamp.clone(), unet, text_encoder })
    };
    // One without weight changes nothing, and would be read for nothing.
    listed
        .chain(named)
        .filter(|(_, unet, text_encoder)| *unet != 0.0 || *text_encoder != 0.0)
        .map(find)
        .collect()
}

/// A sentence with the files' names where it has their paths, which visitors have no use for.
pub(super) fn without_paths(sentence: String, wanted: &[Wanted]) -> String {
    wanted.iter().fold(sentence, |sentence, Wanted { path, .. }| {
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        sentence.replace(&path.display().to_string(), &name)
    })
}

/// Opens them.
pub(super) fn open(wanted: &[Wanted]) -> inference::Result<Vec<LoraUse>> {
    let open = |wanted: &Wanted| {
        let lora = Arc::new(Lora::open(&wanted.path)?);
        Ok(LoraUse { lora, unet: wanted.unet, text_encoder: wanted.text_encoder })
    };
    wanted.iter().map(open).collect()
}
