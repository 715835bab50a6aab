//! Where pictures lie.

use std::collections::HashSet;
use std::path::Path as FolderPath;
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};

use crate::store::Store;
use crate::{Error, Result};

/// How many files are looked up in the database at once.
const SWEEP_CHUNK: usize = 500;

/// The file store. A file is written once and never changed. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Files {
    store: Arc<dyn ObjectStore>,
}

impl Files {
    /// Files in a folder, which is made if it is not there.
    ///
    /// Every file is on the disk before its name is (`fsync`): a row in the database must not outlive its
    /// file in a power cut.
    pub(crate) fn in_folder(folder: &FolderPath) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(|source| Error::Io {
            what: format!("making the folder {}", folder.display()),
            source,
        })?;
        let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true).with_automatic_cleanup(true);
        Ok(Self::new(Arc::new(store)))
    }

    /// Files in any object store.
    pub(crate) fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self { store }
    }

    /// Writes a new file.
    pub(crate) async fn create(&self, file: &str, bytes: Vec<u8>) -> Result<()> {
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        self.store.put_opts(&Path::from(file), PutPayload::from(bytes), options).await?;
        Ok(())
    }

    /// Reads a file.
    pub(crate) async fn read(&self, file: &str) -> Result<Bytes> {
        Ok(self.store.get(&Path::from(file)).await?.bytes().await?)
    }

    /// Deletes a picture's files. What cannot be deleted now is swept at the next start, so it is only logged.
    pub(crate) async fn discard(&self, picture_file: &str) {
        for file in [picture_file.to_owned(), thumbnail_file(picture_file)] {
            match self.store.delete(&Path::from(file.as_str())).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => tracing::warn!(%error, file, "a picture's file could not be deleted"),
            }
        }
    }

    /// Deletes every file that no row names: what was written when the program died, before its row was.
    ///
    /// For a time when no picture is being made. Gives back how many files there were.
    pub(crate) async fn sweep(&self, rows: &Store) -> Result<u64> {
        let mut n_swept = 0;
        let mut files =
            self.store.list(None).map_ok(|object| object.location.to_string()).try_chunks(SWEEP_CHUNK);
        while let Some(chunk) = files.try_next().await.map_err(|error| error.1)? {
            let pictures: HashSet<_> = chunk.iter().map(|file| picture_file_of(file)).collect();
            let used = rows.files_in_use(&pictures.into_iter().collect::<Vec<_>>()).await?;
            for file in chunk.iter().filter(|file| !used.contains(&picture_file_of(file))) {
                self.store.delete(&Path::from(file.as_str())).await?;
                n_swept += 1;
            }
        }
        Ok(n_swept)
    }
}

/// Where a picture's PNG lies. The attempt is part of the name, so that no attempt finds another's file in
/// its way.
pub(crate) fn picture_file(job: types::job::JobId, attempt: i64, index: u32) -> String {
    format!("{job}/{attempt}-{index}.png")
}

/// Where the thumbnail of that PNG lies.
pub(crate) fn thumbnail_file(picture_file: &str) -> String {
    format!("{}{THUMBNAIL}", picture_file.strip_suffix(PNG).unwrap_or(picture_file))
}

/// The PNG that a file belongs to: itself, or the one it is the thumbnail of.
fn picture_file_of(file: &str) -> String {
    file.strip_suffix(THUMBNAIL).map_or_else(|| file.to_owned(), |stem| format!("{stem}{PNG}"))
}

const PNG: &str = ".png";
const THUMBNAIL: &str = ".thumbnail.jpg";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbnail_and_its_picture_find_each_other() {
        assert_eq!(thumbnail_file("job/1-0.png"), "job/1-0.thumbnail.jpg");
        assert_eq!(picture_file_of("job/1-0.thumbnail.jpg"), "job/1-0.png");
        assert_eq!(picture_file_of("job/1-0.png"), "job/1-0.png");
    }

    #[tokio::test]
    async fn a_file_is_written_once_and_never_changed() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::in_folder(&folder.path().join("pictures")).unwrap();
        files.create("a/1-0.png", b"first".to_vec()).await.unwrap();
        assert!(files.create("a/1-0.png", b"second".to_vec()).await.is_err());
        assert_eq!(*files.read("a/1-0.png").await.unwrap(), *b"first");
        files.discard("a/1-0.png").await;
        assert!(files.read("a/1-0.png").await.is_err());
    }
}
