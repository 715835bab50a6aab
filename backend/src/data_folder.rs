//! The folder that holds everything, and the lock that keeps it to one program.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::files::Files;
use crate::store::BUSY_TIMEOUT;
use crate::{Error, Result};

/// The file whose lock keeps a data folder to one program.
pub(crate) const LOCK: &str = "darkroom.lock";
/// The database's file, in the data folder.
pub(crate) const DATABASE: &str = "darkroom.sqlite3";
/// The pictures' folder, in the data folder.
pub(crate) const PICTURES: &str = "pictures";
/// The folder of what visitors sent, in the data folder.
pub(crate) const UPLOADS: &str = "uploads";
/// Where files are moved that belong to nothing, in the data folder.
pub(crate) const LOST_AND_FOUND: &str = "lost+found";

/// Where a program keeps everything.
pub(crate) struct Storage {
    pub(crate) folder: DataFolder,
    pub(crate) pictures: Files,
    pub(crate) uploads: Files,
    /// How long a statement waits for another program's transaction.
    pub(crate) busy_timeout: Duration,
}

impl Storage {
    /// All of it in the folder, as is usual.
    pub(crate) fn in_folder(folder: DataFolder) -> Result<Self> {
        let pictures = Files::in_folder(&folder.pictures())?;
        let uploads = Files::in_folder(&folder.uploads())?;
        Ok(Self { folder, pictures, uploads, busy_timeout: BUSY_TIMEOUT })
    }
}

/// A data folder. One that is locked is this program's alone, until it is dropped or the program dies.
///
/// Two programs on one folder would take each other's running jobs for ones that were left behind.
pub(crate) struct DataFolder {
    path: PathBuf,
    _lock: Option<File>,
}

impl DataFolder {
    /// Makes the folder if it is not there, and locks it.
    pub(crate) fn lock(path: &Path) -> Result<Self> {
        let failed = |what: &str, source| Error::Io { what: format!("{what} {}", path.display()), source };
        std::fs::create_dir_all(path).map_err(|error| failed("making the data folder", error))?;
        let file =
            File::create(path.join(LOCK)).map_err(|error| failed("writing into the data folder", error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::DataFolderInUse(path.to_owned())),
            // Some network file systems have no locks; that is no reason not to work there.
            Err(TryLockError::Error(error)) => {
                tracing::warn!(%error, "the data folder cannot be locked; let no second program use it");
            }
        }
        Ok(Self { path: path.to_owned(), _lock: Some(file) })
    }

    /// A folder that is only looked at, whether another program works on it or not.
    pub(crate) fn beside(path: &Path) -> Self {
        Self { path: path.to_owned(), _lock: None }
    }

    /// The database's file in a folder that another program may be working on. The folder is made if it is not there.
    pub(crate) fn database_in(path: &Path) -> Result<PathBuf> {
        let failed =
            |source| Error::Io { what: format!("making the data folder {}", path.display()), source };
        std::fs::create_dir_all(path).map_err(failed)?;
        Ok(path.join(DATABASE))
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The database's file.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// The pictures' folder.
    pub(crate) fn pictures(&self) -> PathBuf {
        self.path.join(PICTURES)
    }

    /// The folder of what visitors sent.
    pub(crate) fn uploads(&self) -> PathBuf {
        self.path.join(UPLOADS)
    }

    /// The folder of files that belong to nothing.
    pub(crate) fn lost_and_found(&self) -> PathBuf {
        self.path.join(LOST_AND_FOUND)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_belongs_to_one_program_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let first = DataFolder::lock(&path).unwrap();
        assert!(matches!(DataFolder::lock(&path), Err(Error::DataFolderInUse(_))));
        drop(first);
        assert!(DataFolder::lock(&path).is_ok());
    }
}
