//! Where a model goes: into the models folder, under a name that is free, and whole or not at all.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use backend::Config;
use backend::models::{EMBEDDINGS, LORAS, name_of};
use indicatif::{ProgressBar, ProgressStyle};
use inference::checkpoint::is_pickle_name;
use types::error::PublicError;

/// The models folder, made if it is not there.
///
/// # Errors
/// It cannot be made.
pub fn models_folder(config: &Config) -> anyhow::Result<PathBuf> {
    let folder = config.models_dir.clone().unwrap_or_else(|| config.data_dir.join("models"));
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("the models folder `{}` cannot be made", folder.display()))?;
    Ok(folder)
}

/// A name under which nothing is installed.
///
/// # Errors
/// It cannot be a file's name, is kept for something else, or is taken.
pub fn free_name(folder: &Path, name: &str) -> Result<(), PublicError> {
    let refuse = |message| Err(PublicError::invalid_field("name", message));
    if name.is_empty()
        || name.starts_with('.')
        || name.contains(['/', '\\', ':'])
        || name.contains(char::is_control)
    {
        return refuse(format!(
            "name `{name}` is not possible; it has to be a file's name that does not begin with a dot"
        ));
    }
    if [LORAS, EMBEDDINGS].contains(&name) {
        return refuse(format!("name `{name}` is kept for files of that kind; choose another with --name"));
    }
    if let Some(taken) = taken_by(folder, name) {
        let shown = folder.display();
        return refuse(format!("there is `{taken}` in `{shown}` already; choose another name with --name"));
    }
    Ok(())
}

/// The same for a model, which goes by its name beside those that this program brings along.
///
/// # Errors
/// As [`free_name`], and it is the name of one of those.
pub fn free_model_name(config: &Config, folder: &Path, name: &str) -> Result<(), PublicError> {
    if config.bundled.iter().any(|files| name_of(files) == name) {
        let message =
            format!("`{name}` is a model that this program brings along; choose another name with --name");
        return Err(PublicError::invalid_field("name", message));
    }
    free_name(folder, name)
}

/// What already goes by a name in a folder: a folder of that name, or a file of weights. A pickle is never opened,
/// but is listed under its name all the same.
fn taken_by(folder: &Path, name: &str) -> Option<String> {
    let is_it = |path: &PathBuf| {
        let holds_weights = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("safetensors"))
            || is_pickle_name(path);
        path.file_name().is_some_and(|file| file == name)
            || holds_weights && path.file_stem().is_some_and(|stem| stem == name)
    };
    // On a disk that makes no difference between capital and small letters, only the disk itself can tell.
    let asked = ["", ".safetensors"].map(|ending| folder.join(format!("{name}{ending}")));
    let listed = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    let taken = listed.filter(is_it).min().or_else(|| asked.into_iter().find(|path| path.exists()))?;
    taken.file_name().map(|file| file.to_string_lossy().into_owned())
}

/// Where an unfinished model lies: beside its place, and left out by whoever looks at the models folder.
pub fn unfinished(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.part"))
}

/// Drawn on stderr, and only if that is a terminal.
pub fn bar(n_bytes: u64) -> ProgressBar {
    let bar = ProgressBar::new(n_bytes);
    let template = "{msg} {wide_bar} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
