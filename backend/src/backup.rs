//! A copy of the data folder in one file, made while the site runs.
//!
//! The database is copied first, as it is at one moment, and then the files that the copy names: files are written before
//! their rows and never changed, so each of them is there, unless its picture was deleted since. Such a row is taken out of
//! the copy. The file is a tar archive: `pictures/…`, `uploads/…`, whatever else lies in the data folder, the database, and
//! at the end `SHA256SUMS`, which `sha256sum --check` reads too. What the site signs with is not in it.
//!
//! # Layout
//! * `archive`: the tar file and its sums
//! * `other_files`: what lies in the data folder beside what the database names
//! * `unfinished`: what is written until the back-up has its name

mod archive;
mod other_files;
mod unfinished;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use types::error::PublicError;

use crate::check::require_database;
use crate::data_folder::{DATABASE, DataFolder, PICTURES, UPLOADS};
use crate::files::thumbnail_file;
use crate::signing_secret::SIGNING;
use crate::store::Store;
use crate::{Error, Result, pictures};

use archive::Archive;
pub(crate) use archive::{HashingReader, SUMS};
use other_files::other_files;
use unfinished::Unfinished;

/// How many rows are read at once.
const PAGE: u64 = 200;

/// The folder of models, which are as large as all else together and can be had again.
pub(crate) const MODELS: &str = "models";

/// What a back-up holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BackedUp {
    /// Pictures.
    pub n_pictures: u64,
    /// Uploads.
    pub n_uploads: u64,
    /// Pictures and uploads that are not in it, as they were deleted while it was made.
    pub n_deleted: u64,
    /// Pictures and uploads that are not in it, as their files are not where they should be.
    pub n_lost: u64,
    /// How large it is.
    pub n_bytes: u64,
}

impl BackedUp {
    fn count_missing(&mut self, has_row: bool) {
        *(if has_row { &mut self.n_lost } else { &mut self.n_deleted }) += 1;
    }
}

/// Copies a data folder into a new tar file, whether a server works on it or not. Models are left out, and so is
/// `lost+found`.
///
/// # Errors
/// There is no database; there is something under the file's name already, or another back-up is being written to it; the disk
/// is full.
pub async fn back_up(data_dir: &Path, file: &Path) -> Result<BackedUp> {
    require_database(data_dir)?;
    check_target(file)?;
    let folder = DataFolder::beside(data_dir);
    // Under names of their own until all is done: a name never holds half a back-up.
    let (unfinished, archive) = Unfinished::beside(file)?;
    let archive = Archive::over(archive, &unfinished.archive);
    unfinished.make_database()?;
    let live = Store::look(&folder.database()).await?;
    live.copy_into(&unfinished.database).await?;
    // Brings the copy up to date, if the folder is one of an older version.
    let copy = Store::open(&unfinished.database).await?;
    // An older version kept it there.
    copy.forget_secret(SIGNING).await?;
    let (mut backed_up, archive) = add_files(&folder, &live, &copy, archive).await?;
    live.close().await?;
    // The files of what was deleted are not in the archive.
    copy.forget_all_deleted_files().await?;
    copy.close().await?;

    let (database, target) = (unfinished.database.clone(), file.to_owned());
    let left_out = [&unfinished.archive, &unfinished.database, &target].map(|path| path.canonicalize().ok());
    backed_up.n_bytes = blocking(move || {
        let mut archive = archive;
        for (name, path) in other_files(folder.path(), &left_out)? {
            match archive.add_file(&name, &path) {
                // Whoever edits a list leaves files that come and go; no picture is missing for them.
                Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
                    tracing::warn!(name, "a file is not in the back-up, as it was deleted meanwhile");
                }
                added => added?,
            }
        }
        archive.add_file(DATABASE, &database)?;
        archive.finish()
    })
    .await?;
    std::fs::rename(&unfinished.archive, file)
        .map_err(|source| Error::Io { what: format!("naming the back-up {}", file.display()), source })?;
    Ok(backed_up)
}

/// Adds the files that the copy of the database names, and takes the rows out of it whose files are gone. Rows go before
/// their files, so what has a row to this moment and no file has lost it.
async fn add_files(
    folder: &DataFolder,
    live: &Store,
    copy: &Store,
    mut archive: Archive,
) -> Result<(BackedUp, Archive)> {
    let mut backed_up = BackedUp::default();
    let mut last = i64::MIN;
    loop {
        let rows = copy.pictures_after(last, PAGE).await?;
        let Some(newest) = rows.last() else { break };
        last = newest.seq;
        let files = rows.iter().map(|row| row.file.clone()).collect();
        let are_there;
        (archive, are_there) = add_all(archive, folder.pictures(), PICTURES, files).await?;
        for (row, is_there) in rows.iter().zip(are_there) {
            if is_there {
                backed_up.n_pictures += 1;
            } else {
                copy.forget_picture(row.seq).await?;
                backed_up.count_missing(live.has_picture(row.seq).await?);
            }
        }
    }
    last = i64::MIN;
    loop {
        let rows = copy.uploads_after(last, PAGE).await?;
        let Some(newest) = rows.last() else { return Ok((backed_up, archive)) };
        last = newest.seq;
        let files = rows.iter().map(|row| row.file.clone()).collect();
        let are_there;
        (archive, are_there) = add_all(archive, folder.uploads(), UPLOADS, files).await?;
        for (row, is_there) in rows.iter().zip(are_there) {
            if is_there {
                backed_up.n_uploads += 1;
            } else {
                copy.drop_lost_upload(row).await?;
                backed_up.count_missing(live.has_upload(row.seq).await?);
            }
        }
    }
}

/// Adds these files, and a picture's thumbnail with it. Gives back which of them are there.
async fn add_all(
    mut archive: Archive,
    folder: PathBuf,
    place: &'static str,
    files: Vec<String>,
) -> Result<(Archive, Vec<bool>)> {
    blocking(move || {
        let mut are_there = Vec::with_capacity(files.len());
        for name in files {
            let bytes = match std::fs::read(folder.join(&name)) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    are_there.push(false);
                    continue;
                }
                Err(source) => return Err(Error::Io { what: format!("reading {place}/{name}"), source }),
            };
            archive.add_bytes(&format!("{place}/{name}"), &bytes)?;
            if place == PICTURES
                && let Some(thumbnail) = thumbnail_of(&folder, &name, &bytes)
            {
                archive.add_bytes(&format!("{place}/{}", thumbnail_file(&name)), &thumbnail)?;
            }
            are_there.push(true);
        }
        Ok((archive, are_there))
    })
    .await
}

/// A picture's thumbnail. One that is lost or cannot be read is made anew, and left out if the picture is damaged as well: a
/// check finds that.
fn thumbnail_of(folder: &Path, file: &str, png: &[u8]) -> Option<Vec<u8>> {
    std::fs::read(folder.join(thumbnail_file(file)))
        .ok()
        .or_else(|| pictures::thumbnail(&pictures::decode_png(png).ok()?).ok())
}

/// Refuses a name under which there is something, or whose folder is not there.
fn check_target(file: &Path) -> Result<(), PublicError> {
    let refuse = |sentence| Err(PublicError::invalid_field("file", sentence));
    if file.symlink_metadata().is_ok() {
        return refuse(format!("the back-up `{}` is there already; choose another name", file.display()));
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder.filter(|folder| !folder.is_dir()) {
        Some(folder) => refuse(format!("the folder `{}` is not there; make it first", folder.display())),
        None => Ok(()),
    }
}

/// Runs what reads and writes on a thread that may block.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|panic| Error::Broken(format!("a back-up ended early: {panic}")))?
}
