//! The folder that holds everything, and the lock that keeps it to one program.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::files::Files;
use crate::store::BUSY_TIMEOUT;
use crate::{Error, Result};

/// The file whose lock keeps a data folder to one program.
pub(crate) const LOCK: &str = "darkroom.lock";
/// The file of what the site signs with, in the data folder.
pub(crate) const SECRET: &str = "darkroom.secret";
/// The file that is written to see whether one can be, in the data folder.
pub(crate) const PROBE: &str = "darkroom.probe";
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
    /// The locked file; nothing where the folder is only looked at, or its file system has no locks.
    lock: Option<File>,
}

impl DataFolder {
    /// Makes the folder if it is not there, and locks it.
    pub(crate) fn lock(path: &Path) -> Result<Self> {
        make(path)?;
        let file = File::create(path.join(LOCK)).map_err(|source| Error::Io {
            what: format!("writing into the data folder {}", path.display()),
            source,
        })?;
        let lock = match file.try_lock() {
            Ok(()) => Some(file),
            Err(TryLockError::WouldBlock) => return Err(Error::DataFolderInUse(path.to_owned())),
            // Some network file systems have no locks; that is no reason not to work there.
            Err(TryLockError::Error(error)) => {
                tracing::warn!(%error, "the data folder cannot be locked; let no second program use it");
                None
            }
        };
        Ok(Self { path: path.to_owned(), lock })
    }

    /// A folder that is only looked at, whether another program works on it or not.
    pub(crate) fn beside(path: &Path) -> Self {
        Self { path: path.to_owned(), lock: None }
    }

    /// Whether it is known that no other program works on it.
    pub(crate) fn is_alone(&self) -> bool {
        self.lock.is_some()
    }

    /// The database's file in a folder that another program may be working on. The folder is made if it is not there.
    pub(crate) fn database_in(path: &Path) -> Result<PathBuf> {
        make(path)?;
        Ok(path.join(DATABASE))
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file of what the site signs with.
    pub(crate) fn secret(&self) -> PathBuf {
        self.path.join(SECRET)
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

/// Makes a data folder that is not there for this program's user alone. What others made keeps its rights, and so do folders
/// that it lies in.
fn make(path: &Path) -> Result<()> {
    let make = || {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        match private_folders().create(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            made => made,
        }
    };
    make().map_err(|source| Error::Io { what: format!("making the data folder {}", path.display()), source })
}

/// Makes folders that their owner alone may look into.
pub(crate) fn private_folders() -> DirBuilder {
    let mut folders = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folders, 0o700);
    folders
}

/// Opens new files, to be written, that their owner alone may read.
pub(crate) fn private_files() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
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

    #[cfg(unix)]
    #[test]
    fn a_folder_that_is_made_is_its_owners_alone_and_one_that_was_there_keeps_its_rights() {
        use std::fs::Permissions;
        use std::os::unix::fs::PermissionsExt;
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("srv/data");
        let rights = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        drop(DataFolder::lock(&path).unwrap());
        assert_eq!(rights(), 0o700);
        std::fs::set_permissions(&path, Permissions::from_mode(0o750)).unwrap();
        drop(DataFolder::lock(&path).unwrap());
        assert_eq!(rights(), 0o750);
    }
}
