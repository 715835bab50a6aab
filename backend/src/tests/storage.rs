//! A full disk.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use types::job::JobStatus;

use super::helpers::{TestServices, config};
use crate::data_folder::DataFolder;
use crate::engine::fake::FakeEngine;
use crate::files::Files;
use crate::jobs::worker::Outcome;
use crate::measures::Measures;
use crate::shared::Shared;

/// A store in memory that can be full.
#[derive(Debug, Default)]
struct Disk {
    files: InMemory,
    is_full: AtomicBool,
}

impl fmt::Display for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("disk")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Disk {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        if self.is_full.load(Ordering::SeqCst) && location.as_ref().contains("thumbnail") {
            let source = io::Error::from(io::ErrorKind::StorageFull);
            return Err(object_store::Error::Generic { store: "disk", source: Box::new(source) });
        }
        self.files.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.files.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.files.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.files.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.files.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.files.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.files.copy_opts(from, to, options).await
    }
}

#[tokio::test]
async fn a_full_disk_fails_the_job_with_a_sentence_and_the_worker_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(Disk::default());
    let files = Files::new(Arc::clone(&disk) as Arc<dyn ObjectStore>);
    let data = DataFolder::lock(&config(folder.path()).data_dir).unwrap();
    let shared = Shared::open_with_files(data, files, Arc::new(FakeEngine::new()), Measures::default());
    let shared = shared.await.unwrap();
    let mut site = TestServices::over(shared);

    disk.is_full.store(true, Ordering::SeqCst);
    let id = site.ask("one").await;
    assert_eq!(site.run_next_job().await, Outcome::Failed);
    let job = site.job(id).await;
    assert_eq!(job.status, JobStatus::Failed);
    assert_eq!(job.error.unwrap(), "the disk is full; delete pictures or make room, then try again");
    let shared = site.services.shared();
    assert_eq!(shared.files.sweep(&shared.store).await.unwrap(), 0, "what was half written is gone");

    disk.is_full.store(false, Ordering::SeqCst);
    site.ask("two").await;
    assert_eq!(site.run_next_job().await, Outcome::Done);
    assert_eq!(site.history().await, ["two"]);
}
