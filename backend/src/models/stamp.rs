//! Whether a model's files are the ones that were looked at.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How deep a model's files lie below its folder: `unet/config.json`.
const DEPTH: u32 = 2;

/// Names, sizes and times of a file, or of the files below a folder. Two that are equal stand for the same content, as far as
/// can be told without reading it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stamp(Vec<(PathBuf, u64, Option<SystemTime>)>);

impl Stamp {
    /// Of the files below this folder, or of this file; empty if it cannot be read, or is not there any more.
    pub(crate) fn of(path: &Path) -> Self {
        let mut files = Vec::new();
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => {
                files.push((path.to_owned(), metadata.len(), metadata.modified().ok()));
                // What lies in the folder of a checkpoint's name belongs to it.
                collect(&path.with_extension(""), DEPTH, &mut files);
            }
            _ => collect(path, DEPTH, &mut files),
        }
        // The order in which a folder lists its files means nothing.
        files.sort();
        Self(files)
    }
}

fn collect(folder: &Path, depth: u32, files: &mut Vec<(PathBuf, u64, Option<SystemTime>)>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        // Links are followed: a model is often a folder of links into a cache.
        let Ok(metadata) = std::fs::metadata(&path) else { continue };
        if metadata.is_file() {
            files.push((path, metadata.len(), metadata.modified().ok()));
        } else if depth > 1 {
            collect(&path, depth - 1, files);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_the_same_until_a_file_in_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let part = folder.path().join("unet");
        std::fs::create_dir(&part).unwrap();
        std::fs::write(part.join("config.json"), "{}").unwrap();
        let before = Stamp::of(folder.path());
        assert_eq!(Stamp::of(folder.path()), before);
        std::fs::write(part.join("config.json"), "{ }").unwrap();
        assert_ne!(Stamp::of(folder.path()), before);
        std::fs::remove_dir_all(folder.path().join("unet")).unwrap();
        assert_eq!(Stamp::of(folder.path()), Stamp::default());
        assert_eq!(Stamp::of(Path::new("/nowhere/at/all")), Stamp::default());
    }

    #[test]
    fn a_file_is_the_same_until_it_or_what_lies_beside_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mine.safetensors");
        std::fs::write(&file, "one").unwrap();
        let before = Stamp::of(&file);
        std::fs::write(&file, "three").unwrap();
        let after = Stamp::of(&file);
        assert_ne!(after, before);
        std::fs::create_dir_all(folder.path().join("mine/vae")).unwrap();
        std::fs::write(folder.path().join("mine/vae/config.json"), "{}").unwrap();
        assert_ne!(Stamp::of(&file), after);
    }
}
