//! The folder that holds everything, and the lock that keeps it to one program.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// The name of the database's file.
const DATABASE: &str = "darkroom.sqlite3";

/// A data folder that this program alone works on, until it is dropped or the program dies.
///
/// Two programs on one folder would take each other's running jobs for ones that were left behind.
pub(crate) struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Makes the folder if it is not there, and locks it.
    pub(crate) fn lock(path: &Path) -> Result<Self> {
        let failed = |what: &str, source| Error::Io { what: format!("{what} {}", path.display()), source };
        std::fs::create_dir_all(path).map_err(|error| failed("making the data folder", error))?;
        let file = File::create(path.join("darkroom.lock"))
            .map_err(|error| failed("writing into the data folder", error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::DataFolderInUse(path.to_owned())),
            // Some network file systems have no locks; that is no reason not to work there.
            Err(TryLockError::Error(error)) => {
                tracing::warn!(%error, "the data folder cannot be locked; let no second program use it");
            }
        }
        Ok(Self { path: path.to_owned(), _lock: file })
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
        self.path.join("pictures")
    }

    /// The folder of what visitors sent.
    pub(crate) fn uploads(&self) -> PathBuf {
        self.path.join("uploads")
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
