//! The LoRA files that are installed.

use std::path::Path;

use inference::lora::Lora;
use types::lora::LoraInfo;
use types::model::Family;

use super::folder::{LORAS, is_safetensors, paths};

/// Opens an installed LoRA.
///
/// # Errors
/// [`inference::Error::MissingFile`] if there is none of that name; whatever is wrong with the file.
pub fn open_lora(models_dir: &Path, name: &str) -> inference::Result<Lora> {
    let folder = models_dir.join(LORAS);
    // The name comes from a request, so it is looked for among what is there and never made into a path.
    let is_it = |path: &std::path::PathBuf| is_safetensors(path) && stem(path) == name;
    match paths(&folder).unwrap_or_default().into_iter().find(is_it) {
        Some(path) => Lora::open(path),
        None => Err(inference::Error::MissingFile {
            model: name.to_owned(),
            file: format!("{LORAS}/{name}.safetensors"),
        }),
    }
}

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
