//! Where pictures lie.

use std::collections::HashSet;
use std::future::ready;
use std::io::ErrorKind;
use std::path::{Path as FolderPath, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use tokio::sync::Semaphore;
use types::job::JobId;

use crate::store::Store;
use crate::{Error, Result};

/// How many files are looked up in the database at once.
const SWEEP_CHUNK: usize = 500;

/// How many files are read at a time. Each is read whole, so that a thousand readers at once would fill the memory.
const MOST_READ: usize = 16;

/// The file store. A file is written once and never changed. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Files {
    store: Arc<dyn ObjectStore>,
    /// Where the files lie, if it is a folder.
    folder: Option<Arc<FolderPath>>,
    /// Given to whoever reads a file.
    reading: Arc<Semaphore>,
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
        Ok(Self { folder: Some(folder.into()), ..Self::new(Arc::new(store)) })
    }

    /// Files in any object store.
    pub(crate) fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self { store, folder: None, reading: Arc::new(Semaphore::new(MOST_READ)) }
    }

    /// Writes a new file.
    pub(crate) async fn create(&self, file: &str, bytes: impl Into<PutPayload>) -> Result<()> {
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        self.store.put_opts(&Path::from(file), bytes.into(), options).await?;
        Ok(())
    }

    /// Reads a file.
    pub(crate) async fn read(&self, file: &str) -> Result<Bytes> {
        let _turn = self.reading.acquire().await.map_err(|_| Error::ShuttingDown)?;
        Ok(self.store.get(&Path::from(file)).await?.bytes().await?)
    }

    /// How long a file is, in bytes.
    pub(crate) async fn size(&self, file: &str) -> Result<u64> {
        Ok(self.store.head(&Path::from(file)).await?.size)
    }

    /// Deletes a picture's files, as [`Self::discard`] does.
    pub(crate) async fn discard_picture(&self, picture_file: &str) -> bool {
        let is_gone = self.discard(picture_file).await;
        self.discard(&thumbnail_file(picture_file)).await && is_gone
    }

    /// Deletes a file. What cannot be deleted now is swept at the next start, so it is only logged. Gives back whether the file
    /// is gone.
    pub(crate) async fn discard(&self, file: &str) -> bool {
        match self.store.delete(&Path::from(file)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => true,
            Err(error) => {
                tracing::warn!(%error, file, "a file could not be deleted");
                false
            }
        }
    }

    /// The names of all files.
    pub(crate) fn list(&self) -> impl Stream<Item = Result<String>> {
        self.store.list(None).map_ok(|object| object.location.to_string()).map_err(Error::from)
    }

    /// Deletes what was written when the program died, before its row was: files of jobs that the database
    /// knows, which no row of a picture names. Gives back how many there were.
    ///
    /// Whatever is not named as a picture is left alone. So are the pictures of unknown jobs: somebody brought
    /// them here without their database, or the database is not the one they were made with, and they are worth
    /// more than the room they take.
    ///
    /// Files of a job that is being worked on are left alone too: it may be given the pictures of another one meanwhile,
    /// whose rows come after their files.
    ///
    /// For a time when no picture is being made.
    pub(crate) async fn sweep(&self, rows: &Store) -> Result<u64> {
        let (mut n_swept, mut n_unknown) = (0_u64, 0_u64);
        let unfinished = self.unfinished(|file| job_of(file).is_some()).await?;
        for chunk in unfinished.chunks(SWEEP_CHUNK) {
            let jobs: HashSet<_> = chunk.iter().filter_map(|file| job_of(&file.finished)).collect();
            let known = rows.known_jobs(&jobs.into_iter().collect::<Vec<_>>()).await?;
            let is_at_work =
                |file: &Unfinished| job_of(&file.finished).and_then(|job| known.get(&job).copied());
            let left = chunk.iter().filter(|file| is_at_work(file) != Some(true)).cloned().collect();
            n_swept += Unfinished::delete(left).await?;
        }
        let mut files = self.list().try_filter(|file| ready(job_of(file).is_some())).try_chunks(SWEEP_CHUNK);
        while let Some(chunk) = files.try_next().await.map_err(|error| error.1)? {
            let jobs: HashSet<_> = chunk.iter().filter_map(|file| job_of(file)).collect();
            let known = rows.known_jobs(&jobs.into_iter().collect::<Vec<_>>()).await?;
            let pictures: HashSet<_> = chunk.iter().map(|file| picture_file_of(file)).collect();
            let used = rows.files_in_use(&pictures.into_iter().collect::<Vec<_>>()).await?;
            for file in &chunk {
                // Whether it was at work was asked before its rows were: a job that is at its end by then has them all.
                let Some(is_at_work) = job_of(file).and_then(|job| known.get(&job)) else {
                    n_unknown += 1;
                    continue;
                };
                if !is_at_work && !used.contains(&picture_file_of(file)) {
                    self.store.delete(&Path::from(file.as_str())).await?;
                    n_swept += 1;
                }
            }
        }
        if n_unknown > 0 {
            tracing::warn!(
                n_files = n_unknown,
                "files of jobs that the database does not know were left alone"
            );
        }
        Ok(n_swept)
    }

    /// The files that are being written, or were when the program died, if their names are ours. The store writes under the
    /// file's name and a number, `1-0.png#1`, and shows such names to nobody.
    pub(crate) async fn unfinished(
        &self,
        is_ours: impl Fn(&str) -> bool + Send + 'static,
    ) -> Result<Vec<Unfinished>> {
        let Some(folder) = self.folder.clone() else { return Ok(Vec::new()) };
        let look = move || -> std::io::Result<Vec<Unfinished>> {
            let mut found = Vec::new();
            let mut look_at = |path: PathBuf, name: &str| {
                if let Some(finished) = finished_name(name).filter(|name| is_ours(name)) {
                    found.push(Unfinished { path, finished: finished.to_owned() });
                }
            };
            for entry in std::fs::read_dir(&folder)?.flatten() {
                let name = entry.file_name();
                if !entry.path().is_dir() {
                    look_at(entry.path(), &name.to_string_lossy());
                    continue;
                }
                for file in std::fs::read_dir(entry.path())?.flatten() {
                    look_at(file.path(), &format!("{}/{}", name.display(), file.file_name().display()));
                }
            }
            Ok(found)
        };
        on_own_thread(look).await
    }
}

/// A file that is written under another name until it is whole.
#[derive(Debug, Clone)]
pub(crate) struct Unfinished {
    path: PathBuf,
    /// The name that it is to get.
    finished: String,
}

impl Unfinished {
    /// Deletes these files. Gives back how many there were; whoever wrote one may have named it meanwhile.
    pub(crate) async fn delete(files: Vec<Self>) -> Result<u64> {
        let delete = move || {
            let mut n_deleted = 0;
            for Self { path, .. } in files {
                match std::fs::remove_file(path) {
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    deleted => {
                        deleted?;
                        n_deleted += 1;
                    }
                }
            }
            Ok(n_deleted)
        };
        on_own_thread(delete).await
    }
}

async fn on_own_thread<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|panic| Error::Broken(format!("looking for unfinished files ended early: {panic}")))?
        .map_err(|source| Error::Io { what: "looking for unfinished files".to_owned(), source })
}

/// Where a picture's PNG lies. The attempt is part of the name, so that no attempt finds another's file in
/// its way.
pub(crate) fn picture_file(job: JobId, attempt: i64, index: u32) -> String {
    format!("{job}/{attempt}-{index}.png")
}

/// Where the thumbnail of that PNG lies.
pub(crate) fn thumbnail_file(picture_file: &str) -> String {
    format!("{}{THUMBNAIL}", picture_file.strip_suffix(PNG).unwrap_or(picture_file))
}

/// The name that an unfinished file was to get, if it is one.
pub(crate) fn finished_name(file: &str) -> Option<&str> {
    file.rsplit_once('#').filter(|(_, number)| is_number(number)).map(|(name, _)| name)
}

/// The job that a file belongs to, if it is named as [`picture_file`] or [`thumbnail_file`] name one.
pub(crate) fn job_of(file: &str) -> Option<JobId> {
    let (job, name) = file.split_once('/')?;
    let name = name.strip_suffix(THUMBNAIL).or_else(|| name.strip_suffix(PNG))?;
    let (attempt, index) = name.split_once('-')?;
    let id: JobId = job.parse().ok()?;
    // An id is read in other forms too, in which no file of ours is written.
    (id.to_string() == job && is_number(attempt) && is_number(index)).then_some(id)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The PNG that a file belongs to: itself, or the one it is the thumbnail of.
pub(crate) fn picture_file_of(file: &str) -> String {
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

    #[test]
    fn only_names_that_this_program_gives_belong_to_a_job() {
        let job = "0123456789abcdef0123456789abcdef";
        for name in ["1-0.png", "12-7.thumbnail.jpg"] {
            assert_eq!(job_of(&format!("{job}/{name}")).unwrap().to_string(), job);
        }
        for name in ["1.png", "1-0.jpg", "-0.png", "1-.png", "1-0-2.png", "a-0.png", "1-0.png#1", "x/1-0.png"]
        {
            assert_eq!(job_of(&format!("{job}/{name}")), None, "{name}");
        }
        for file in ["1-0.png", "holiday/1-0.png", "01234567-89ab-cdef-0123-456789abcdef/1-0.png"] {
            assert_eq!(job_of(file), None, "{file}");
        }
    }

    #[tokio::test]
    async fn a_file_is_written_once_and_never_changed() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::in_folder(&folder.path().join("pictures")).unwrap();
        files.create("a/1-0.png", b"first".to_vec()).await.unwrap();
        assert!(files.create("a/1-0.png", b"second".to_vec()).await.is_err());
        assert_eq!(*files.read("a/1-0.png").await.unwrap(), *b"first");
        files.discard_picture("a/1-0.png").await;
        assert!(files.read("a/1-0.png").await.is_err());
    }
}
