//! Where a download lies until it is whole.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::hub::{Sibling, hexadecimal};

/// What is downloaded, told apart from everything else that may be downloaded to the same place: files of another
/// commit or another variant must not be joined with those that an earlier try left behind.
pub struct Download {
    /// Two that are equal fetch the same bytes. Sixteen hexadecimal digits.
    key: String,
}

impl Download {
    /// Files of one commit.
    pub fn of(repository: &str, commit: &str, files: &[Sibling]) -> Self {
        let mut sum = Sha256::new();
        for text in [repository, commit].into_iter().chain(files.iter().map(|file| file.path.as_str())) {
            // No name has a zero in it, so the names cannot run into each other.
            sum.update(text);
            sum.update([0]);
        }
        Self { key: hexadecimal(&sum.finalize()[..8]) }
    }

    /// Where it lies beside its target, left out by whoever looks at the models folder. What tries of other downloads to
    /// the same target left behind is deleted.
    ///
    /// # Errors
    /// That cannot be deleted.
    pub fn place(&self, target: &Path) -> std::io::Result<PathBuf> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let place = target.with_file_name(format!(".{name}.{}.part", self.key));
        for entry in std::fs::read_dir(target.parent().unwrap_or(Path::new("")))? {
            let path = entry?.path();
            let is_of_this_target =
                path.file_name().is_some_and(|file| is_left_of(&file.to_string_lossy(), &name));
            if !is_of_this_target || path == place {
                continue;
            }
            if path.is_dir() {
                std::fs::remove_dir_all(&path)?;
            } else {
                std::fs::remove_file(&path)?;
            }
        }
        Ok(place)
    }
}

/// Whether a file's name is `.TARGET.KEY.part`.
fn is_left_of(file: &str, target: &str) -> bool {
    let key = file
        .strip_prefix('.')
        .and_then(|rest| rest.strip_prefix(target)?.strip_prefix('.')?.strip_suffix(".part"));
    key.is_some_and(|key| key.len() == 16 && key.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn download(commit: &str, files: &[&str]) -> Download {
        let file = |path: &&str| serde_json::from_value(serde_json::json!({ "rfilename": path })).unwrap();
        Download::of("somebody/small", commit, &files.iter().map(file).collect::<Vec<Sibling>>())
    }

    #[test]
    fn downloads_of_other_commits_and_other_files_lie_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let place = |download: Download| download.place(&folder.path().join("small")).unwrap();
        let first = place(download("c0ffee", &["a", "bc"]));
        assert_eq!(place(download("c0ffee", &["a", "bc"])), first);
        for other in [download("decaf", &["a", "bc"]), download("c0ffee", &["ab", "c"])] {
            assert_ne!(place(other), first);
        }
    }

    #[test]
    fn what_other_downloads_to_the_same_target_left_is_deleted_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let wanted = download("c0ffee", &["a"]);
        let mine = wanted.place(&at("small")).unwrap();
        std::fs::create_dir(&mine).unwrap();
        std::fs::create_dir(at(".small.0123456789abcdef.part")).unwrap();
        let kept =
            ["smaller", ".smaller.0123456789abcdef.part", ".small.part", "small.0123456789abcdef.part"];
        for name in kept {
            std::fs::write(at(name), "").unwrap();
        }
        assert_eq!(wanted.place(&at("small")).unwrap(), mine);
        assert!(mine.exists() && kept.iter().all(|name| at(name).exists()));
        assert!(!at(".small.0123456789abcdef.part").exists());
    }
}
