//! What is written until a back-up has its name, and what is left of back-ups that were killed.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use types::error::PublicError;

use crate::data_folder::private_files;
use crate::{Error, Result};

/// What an archive is called until it is whole: its name and this. Whoever writes it holds its lock.
const ARCHIVE: &str = ".part";

/// What the copy of the database is called meanwhile.
const DATABASE: &str = ".database.part";

/// What SQLite writes beside a database.
const BESIDE_DATABASE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The two files that are written until a back-up has its name. Deleted when it is dropped, for whatever reason.
pub(super) struct Unfinished {
    pub(super) archive: PathBuf,
    pub(super) database: PathBuf,
}

impl Unfinished {
    /// Those of a back-up to that file, of which the archive is there, empty and locked.
    ///
    /// # Errors
    /// Another program writes them, or perhaps does; the archive cannot be made.
    pub(super) fn beside(file: &Path) -> Result<(Self, File)> {
        delete_leftovers(file);
        let (archive, database) = (with(file, ARCHIVE), with(file, DATABASE));
        let another = || {
            let sentence = format!(
                "another back-up is being written to `{}`; wait for it, or choose another name",
                file.display()
            );
            Error::from(PublicError::invalid_field("file", sentence))
        };
        match writer_of(&archive) {
            Writer::Gone => {}
            Writer::Alive => return Err(another()),
            Writer::Unknown => {
                let sentence = format!(
                    "perhaps another back-up is being written to `{}`; if none is, delete `{}`",
                    file.display(),
                    archive.display()
                );
                return Err(PublicError::invalid_field("file", sentence).into());
            }
        }
        delete(&archive, &database);
        // Whoever makes it is the one who writes, and who deletes it in the end.
        let made = private_files().open(&archive).map_err(|source| match source.kind() {
            ErrorKind::AlreadyExists => another(),
            _ => Error::Io { what: format!("making {}", archive.display()), source },
        })?;
        // It is new, so nobody holds it; where there are no locks, nobody asks either.
        let _ = made.try_lock();
        Ok((Self { archive, database }, made))
    }

    /// Makes the file into which the database is copied. Nobody else may read it: SQLite leaves its rights as they are, and
    /// gives them to what it writes beside it.
    pub(super) fn make_database(&self) -> Result<()> {
        private_files()
            .open(&self.database)
            .map(drop)
            .map_err(|source| Error::Io { what: format!("making {}", self.database.display()), source })
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        delete(&self.archive, &self.database);
    }
}

/// Deletes what killed back-ups left in the folder of this one, whatever they were to be called: they are often named after
/// the day, so the next one seldom has the same name.
fn delete_leftovers(file: &Path) {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Whoever may not look into the folder may still write into it.
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(stem) = name.to_str().and_then(|name| name.strip_suffix(DATABASE)) else { continue };
        let (archive, database) = (folder.join(format!("{stem}{ARCHIVE}")), entry.path());
        if let Writer::Gone = writer_of(&archive) {
            delete(&archive, &database);
        }
    }
}

/// Whoever writes an archive.
enum Writer {
    Gone,
    Alive,
    /// The file system has no locks, or the file is somebody else's.
    Unknown,
}

fn writer_of(archive: &Path) -> Writer {
    match File::open(archive) {
        Err(error) if error.kind() == ErrorKind::NotFound => Writer::Gone,
        Err(_) => Writer::Unknown,
        Ok(file) => match file.try_lock() {
            Ok(()) => Writer::Gone,
            Err(TryLockError::WouldBlock) => Writer::Alive,
            Err(TryLockError::Error(_)) => Writer::Unknown,
        },
    }
}

fn delete(archive: &Path, database: &Path) {
    let beside = BESIDE_DATABASE.map(|ending| with(database, ending));
    for file in [archive, database].into_iter().chain(beside.iter().map(PathBuf::as_path)) {
        // Most of them are not there.
        let _ = std::fs::remove_file(file);
    }
}

fn with(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::store::Store;

    #[tokio::test]
    async fn the_copy_of_the_database_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("database")).await.unwrap();
        let (unfinished, _archive) = Unfinished::beside(&folder.path().join("backup.tar")).unwrap();
        unfinished.make_database().unwrap();
        store.copy_into(&unfinished.database).await.unwrap();
        let copy = std::fs::metadata(&unfinished.database).unwrap();
        assert_eq!(copy.permissions().mode() & 0o777, 0o600);
        assert!(copy.len() > 0);
    }

    #[test]
    fn of_two_who_write_to_one_name_the_second_is_refused_and_takes_nothing_from_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("backup.tar");
        let (first, _archive) = Unfinished::beside(&file).unwrap();
        first.make_database().unwrap();
        let refused = Unfinished::beside(&file).err().unwrap().to_string();
        assert!(refused.starts_with("another back-up is being written to"), "{refused}");
        assert!(first.archive.exists() && first.database.exists());
    }
}
