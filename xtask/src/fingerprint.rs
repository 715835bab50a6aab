//! Skips work whose inputs are what they were the last time.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::paths;

/// Does `work` unless it was done before with the same inputs and its output is still there.
///
/// `name` tells one piece of work from another. `inputs` are files and folders, read in full: times of change
/// lie after a checkout.
///
/// # Errors
/// An input cannot be read, or `work` fails.
pub fn unless_unchanged(
    name: &str,
    inputs: &[PathBuf],
    output: &Path,
    work: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let seen_file = paths::target().join("xtask").join(name);
    let now = format!("{:016x}", fingerprint(inputs)?);
    if output.exists() && fs::read_to_string(&seen_file).is_ok_and(|seen| seen == now) {
        println!("  {name}: nothing has changed");
        return Ok(());
    }
    work()?;
    fs::create_dir_all(seen_file.parent().context("the file has a folder")?)?;
    fs::write(seen_file, now)?;
    Ok(())
}

/// One number for the names and contents of all these files.
fn fingerprint(inputs: &[PathBuf]) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    for input in inputs {
        for file in files_below(input)? {
            file.strip_prefix(input)?.hash(&mut hasher);
            fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?.hash(&mut hasher);
        }
    }
    Ok(hasher.finish())
}

/// Every file in a folder and the folders in it, in a fixed order; a file stands for itself, and what does
/// not exist for nothing.
///
/// # Errors
/// A folder cannot be read.
pub fn files_below(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_path_buf()]);
    }
    if !path.exists() {
        return Ok(Vec::new());
    }
    let mut entries = fs::read_dir(path)
        .with_context(|| format!("cannot read {}", path.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    entries.sort();
    let mut files = Vec::new();
    for entry in entries {
        files.extend(files_below(&entry)?);
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_changes_with_a_files_content_and_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let inputs = [folder.path().to_path_buf()];
        fs::write(folder.path().join("a"), "one").unwrap();
        let first = fingerprint(&inputs).unwrap();
        assert_eq!(fingerprint(&inputs).unwrap(), first);

        fs::write(folder.path().join("a"), "two").unwrap();
        let second = fingerprint(&inputs).unwrap();
        assert_ne!(second, first);

        fs::rename(folder.path().join("a"), folder.path().join("b")).unwrap();
        assert_ne!(fingerprint(&inputs).unwrap(), second);
    }
}
