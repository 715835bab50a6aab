//! What lies in the models folder.

use std::path::{Path, PathBuf};

use inference::checkpoint::is_pickle_name;
use inference::pipelines::safety_checker::SAFETY_CHECKER;

use super::Stamp;
use crate::Config;

/// Subfolder of the LoRA files.
pub const LORAS: &str = "loras";

/// Subfolder of the textual inversions.
pub const EMBEDDINGS: &str = "embeddings";

/// Subfolders that are no models: besides these two the safety checker, and how pictures are prepared for it.
const NO_MODELS: [&str; 4] = [LORAS, EMBEDDINGS, SAFETY_CHECKER, "feature_extractor"];

/// Something in the models folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) found: Found,
    pub(super) path: PathBuf,
    pub(super) stamp: Stamp,
}

/// What it seems to be, by its name and place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Folder,
    Checkpoint,
    Pickle,
    Lora,
}

/// Everything in the models folder, by name, and the LoRA files that lie elsewhere.
pub(super) fn entries(config: &Config) -> std::io::Result<Vec<Entry>> {
    let elsewhere = config.lora_files.iter().map(|path| (Found::Lora, path.clone()));
    let found = elsewhere.chain(in_folder(config)?);
    Ok(found.map(|(found, path)| Entry { found, stamp: Stamp::of(&path), path }).collect())
}

/// The names of the textual inversions, sorted: their files' without the endings.
pub(crate) fn embeddings(config: &Config) -> Vec<String> {
    let Some(folder) = config.models_dir.as_deref() else { return Vec::new() };
    // Without that folder there are none.
    let files = paths(&folder.join(EMBEDDINGS)).unwrap_or_default();
    let files = files.into_iter().filter(|path| path.is_file() && is_safetensors(path));
    let mut names: Vec<String> = files.map(|path| super::loras::stem(&path)).collect();
    names.sort();
    names
}

fn in_folder(config: &Config) -> std::io::Result<Vec<(Found, PathBuf)>> {
    let Some(folder) = config.models_dir.as_deref() else { return Ok(Vec::new()) };
    let mut found: Vec<(Found, PathBuf)> = Vec::new();
    for path in paths(folder)? {
        // What is on its way here has such a name until it is whole.
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
            continue;
        }
        if path.is_dir() {
            let is_of_its_own =
                path.file_name().is_some_and(|name| NO_MODELS.iter().any(|other| name == *other));
            if !is_of_its_own && !belongs_to_a_checkpoint(&path) {
                found.push((Found::Folder, path));
            }
        } else if is_safetensors(&path) {
            found.push((Found::Checkpoint, path));
        } else if is_pickle_name(&path) {
            found.push((Found::Pickle, path));
        }
    }
    // Without that folder there are no LoRA files.
    for path in paths(&folder.join(LORAS)).unwrap_or_default() {
        if is_safetensors(&path) || is_pickle_name(&path) {
            found.push((Found::Lora, path));
        }
    }
    Ok(found)
}

/// What a folder holds, by name.
pub(super) fn paths(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

/// A folder with a checkpoint's name holds what wins over the checkpoint, unless it is a model itself.
fn belongs_to_a_checkpoint(folder: &Path) -> bool {
    let mut name = folder.as_os_str().to_owned();
    name.push(".safetensors");
    let is_model = folder.join("model_index.json").is_file();
    Path::new(&name).is_file() && !is_model
}

/// A file that may hold tensors, by its name.
pub(super) fn is_safetensors(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("safetensors"))
}
