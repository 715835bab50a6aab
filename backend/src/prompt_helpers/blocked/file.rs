//! The list that holds now, whatever happens to the file.
//!
//! A list that was read stays until another one was read, so that a file that is being written, or that cannot be read for
//! a while, does not let everything through.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::super::watched::FileStamp;
use super::super::{BLOCKED_WORDS, MOST_BYTES};
use super::{BlockedWords, Fault};

/// There is a file, and no list was ever read from it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the file {BLOCKED_WORDS} {0}")]
pub struct Unread(String);

/// The file of words that are not painted, and what was last read from it.
#[derive(Debug)]
pub(in super::super) struct BlockedFile {
    path: PathBuf,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// The file that the list was read from; nothing where there is none.
    stamp: Option<FileStamp>,
    /// The last list that was whole; nothing once its file was gone.
    list: Option<Arc<BlockedWords>>,
    /// What was last said to be wrong with the file, so that it is said once.
    complaint: Option<String>,
}

impl BlockedFile {
    pub(in super::super) fn new(path: PathBuf) -> Self {
        Self { path, known: Mutex::default() }
    }

    /// The list that holds: that of the file as it is now, or the last that was whole. An empty one where there is no file.
    ///
    /// # Errors
    /// There is a file, and no list was ever read from it.
    pub(in super::super) fn get(&self) -> Result<Arc<BlockedWords>, Unread> {
        // A panic while reading leaves what was read before.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let read = stamp(&self.path).and_then(|stamp| {
            if let Some(list) = known.list.as_ref().filter(|_| known.stamp == stamp) {
                return Ok((Arc::clone(list), stamp));
            }
            let list = match &stamp {
                Some(stamp) => Arc::new(read(stamp, known.list.as_deref())?),
                None => Arc::default(),
            };
            Ok((list, stamp))
        });
        match read {
            Ok((list, stamp)) => {
                if known.complaint.take().is_some() {
                    tracing::info!(file = BLOCKED_WORDS, "the blocked words were read again");
                }
                if stamp.is_none() && known.stamp.is_some() {
                    tracing::warn!(file = BLOCKED_WORDS, "the file is gone, so nothing is blocked any more");
                }
                // That there was no file says nothing of one that is put there later.
                known.list = stamp.is_some().then(|| Arc::clone(&list));
                known.stamp = stamp;
                Ok(list)
            }
            Err(problem) => {
                let kept = known.list.clone();
                if known.complaint.as_ref() != Some(&problem) {
                    let meanwhile = match kept {
                        Some(_) => "those that were read before are blocked",
                        None => "no job is taken",
                    };
                    tracing::error!(
                        file = BLOCKED_WORDS,
                        "the blocked words cannot be read, and {meanwhile} until they can: the file {problem}"
                    );
                }
                known.complaint = Some(problem.clone());
                kept.ok_or(Unread(problem))
            }
        }
    }
}

/// The stamp of the file; nothing if there is none.
fn stamp(path: &Path) -> Result<Option<FileStamp>, String> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(Some(FileStamp::new(path, &metadata))),
        Ok(_) => Err("is no file".to_owned()),
        // A link that leads nowhere was meant to lead to a list.
        Err(error) if error.kind() == ErrorKind::NotFound && path.symlink_metadata().is_err() => Ok(None),
        Err(error) => Err(format!("cannot be opened: {error}")),
    }
}

/// Reads the file. Lines that are of no use are named in the log and passed over.
fn read(stamp: &FileStamp, before: Option<&BlockedWords>) -> Result<BlockedWords, String> {
    if stamp.n_bytes > MOST_BYTES {
        return Err(format!("has {} bytes; at most {MOST_BYTES} are allowed", stamp.n_bytes));
    }
    let bytes = std::fs::read(&stamp.path).map_err(|error| format!("cannot be read: {error}"))?;
    // What an editor leaves for a moment before it writes the list anew.
    if bytes.is_empty() && before.is_some_and(|before| !before.is_empty()) {
        return Err("is empty; delete it, or write a line `#`, if nothing is to be blocked".to_owned());
    }
    let (list, faults) = BlockedWords::parse(&bytes);
    for Fault { line, reason } in faults {
        tracing::warn!(file = BLOCKED_WORDS, line, "a line of the blocked words is left out: {reason}");
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> (BlockedFile, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        (BlockedFile::new(folder.path().join(BLOCKED_WORDS)), folder)
    }

    /// Nothing if nobody knows.
    fn blocks_knives(file: &BlockedFile) -> Option<bool> {
        file.get().ok().map(|list| list.line_against("a knife").is_some())
    }

    fn too_large() -> String {
        "#".repeat(usize::try_from(MOST_BYTES).unwrap() + 1)
    }

    #[test]
    fn the_last_whole_list_stays_while_the_file_cannot_be_read() {
        let (file, _folder) = file();
        std::fs::write(&file.path, "knife").unwrap();
        assert_eq!(blocks_knives(&file), Some(true));
        std::fs::write(&file.path, "").unwrap();
        assert_eq!(blocks_knives(&file), Some(true), "an editor has emptied it");
        std::fs::write(&file.path, too_large()).unwrap();
        assert_eq!(blocks_knives(&file), Some(true), "it is too large");
        std::fs::remove_file(&file.path).unwrap();
        std::fs::create_dir(&file.path).unwrap();
        assert_eq!(blocks_knives(&file), Some(true), "it is a folder");
        std::fs::remove_dir(&file.path).unwrap();
        std::fs::write(&file.path, "sword").unwrap();
        assert_eq!(blocks_knives(&file), Some(false), "it was written anew");
    }

    #[test]
    fn a_file_that_was_never_read_is_told_from_none_and_is_tried_again() {
        let (file, _folder) = file();
        assert_eq!(blocks_knives(&file), Some(false), "there is no file");
        std::fs::write(&file.path, too_large()).unwrap();
        let sentence = "the file blocked-words.txt has 4194305 bytes; at most 4194304 are allowed";
        assert_eq!(file.get().unwrap_err().to_string(), sentence);
        std::fs::write(&file.path, "knife").unwrap();
        assert_eq!(blocks_knives(&file), Some(true));
        std::fs::remove_file(&file.path).unwrap();
        assert_eq!(blocks_knives(&file), Some(false), "it was deleted");
        std::fs::create_dir(&file.path).unwrap();
        assert_eq!(blocks_knives(&file), None, "what was deleted holds no more, and nobody knows what does");
    }

    #[test]
    fn a_file_without_lines_blocks_nothing_from_the_start_and_a_comment_says_so_later() {
        let (file, _folder) = file();
        std::fs::write(&file.path, "").unwrap();
        assert_eq!(blocks_knives(&file), Some(false));
        std::fs::write(&file.path, "knife").unwrap();
        assert_eq!(blocks_knives(&file), Some(true));
        std::fs::write(&file.path, "#").unwrap();
        assert_eq!(blocks_knives(&file), Some(false));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_nowhere_is_no_missing_file() {
        let (file, folder) = file();
        std::os::unix::fs::symlink(folder.path().join("list"), &file.path).unwrap();
        assert!(
            file.get().unwrap_err().to_string().starts_with("the file blocked-words.txt cannot be opened: ")
        );
        std::fs::write(folder.path().join("list"), "knife").unwrap();
        assert_eq!(blocks_knives(&file), Some(true));
    }
}
