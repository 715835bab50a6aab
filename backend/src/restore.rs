//! A back-up's files back in a data folder, and a check of all of them.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::{Component, Path, PathBuf};

use tar::EntryType;
use types::error::PublicError;

use crate::backup::{HashingReader, MODELS, SUMS, blocking};
use crate::check::{Checked, Finding, check_own};
use crate::data_folder::{
    DATABASE, DataFolder, LOCK, LOST_AND_FOUND, SECRET, private_files, private_folders,
};
use crate::store::Store;
use crate::{Error, Result};

/// What may lie in a folder that counts as empty: what is in no back-up.
const MAY_BE_THERE: [&str; 4] = [LOCK, MODELS, LOST_AND_FOUND, SECRET];

/// Longest list of sums that is read: more than two million files.
const MAX_SUMS_BYTES: u64 = 1 << 28;

/// Writes the files of a back-up into an empty data folder, which is made if it is not there, and checks them: against the
/// sums in the back-up, and then as [`crate::check::check_folder`] does. `on_finding` is told what was out of order when the
/// back-up was made. The folder is as it was before if anything fails.
///
/// # Errors
/// The folder is not empty or in use; the file is no back-up, breaks off, or was changed; the disk is full.
pub async fn restore(
    file: &Path,
    data_dir: &Path,
    on_finding: &mut (dyn FnMut(&Finding) + Send),
) -> Result<Checked> {
    let archive = File::open(file).map_err(|source| {
        let sentence = format!("the back-up `{}` cannot be read: {source}", file.display());
        PublicError::invalid_field("file", sentence)
    })?;
    check_empty(data_dir)?;
    let folder = DataFolder::lock(data_dir)?;
    let shown = file.display().to_string();
    let target = folder.path().to_owned();
    let restored = blocking(move || unpack(archive, &target, &shown)).await;
    let checked = match restored {
        Ok(()) => check_restored(&folder, on_finding).await,
        Err(error) => Err(error),
    };
    if checked.is_err() {
        empty(folder.path());
    }
    checked
}

async fn check_restored(
    folder: &DataFolder,
    on_finding: &mut (dyn FnMut(&Finding) + Send),
) -> Result<Checked> {
    let store = Store::open(&folder.database()).await?;
    let checked = check_own(folder, &store, on_finding).await?;
    store.close().await?;
    Ok(checked)
}

/// Writes every file of the archive and compares its sum.
fn unpack(archive: File, folder: &Path, shown: &str) -> Result<()> {
    let refuse = |why: String| Error::from(PublicError::invalid_field("file", format!("`{shown}` {why}")));
    let unreadable = |error: std::io::Error| match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::StorageFull,
        _ => refuse(format!("is no back-up, or breaks off: {error}")),
    };
    let mut archive = tar::Archive::new(BufReader::new(archive));
    let mut sums = HashMap::new();
    let mut promised = None;
    for entry in archive.entries().map_err(unreadable)? {
        let mut entry = entry.map_err(unreadable)?;
        let name = entry.path().map_err(unreadable)?.into_owned();
        if promised.is_some() {
            return Err(refuse(format!("goes on after its end with `{}`", name.display())));
        }
        if entry.header().entry_type() != EntryType::Regular {
            return Err(refuse(format!("holds `{}`, which is no plain file", name.display())));
        }
        if name == Path::new(SUMS) {
            let mut text = String::new();
            entry.by_ref().take(MAX_SUMS_BYTES).read_to_string(&mut text).map_err(unreadable)?;
            promised = Some(text);
            continue;
        }
        let target = inside(folder, &name)
            .ok_or_else(|| refuse(format!("holds `{}`, which lies in no data folder", name.display())))?;
        let sum = write(&mut entry, &target).map_err(unreadable)?;
        sums.insert(name, sum);
    }
    let promised = promised.ok_or_else(|| refuse("breaks off before its end".to_owned()))?;
    for line in promised.lines() {
        let Some((sum, name)) = line.split_once("  ") else {
            return Err(refuse(format!("has the line `{line}` among its sums, which is none")));
        };
        if sums.remove(Path::new(name)).as_deref() != Some(sum) {
            return Err(refuse(format!("was changed or damaged: `{name}` is not what it was")));
        }
    }
    if let Some(name) = sums.keys().next() {
        return Err(refuse(format!("was changed: it holds `{}`, of which there is no sum", name.display())));
    }
    if !folder.join(DATABASE).is_file() {
        return Err(refuse("holds no database".to_owned()));
    }
    Ok(())
}

/// Where a file of that name belongs, if it belongs into a data folder.
fn inside(folder: &Path, name: &Path) -> Option<PathBuf> {
    let mut components = name.components();
    let is_plain = name.components().all(|component| matches!(component, Component::Normal(_)));
    let first = components.next()?.as_os_str();
    (is_plain && !may_be_there(first)).then(|| folder.join(name))
}

/// Writes a file for its owner alone, on the disk before anything names it, and gives back its sum.
fn write(content: &mut impl Read, target: &Path) -> std::io::Result<String> {
    if let Some(parent) = target.parent() {
        private_folders().recursive(true).create(parent)?;
    }
    let mut file = private_files().open(target)?;
    let mut content = HashingReader::new(content);
    std::io::copy(&mut content, &mut file)?;
    file.sync_all()?;
    Ok(content.sum())
}

/// Refuses a folder in which there is something.
fn check_empty(data_dir: &Path) -> Result<()> {
    let failed = |source| Error::Io { what: format!("looking into {}", data_dir.display()), source };
    let entries = match std::fs::read_dir(data_dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(failed)?,
    };
    let names = entries.map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<Vec<_>, _>>();
    let in_the_way = names.map_err(failed)?.into_iter().filter(|name| !may_be_there(name)).min();
    let Some(name) = in_the_way else { return Ok(()) };
    let sentence = format!(
        "the data folder `{}` is not empty: it holds `{}`; name an empty one with --data",
        data_dir.display(),
        name.display()
    );
    Err(PublicError::invalid_field("data", sentence).into())
}

/// Whether that is in no back-up, and so in no back-up's way.
fn may_be_there(name: &OsStr) -> bool {
    MAY_BE_THERE.iter().any(|kept| OsStr::new(kept) == name)
}

/// Deletes what was written into a folder that was empty.
fn empty(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if may_be_there(&entry.file_name()) {
            continue;
        }
        let path = entry.path();
        let deleted =
            if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        if let Err(error) = deleted {
            tracing::warn!(%error, path = %path.display(), "what was restored could not be deleted again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_in_a_back_up_leads_out_of_the_data_folder() {
        let folder = Path::new("/srv/data");
        for name in ["darkroom.sqlite3", "pictures/a/1-0.png", "wildcards/colour.txt"] {
            assert_eq!(inside(folder, Path::new(name)), Some(folder.join(name)));
        }
        for name in [
            "../data/x",
            "/etc/passwd",
            "pictures/../../x",
            "",
            "darkroom.lock",
            "darkroom.secret",
            "models/demo/x",
            "./x",
        ] {
            assert_eq!(inside(folder, Path::new(name)), None, "{name}");
        }
    }
}
