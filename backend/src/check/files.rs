//! From the files to their rows.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::mend::delete;
use super::{Check, Fault, in_pictures, in_uploads};
use crate::data_folder::{PICTURES, UPLOADS};
use crate::files::{finished_name, job_of, picture_file_of};
use crate::store::Store;
use crate::uploads::id_of;
use crate::{Error, Result};

/// How many files are looked up in the database at once.
const CHUNK: usize = 500;

/// Where a server may be at work, a file that was written within this time may get its row yet.
const YOUNG: Duration = Duration::from_mins(1);

/// Where a server may be at work, a file whose row is gone is about to be deleted. Nobody tells another program when, so it is
/// looked for again after this time,
const PAUSE: Duration = Duration::from_millis(100);

/// and so often at most.
const LOOKS: u32 = 20;

/// One of the two folders of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Pictures,
    Uploads,
}

/// A file whose name is one of ours.
#[derive(Debug, Clone)]
struct Found {
    /// From the place on, with `/`.
    name: String,
    path: PathBuf,
    /// Whether its name says that it was being written.
    is_unfinished: bool,
}

impl Place {
    /// Whether this program gives such names there. What others put there is left alone.
    fn is_ours(self, name: &str) -> bool {
        match self {
            Self::Pictures => job_of(name).is_some(),
            Self::Uploads => id_of(name).is_some(),
        }
    }

    /// Those of these files that a row names.
    async fn in_use(self, store: &Store, names: &[String]) -> Result<HashSet<String>> {
        match self {
            Self::Uploads => store.uploads_in_use(names).await,
            Self::Pictures => {
                let used = store.files_in_use(&pictures_of(names)).await?;
                Ok(names.iter().filter(|name| used.contains(&picture_file_of(name))).cloned().collect())
            }
        }
    }

    /// Those of these files that were to be deleted with their rows.
    async fn deleted(self, store: &Store, files: &[Found]) -> Result<HashSet<String>> {
        let mut all = HashSet::new();
        for chunk in files.chunks(CHUNK) {
            let names: Vec<_> = chunk.iter().map(|file| file.name.clone()).collect();
            match self {
                Self::Uploads => all.extend(store.deleted_among(UPLOADS, &names).await?),
                Self::Pictures => {
                    let deleted = store.deleted_among(PICTURES, &pictures_of(&names)).await?;
                    all.extend(names.into_iter().filter(|name| deleted.contains(&picture_file_of(name))));
                }
            }
        }
        Ok(all)
    }
}

impl Check<'_> {
    /// Looks for files that no row names.
    pub(super) async fn files(&mut self) -> Result<()> {
        let folders = [(Place::Pictures, self.folder.pictures()), (Place::Uploads, self.folder.uploads())];
        for (place, folder) in folders {
            let youngest = if self.folder.is_alone() { None } else { Some(YOUNG) };
            let found = tokio::task::spawn_blocking(move || walk(place, &folder, youngest))
                .await
                .map_err(|panic| Error::Broken(format!("looking for files ended early: {panic}")))?
                .map_err(|source| Error::Io { what: "looking for files".to_owned(), source })?;
            let mut orphans = without_row(self.store, place, found).await?;
            if !self.folder.is_alone() {
                orphans = settled(self.store, place, orphans).await?;
            }
            let deleted = place.deleted(self.store, &orphans).await?;
            for orphan in orphans {
                let fault = if orphan.is_unfinished {
                    Fault::Unfinished
                } else if deleted.contains(&orphan.name) {
                    Fault::NotDeleted
                } else {
                    Fault::NoRow
                };
                let what = match place {
                    Place::Pictures => in_pictures(&orphan.name),
                    Place::Uploads => in_uploads(&orphan.name),
                };
                let mended = match (self.mend, &fault) {
                    (false, _) => None,
                    (true, Fault::NoRow) => Some(self.move_away(&what)?),
                    (true, _) => Some(delete(&orphan.path)?),
                };
                self.tell(what, fault, mended);
            }
        }
        Ok(())
    }
}

/// The PNGs that these files belong to, each once.
fn pictures_of(names: &[String]) -> Vec<String> {
    let pictures: HashSet<_> = names.iter().map(|name| picture_file_of(name)).collect();
    pictures.into_iter().collect()
}

/// Those of these files that no row names.
async fn without_row(store: &Store, place: Place, found: Vec<Found>) -> Result<Vec<Found>> {
    let mut orphans = Vec::new();
    for chunk in found.chunks(CHUNK) {
        let names: Vec<_> =
            chunk.iter().filter(|file| !file.is_unfinished).map(|file| file.name.clone()).collect();
        let used = place.in_use(store, &names).await?;
        orphans.extend(chunk.iter().filter(|file| file.is_unfinished || !used.contains(&file.name)).cloned());
    }
    Ok(orphans)
}

/// Those of these files that are still there, and still without a row, after another program had time to end what it does.
async fn settled(store: &Store, place: Place, mut orphans: Vec<Found>) -> Result<Vec<Found>> {
    for _ in 0..LOOKS {
        if orphans.is_empty() {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        orphans.retain(|orphan| orphan.path.exists());
        orphans = without_row(store, place, orphans).await?;
    }
    Ok(orphans)
}

/// The files of ours in a folder and in the folders in it, sorted by name; without those that are younger than that.
fn walk(place: Place, folder: &Path, youngest: Option<Duration>) -> std::io::Result<Vec<Found>> {
    let mut found = Vec::new();
    let mut names: Vec<(String, PathBuf)> = Vec::new();
    for (name, path) in entries(folder)? {
        if path.is_dir() {
            names.extend(entries(&path)?.into_iter().map(|(inner, path)| (format!("{name}/{inner}"), path)));
        } else {
            names.push((name, path));
        }
    }
    names.sort();
    for (name, path) in names {
        let finished = finished_name(&name);
        if !place.is_ours(finished.unwrap_or(&name)) || is_young(&path, youngest)? {
            continue;
        }
        let is_unfinished = finished.is_some();
        found.push(Found { name, path, is_unfinished });
    }
    Ok(found)
}

/// The names in a folder; none if the folder is not there any more.
fn entries(folder: &Path) -> std::io::Result<Vec<(String, PathBuf)>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    entries.map(|entry| entry.map(|entry| (entry.file_name().display().to_string(), entry.path()))).collect()
}

/// Whether a file was written within that time, or by a clock that was ahead. One that is gone is judged no more.
fn is_young(file: &Path, youngest: Option<Duration>) -> std::io::Result<bool> {
    let Some(youngest) = youngest else { return Ok(false) };
    let written = match std::fs::metadata(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
        metadata => metadata?.modified()?,
    };
    Ok(SystemTime::now().duration_since(written).map_or(true, |age| age < youngest))
}
