//! What was read from files, for as long as they are as they were.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// A file as it can be told from another without reading it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileStamp {
    /// Where it lies.
    pub(super) path: PathBuf,
    /// Its size in bytes.
    pub(super) n_bytes: u64,
    modified: Option<SystemTime>,
}

impl FileStamp {
    /// Of the file that a path leads to, through links; nothing if that is no file.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok().filter(Metadata::is_file)?;
        Some(Self::new(path, &metadata))
    }

    /// Of the file of which that is known.
    pub(super) fn new(path: &Path, metadata: &Metadata) -> Self {
        Self { path: path.to_owned(), n_bytes: metadata.len(), modified: metadata.modified().ok() }
    }
}

/// The stamp of one file, if it is there.
pub(super) fn file(path: &Path) -> Vec<FileStamp> {
    FileStamp::of(path).into_iter().collect()
}

/// What was read last, and from what.
pub(super) struct Watched<T>(Mutex<Option<(Vec<FileStamp>, Arc<T>)>>);

impl<T> Default for Watched<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Watched<T> {
    /// What is in these files: what was read before, if they are as they were then.
    pub(super) fn get(&self, files: Vec<FileStamp>, read: impl FnOnce(&[FileStamp]) -> T) -> Arc<T> {
        // A panic while reading leaves what was read before.
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, content)) = last.as_ref().filter(|(before, _)| *before == files) {
            return Arc::clone(content);
        }
        let content = Arc::new(read(&files));
        *last = Some((files, Arc::clone(&content)));
        content
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_once_until_they_change() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.txt");
        let watched = Watched::default();
        let mut n_reads = 0;
        let mut look = || {
            watched.get(file(&path), |files| {
                n_reads += 1;
                (n_reads, files.len())
            })
        };
        assert_eq!(*look(), (1, 0), "a file that is not there is fine");
        assert_eq!(*look(), (1, 0));
        std::fs::write(&path, "one").unwrap();
        assert_eq!(*look(), (2, 1));
        assert_eq!(*look(), (2, 1));
        std::fs::write(&path, "three").unwrap();
        assert_eq!(*look(), (3, 1));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(*look(), (4, 0));
    }
}
