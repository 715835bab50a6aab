//! The folder of lists: a text file each, with an entry a line.
//!
//! A request names a list, and never a file: which files there are is found by looking through the folder, so no name
//! leads out of it.

use std::path::Path;

use types::prompt::{Wildcard, is_wildcard_name};
use types::request::check_prompt;

use super::watched::FileStamp;
use super::{MOST_BYTES, WILDCARDS};

/// How deep lists may lie in folders. Ends a walk through links that lead back.
const MAX_DEPTH: u32 = 8;
/// Most files that are looked at.
const MOST_FILES: usize = 10_000;
/// Most folders that are looked into.
const MOST_FOLDERS: u32 = 1_000;

/// The text files of the folder and of the folders in it, by path.
pub(super) fn files(folder: &Path) -> Vec<FileStamp> {
    let mut found = Vec::new();
    let mut n_folders_left = MOST_FOLDERS;
    collect(folder, MAX_DEPTH, &mut n_folders_left, &mut found);
    found.sort();
    found
}

fn collect(folder: &Path, depth: u32, n_folders_left: &mut u32, found: &mut Vec<FileStamp>) {
    let Some(left) = n_folders_left.checked_sub(1) else { return };
    *n_folders_left = left;
    // A folder that is not there has no lists.
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if found.len() >= MOST_FILES {
            return;
        }
        let path = entry.path();
        if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("txt")) {
            found.extend(FileStamp::of(&path));
        } else if depth > 1 && path.is_dir() {
            collect(&path, depth - 1, n_folders_left, found);
        }
    }
}

/// Reads the lists. What is of no use is said in the log and passed over.
pub(super) fn read(folder: &Path, files: &[FileStamp]) -> Vec<Wildcard> {
    if files.len() >= MOST_FILES {
        tracing::warn!(folder = WILDCARDS, "there are more than {MOST_FILES} lists, and some are left out");
    }
    let mut lists: Vec<Wildcard> = Vec::new();
    for FileStamp { path, n_bytes, .. } in files {
        let file = path.strip_prefix(folder).unwrap_or(path).display().to_string();
        let left_out = |reason: &str| tracing::warn!(file, "a list of words is left out: {reason}");
        let Some(name) = name_of(folder, path) else {
            left_out("its name is to be letters and digits, with single `-`, `_` or `.` between them");
            continue;
        };
        if *n_bytes > MOST_BYTES {
            left_out(&format!("it has {n_bytes} bytes; at most {MOST_BYTES} are allowed"));
            continue;
        }
        match std::fs::read(path) {
            Ok(bytes) => {
                let (entries, faults) = parse(&bytes);
                for (line, reason) in faults {
                    tracing::warn!(file, line, "a line of a list of words is left out: {reason}");
                }
                if entries.is_empty() {
                    left_out("it has no entries");
                } else {
                    lists.push(Wildcard { name, entries });
                }
            }
            Err(error) => left_out(&error.to_string()),
        }
    }
    lists
}

/// The name of a list: its path in the folder, without its ending.
fn name_of(folder: &Path, path: &Path) -> Option<String> {
    let parts = path.strip_prefix(folder).ok()?.with_extension("");
    let parts: Option<Vec<&str>> = parts.iter().map(std::ffi::OsStr::to_str).collect();
    Some(parts?.join("/")).filter(|name| is_wildcard_name(name))
}

/// The entries, and the lines that are none.
fn parse(bytes: &[u8]) -> (Vec<String>, Vec<(usize, String)>) {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let (mut entries, mut faults) = (Vec::new(), Vec::new());
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let entry = std::str::from_utf8(line).map_err(|_| "it is not written in UTF-8".to_owned());
        match entry.and_then(|entry| check_prompt("entry", entry).map_err(|error| error.message)) {
            Ok(entry) => entries.push(entry),
            Err(reason) => faults.push((index + 1, reason)),
        }
    }
    (entries, faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists(files_in_it: &[(&str, &str)]) -> Vec<(String, Vec<String>)> {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files_in_it {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let read = read(folder.path(), &files(folder.path()));
        read.into_iter().map(|list| (list.name, list.entries)).collect()
    }

    #[test]
    fn a_list_has_the_name_of_its_file_and_one_in_a_folder_that_of_the_folder_before_it() {
        let read = lists(&[
            ("size.txt", "small\nlarge\n"),
            ("animals/cat.TXT", "tabby"),
            ("animals/big/v1.5.txt", "whale"),
            ("notes.md", "not a list"),
            ("two words.txt", "no"),
            ("_draft.txt", "no"),
        ]);
        let names: Vec<&str> = read.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["animals/big/v1.5", "animals/cat", "size"]);
    }

    #[test]
    fn comments_and_blank_lines_are_no_entries() {
        let text = "\u{feff}# sizes\r\n small \r\n\r\n  # more\r\nvery large, {huge|vast}\r\n";
        assert_eq!(parse(text.as_bytes()), (vec!["small".into(), "very large, {huge|vast}".into()], vec![]));
        assert_eq!(lists(&[("empty.txt", "# nothing\n\n")]), []);
    }

    #[test]
    fn a_broken_line_is_passed_over_and_named() {
        let (entries, faults) = parse(b"one\n\xFF\ntwo\na\x07b\n");
        assert_eq!(entries, ["one", "two"]);
        let control = "the entry has the control character U+0007 at position 2; only text is allowed";
        assert_eq!(faults, [(2, "it is not written in UTF-8".to_owned()), (4, control.to_owned())]);
    }

    #[test]
    fn a_folder_that_is_not_there_has_no_lists() {
        assert_eq!(files(Path::new("/nowhere/at/all")), []);
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_back_end_and_links_to_lists_are_followed() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(elsewhere.path().join("size.txt"), "small").unwrap();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("again")).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("more")).unwrap();
        let found = files(folder.path());
        assert_eq!(found.len(), 7, "once for every turn that may be taken");
        assert!(read(folder.path(), &found).iter().any(|list| list.name == "more/size"));
        for name in ["a", "b", "c", "d", "e"] {
            std::os::unix::fs::symlink(folder.path(), folder.path().join(name)).unwrap();
        }
        assert!(files(folder.path()).len() <= 1_000, "not once for each of 6 to the power of 7 ways");
    }
}
