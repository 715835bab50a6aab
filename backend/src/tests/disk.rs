//! A disk in memory that fails as real ones do.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::{Mutex, PoisonError};

use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use crate::files::Files;

/// What is wrong with a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is full, as soon as a picture's PNG is written.
    FullAfterThePicture,
    /// It may be read alone.
    ReadOnly,
}

/// A store in memory that can have a fault.
#[derive(Debug, Default)]
pub(super) struct Disk {
    files: InMemory,
    fault: Mutex<Option<Fault>>,
}

impl Disk {
    /// The disk, and the same as the services know it.
    pub(super) fn new() -> (Arc<Self>, Files) {
        let disk = Arc::new(Self::default());
        let files = Files::new(Arc::clone(&disk) as Arc<dyn ObjectStore>);
        (disk, files)
    }

    /// From now on it has this fault, or none.
    pub(super) fn has(&self, fault: Option<Fault>) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// The error with which a change of that file fails, if it does.
    fn refusal(&self, file: &Path) -> Option<object_store::Error> {
        let kind = match *self.fault.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(Fault::FullAfterThePicture) if file.as_ref().contains("thumbnail") => {
                io::ErrorKind::StorageFull
            }
            Some(Fault::ReadOnly) => io::ErrorKind::ReadOnlyFilesystem,
            _ => return None,
        };
        Some(object_store::Error::Generic { store: "disk", source: Box::new(io::Error::from(kind)) })
    }
}

impl fmt::Display for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("disk")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Disk {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        if let Some(refusal) = self.refusal(location) {
            return Err(refusal);
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
        if let Some(refusal) = self.refusal(&Path::default()) {
            return futures::stream::once(async { Err(refusal) }).boxed();
        }
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
