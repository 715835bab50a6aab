//! What lies in a data folder beside what the database names: styles, lists of words, and whatever else is kept there.

use std::path::{Path, PathBuf};

use super::{MODELS, SUMS};
use crate::data_folder::{DATABASE, LOCK, LOST_AND_FOUND, PICTURES, PROBE, SECRET, UPLOADS};
use crate::{Error, Result};

/// All files of a data folder but the database, the pictures, the uploads, the models, and what is the folder's own alone; each
/// with its name in the archive. Links are not followed into other folders.
pub(super) fn other_files(folder: &Path, left_out: &[Option<PathBuf>]) -> Result<Vec<(String, PathBuf)>> {
    let failed = |path: &Path, source| Error::Io { what: format!("reading {}", path.display()), source };
    let mut files = Vec::new();
    let mut waiting = vec![(String::new(), folder.to_owned())];
    while let Some((prefix, folder)) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|error| failed(&folder, error))? {
            let entry = entry.map_err(|error| failed(&folder, error))?;
            let (path, file_name) = (entry.path(), entry.file_name());
            // The sums have a line for each name.
            let Some(file_name) = file_name.to_str().filter(|name| !name.contains(['\n', '\r'])) else {
                tracing::warn!(
                    file = %path.display(),
                    "a file is left out of the back-up, as its name is not UTF-8 or has a line break"
                );
                continue;
            };
            let name = format!("{prefix}{file_name}");
            let kind = entry.file_type().map_err(|error| failed(&path, error))?;
            if is_apart(&name) {
                continue;
            }
            if kind.is_dir() {
                waiting.push((format!("{name}/"), path));
            } else if path.is_file() && !left_out.contains(&path.canonicalize().ok()) {
                files.push((name, path));
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Whether what is called like that in the data folder itself is added on its own or not at all. Whoever unpacked a back-up with
/// `tar` has sums of its own there; a new back-up gets new ones.
fn is_apart(name: &str) -> bool {
    [LOCK, PROBE, PICTURES, UPLOADS, MODELS, LOST_AND_FOUND, SUMS].contains(&name)
        || name.starts_with(DATABASE)
        || name.starts_with(SECRET)
}
