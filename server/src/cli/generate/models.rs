//! A model that is named by its path.

use std::path::Path;

use backend::models::inspect;
use inference::model_files::ModelFiles;
use types::error::PublicError;

/// A folder or a checkpoint that may hold a picture model. Whether every part is there and whole is told when it is
/// looked at.
///
/// # Errors
/// It is not there, or what is there is no picture model.
pub fn picture_model(path: &str) -> Result<ModelFiles, PublicError> {
    let refuse = |message| PublicError::invalid_field("model", message);
    if !Path::new(path).exists() {
        return Err(refuse(format!(
            "model `{path}` is not there; give a model's name, a folder in diffusers' layout or a .safetensors file"
        )));
    }
    inspect::open(Path::new(path)).map_err(refuse)
}

/// A name never holds a separator, and a folder of that name right here is meant only if it is written so. Weights
/// are told by their ending, as no model's name has it.
pub fn is_path(model: &str) -> bool {
    let path = Path::new(model);
    model.contains(['/', '\\'])
        || path.is_absolute()
        || model == "."
        || path.extension().is_some_and(|ending| {
            ["safetensors", "ckpt", "pt", "pth", "bin"].iter().any(|known| ending.eq_ignore_ascii_case(known))
        })
}

#[cfg(test)]
mod tests {
    use super::is_path;

    #[test]
    fn a_path_is_told_from_a_name_by_its_separators_or_by_the_ending_of_weights() {
        for path in ["./demo", "/srv/model", ".", "model.safetensors", "old.CKPT"] {
            assert!(is_path(path), "{path}");
        }
        for name in ["demo", "stable-diffusion-v1.5"] {
            assert!(!is_path(name), "{name}");
        }
    }
}
