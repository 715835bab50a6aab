//! Checkpoints by the hashes that other programs write beside their names.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::Stamp;
use crate::background;
use crate::hexadecimal::hexadecimal;

/// Digits of the hash of old, which is of a small part of the file.
const OLD_DIGITS: usize = 8;

/// That part: 64 KiB from the second MiB on.
const OLD_PART: (u64, u64) = (0x10_0000, 0x1_0000);

/// How much of a file is read at once, in bytes.
const PIECE: usize = 1 << 20;

/// A checkpoint's file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HashedFile {
    /// The model's name.
    pub(crate) model: String,
    pub(crate) path: PathBuf,
    pub(crate) stamp: Stamp,
}

/// SHA-256 of files, each summed once for as long as it is the same.
#[derive(Debug, Default)]
pub(crate) struct Hashes {
    known: Mutex<HashMap<PathBuf, (Stamp, String)>>,
    is_summing: AtomicBool,
}

impl Hashes {
    /// The model whose file has this hash, or one that begins so: ten digits of SHA-256 are usual, and eight of a part of
    /// it were before.
    ///
    /// Summing a file takes seconds for each gigabyte, so nobody waits for it: files that were not summed yet
    /// are from now on, on a thread of low priority, and are found by the next who asks.
    pub(crate) fn find(self: &Arc<Self>, hash: &str, files: Vec<HashedFile>) -> Option<String> {
        let hash = hash.trim().trim_start_matches("0x").to_ascii_lowercase();
        if hash.len() < OLD_DIGITS || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        if hash.len() == OLD_DIGITS {
            let is_it = |file: &&HashedFile| old_hash(&file.path).is_some_and(|known| known == hash);
            return files.iter().find(is_it).map(|file| file.model.clone());
        }
        let found = files.iter().find(|file| self.known(file).is_some_and(|known| known.starts_with(&hash)));
        if let Some(file) = found {
            return Some(file.model.clone());
        }
        let unknown: Vec<_> = files.into_iter().filter(|file| self.known(file).is_none()).collect();
        if !unknown.is_empty() && !self.is_summing.swap(true, Ordering::AcqRel) {
            let own = Arc::clone(self);
            let begun = background::compute(move || own.sum(unknown));
            if let Err(error) = begun {
                tracing::warn!(%error, "checkpoints are not found by their hashes");
                self.is_summing.store(false, Ordering::Release);
            }
        }
        None
    }

    /// Sums files, one after the other.
    fn sum(&self, files: Vec<HashedFile>) {
        for HashedFile { path, stamp, .. } in files {
            // One that cannot be read is found by no hash.
            if let Ok(hash) = sha256(&path) {
                self.lock().insert(path, (stamp, hash));
            }
        }
        self.is_summing.store(false, Ordering::Release);
    }

    fn known(&self, file: &HashedFile) -> Option<String> {
        let known = self.lock();
        known.get(&file.path).filter(|(stamp, _)| *stamp == file.stamp).map(|(_, hash)| hash.clone())
    }

    /// A panic elsewhere leaves nothing half done here.
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, (Stamp, String)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sha256(path: &Path) -> std::io::Result<String> {
    let (mut file, mut sum, mut piece) = (File::open(path)?, Sha256::new(), vec![0; PIECE]);
    loop {
        let n = file.read(&mut piece)?;
        if n == 0 {
            return Ok(hexadecimal(&sum.finalize()));
        }
        sum.update(&piece[..n]);
    }
}

fn old_hash(path: &Path) -> Option<String> {
    let (start, length) = OLD_PART;
    let mut file = File::open(path).ok()?;
    file.seek(SeekFrom::Start(start)).ok()?;
    let mut part = Vec::new();
    file.take(length).read_to_end(&mut part).ok()?;
    let mut digits = hexadecimal(&Sha256::digest(&part));
    digits.truncate(OLD_DIGITS);
    Some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path) -> Vec<HashedFile> {
        ["boat", "sea"]
            .into_iter()
            .map(|name| {
                let path = folder.join(format!("{name}.safetensors"));
                HashedFile { model: name.to_owned(), stamp: Stamp::of(&path), path }
            })
            .collect()
    }

    fn write(folder: &Path) {
        std::fs::write(folder.join("boat.safetensors"), vec![1; 0x11_0000]).unwrap();
        std::fs::write(folder.join("sea.safetensors"), vec![2; 0x11_0000]).unwrap();
    }

    #[test]
    fn a_file_that_was_summed_is_found_by_the_beginning_of_its_hash_until_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path());
        let hashes = Arc::new(Hashes::default());
        hashes.sum(files(folder.path()));
        // `head -c 1114112 /dev/zero | tr '\0' '\2' | sha256sum`
        let sea = "cfdda65c3ddd441e74495d7c34597b5ff0bd0dbb2d4272edb6ced892bea8f9f7";
        assert_eq!(hashes.find(&sea[..10], files(folder.path())).as_deref(), Some("sea"));
        assert_eq!(hashes.find(&sea.to_uppercase(), files(folder.path())).as_deref(), Some("sea"));
        std::fs::write(folder.path().join("sea.safetensors"), "another").unwrap();
        let changed = files(folder.path());
        assert_eq!(hashes.known(&changed[1]), None);
    }

    #[test]
    fn the_first_who_asks_has_the_files_summed_for_the_next() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path());
        let hashes = Arc::new(Hashes::default());
        assert_eq!(
            hashes.find(
                "cfdda65c3ddd441e74495d7c34597b5ff0bd0dbb2d4272edb6ced892bea8f9f7",
                files(folder.path())
            ),
            None
        );
        while hashes.is_summing.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        assert_eq!(
            hashes
                .find(
                    "cfdda65c3ddd441e74495d7c34597b5ff0bd0dbb2d4272edb6ced892bea8f9f7",
                    files(folder.path())
                )
                .as_deref(),
            Some("sea")
        );
    }

    #[test]
    fn the_hash_of_old_is_of_a_part_of_the_file_and_is_known_at_once() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path());
        let hashes = Arc::new(Hashes::default());
        assert_eq!(hashes.find("916b1448", files(folder.path())).as_deref(), Some("boat"));
    }

    #[test]
    fn what_is_no_hash_finds_nothing_and_sums_nothing() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path());
        let hashes = Arc::new(Hashes::default());
        for hash in ["", "12ab", "not a hash at all", "ca5befc09z"] {
            assert_eq!(hashes.find(hash, files(folder.path())), None, "{hash}");
        }
        assert!(!hashes.is_summing.load(Ordering::Acquire));
    }
}
