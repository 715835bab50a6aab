//! What is being made for a visitor just now.

use types::job::JobInfo;

use super::Services;
use crate::jobs::info;
use crate::{Result, Visitor};

/// The job of a visitor's that is worked on.
#[derive(Debug, Clone, PartialEq)]
pub struct CurrentJob {
    /// The job; queued or running.
    pub job: JobInfo,
    /// What its picture looks like, as far as it is: a small JPEG as a `data:` URL.
    pub preview: Option<String>,
}

impl Services {
    /// The job of a visitor's that is worked on, or else the one of theirs that is next; with the newest preview.
    ///
    /// # Errors
    /// The database is out of order.
    pub async fn current_job(&self, owner: &Visitor) -> Result<Option<CurrentJob>> {
        let shared = &*self.0.shared;
        let Some(row) = shared.store.current_job(owner).await? else { return Ok(None) };
        let id = row.job_id();
        let job = info::describe_one(shared, Some(owner), row).await?;
        Ok(Some(CurrentJob { job, preview: shared.hub.preview(id) }))
    }
}
