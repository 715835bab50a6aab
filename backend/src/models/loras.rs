//! The LoRA files that are installed.

use std::path::Path;

use inference::lora::Lora;
use types::lora::LoraInfo;
use types::model::Family;

/// Reads a file's header. One that cannot be used is shown too, with the reason.
pub(super) fn look(path: &Path) -> LoraInfo {
    let name = stem(path);
    match Lora::open(path) {
        Ok(lora) => LoraInfo {
            name,
            family: lora.family(),
            n_layers: lora.n_layers() as u32,
            changes_text_encoder: lora.changes_text_encoder(),
            size_bytes: lora.n_bytes(),
            problem: None,
        },
        Err(error) => {
            // Visitors know it by its name, and not by its path on this machine.
            let problem = error.to_string().replace(&path.display().to_string(), &name);
            tracing::warn!(lora.name = name, problem, "a LoRA cannot be used");
            LoraInfo {
                name,
                family: Family::Other,
                n_layers: 0,
                changes_text_encoder: false,
                size_bytes: std::fs::metadata(path).map_or(0, |metadata| metadata.len()),
                problem: Some(problem),
            }
        }
    }
}

/// A file's name without its ending.
pub(super) fn stem(path: &Path) -> String {
    path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
