//! The one handle that server functions and HTTP handlers hold.

use std::sync::Arc;

use futures::stream::BoxStream;
use types::event::NumberedEvent;
use types::history::{HistoryPage, HistoryQuery};
use types::job::{JobId, JobInfo};
use types::model::ModelInfo;
use types::picture::{PictureFormat, PictureId, PictureInfo};
use types::request::RawRequest;

use crate::{Config, Engine, Result, Visitor};

/// A job's events; ends after the final one, or when the program stops.
pub type EventStream = BoxStream<'static, NumberedEvent>;

/// New text of a prompt, in pieces; ends when the prompt does. Dropping it stops the writing.
pub type PromptStream = BoxStream<'static, Result<String>>;

/// A file of a picture, ready to be sent.
#[derive(Debug, Clone)]
pub struct PictureFile {
    /// The file.
    pub bytes: bytes::Bytes,
    /// Its MIME type.
    pub content_type: &'static str,
    /// A name to save it under, from the prompt and the seed: letters, digits and hyphens alone.
    pub file_name: String,
    /// Its entity tag with quotation marks, strong: these bytes never change.
    pub etag: String,
}

/// Everything the site can do. Cheap to clone.
#[derive(Clone)]
pub struct Services(Arc<()>);

#[expect(clippy::unused_async, clippy::missing_errors_doc, unused_variables, missing_docs, reason = "signatures first")]
impl Services {
    pub async fn open(config: Config, engine: Arc<dyn Engine>) -> Result<Self> {
        unimplemented!()
    }
    pub fn models(&self) -> Vec<ModelInfo> {
        unimplemented!()
    }
    pub fn prompt_models(&self) -> Vec<String> {
        unimplemented!()
    }
    pub async fn create_job(&self, owner: &Visitor, raw: RawRequest) -> Result<JobInfo> {
        unimplemented!()
    }
    pub async fn job(&self, viewer: &Visitor, id: JobId) -> Result<JobInfo> {
        unimplemented!()
    }
    pub async fn cancel_job(&self, owner: &Visitor, id: JobId) -> Result<JobInfo> {
        unimplemented!()
    }
    pub async fn events(&self, viewer: &Visitor, id: JobId, after: Option<u64>) -> Result<EventStream> {
        unimplemented!()
    }
    pub async fn wait(&self, id: JobId) -> Result<JobInfo> {
        unimplemented!()
    }
    pub async fn latest_jobs(&self, owner: &Visitor, limit: u32) -> Result<Vec<JobInfo>> {
        unimplemented!()
    }
    pub async fn history(&self, owner: &Visitor, query: HistoryQuery) -> Result<HistoryPage> {
        unimplemented!()
    }
    pub async fn picture_file(&self, id: PictureId, format: PictureFormat) -> Result<PictureFile> {
        unimplemented!()
    }
    pub async fn thumbnail(&self, id: PictureId) -> Result<PictureFile> {
        unimplemented!()
    }
    pub async fn set_favourite(&self, owner: &Visitor, id: PictureId, favourite: bool) -> Result<PictureInfo> {
        unimplemented!()
    }
    pub async fn delete_picture(&self, owner: &Visitor, id: PictureId) -> Result<()> {
        unimplemented!()
    }
    pub fn write_prompt(&self, start: String, seed: Option<u64>) -> Result<PromptStream> {
        unimplemented!()
    }
    pub async fn shutdown(&self) {
        unimplemented!()
    }
}
