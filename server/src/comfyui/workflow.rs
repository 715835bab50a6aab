//! A workflow that was accepted: what was posted, and the jobs that were made of it.

use std::collections::HashMap;

use backend::{Services, Visitor, Workflow, WorkflowFilter};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use types::job::{JobId, JobInfo, JobStatus};

use super::recipe::Plan;
use crate::error::{ApiError, ApiResult};

/// Workflows that are read from the database at once: those that older versions kept may be as long as a body.
pub const PAGE: u64 = 8;

/// Most bytes of kept workflows in one answer.
pub const MOST_BYTES: usize = 16 << 20;

/// What is kept of a workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// The nodes as they were posted.
    pub prompt: Value,
    /// What was posted beside them.
    pub extra_data: Value,
    /// Its jobs, in the order in which they are made; one at least.
    pub parts: Vec<Part>,
}

/// One job of a workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The job.
    pub job: JobId,
    /// Which nodes do what.
    pub plan: Plan,
    /// The nodes that get its pictures.
    pub outputs: Vec<Saved>,
}

/// A node that gets pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    /// The node's name.
    pub node: String,
    /// What the pictures' names begin with.
    pub prefix: String,
    /// What it does with them.
    pub fate: Fate,
}

/// What becomes of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// They are told as kept for good.
    Saved,
    /// They are told as kept to be looked at. Here that is for good as well.
    Previewed,
    /// Their files are sent over the socket, and told nowhere else.
    Sent,
}

/// A workflow with its document.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// Its place in the order of arrival.
    pub number: i64,
    /// Its name.
    pub id: JobId,
    /// The rest.
    pub document: Document,
}

impl Kept {
    /// Reads a workflow. One that cannot be read, since another version of the program kept it, is passed over.
    pub fn read(workflow: &Workflow) -> Option<Self> {
        match serde_json::from_str(&workflow.document) {
            Ok(document) => Some(Self { number: workflow.number, id: workflow.id, document }),
            Err(error) => {
                tracing::warn!(job.id = %workflow.id, %error, "a kept workflow cannot be read");
                None
            }
        }
    }

    /// Its name as ComfyUI writes it.
    pub fn prompt_id(&self) -> String {
        prompt_id(self.id)
    }

    /// As the queue and the history tell it: number, name, nodes, what came beside them, outputs.
    pub fn entry(&self) -> Value {
        let Document { prompt, extra_data, parts } = &self.document;
        let outputs: Vec<_> = parts.iter().flat_map(|part| &part.outputs).map(|saved| &saved.node).collect();
        json!([self.number, self.prompt_id(), prompt, extra_data, outputs])
    }

    /// Its jobs as they stand, each with its part. Those that were deleted are left out.
    ///
    /// # Errors
    /// The database is out of order.
    pub async fn jobs(&self, services: &Services, visitor: &Visitor) -> ApiResult<Vec<(&Part, JobInfo)>> {
        let known = jobs_of(services, visitor, std::slice::from_ref(self)).await?;
        Ok(self.jobs_among(&known))
    }

    /// The same, of jobs that were looked up.
    pub fn jobs_among(&self, known: &HashMap<JobId, JobInfo>) -> Vec<(&Part, JobInfo)> {
        let parts = self.document.parts.iter();
        parts.filter_map(|part| Some((part, known.get(&part.job)?.clone()))).collect()
    }

    /// Cancels those of its jobs that are not at their end.
    ///
    /// # Errors
    /// The database is out of order.
    pub async fn cancel(&self, services: &Services, visitor: &Visitor) -> ApiResult<()> {
        for part in &self.document.parts {
            cancel(services, visitor, part.job).await?;
        }
        Ok(())
    }
}

/// The jobs of all these workflows, looked up at once: where each stands in the queue is found in one look at it.
///
/// # Errors
/// The database is out of order.
pub async fn jobs_of(
    services: &Services,
    visitor: &Visitor,
    workflows: &[Kept],
) -> ApiResult<HashMap<JobId, JobInfo>> {
    let ids: Vec<_> =
        workflows.iter().flat_map(|kept| kept.document.parts.iter().map(|part| part.job)).collect();
    let jobs = services.jobs_named(visitor, &ids).await?;
    Ok(jobs.into_iter().map(|job| (job.id, job)).collect())
}

/// A job of a workflow; nothing if it was deleted, which the site allows while the workflow is kept.
///
/// # Errors
/// The database is out of order.
pub async fn job(services: &Services, visitor: &Visitor, job: JobId) -> ApiResult<Option<JobInfo>> {
    match services.job(visitor, job).await {
        Ok(job) => Ok(Some(job)),
        Err(backend::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Cancels a job unless it came to its end or is gone.
///
/// # Errors
/// The database is out of order.
pub async fn cancel(services: &Services, visitor: &Visitor, job: JobId) -> ApiResult<()> {
    match services.cancel_job(visitor, job).await {
        Ok(_) | Err(backend::Error::AlreadyFinal(_) | backend::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A workflow's name as ComfyUI writes it, with hyphens.
pub fn prompt_id(id: JobId) -> String {
    id.0.hyphenated().to_string()
}

/// Where a workflow stands, by its jobs.
pub fn is_running(jobs: &[(&Part, JobInfo)]) -> bool {
    jobs.iter().any(|(_, job)| job.status == JobStatus::Running || job.status.is_final())
}

/// A visitor's workflows as the filter says, as many of the first as make up [`MOST_BYTES`], and one at least.
///
/// # Errors
/// The database is out of order.
pub async fn read(
    services: &Services,
    visitor: &Visitor,
    filter: WorkflowFilter<'_>,
) -> ApiResult<Vec<Workflow>> {
    let (mut found, mut n_bytes, mut n_read) = (Vec::<Workflow>::new(), 0, 0);
    while n_read < filter.limit {
        let limit = PAGE.min(filter.limit - n_read);
        let page = WorkflowFilter { offset: filter.offset + n_read, limit, ..filter };
        let page = services.workflows(visitor, page).await?;
        if page.is_empty() {
            break;
        }
        n_read += page.len() as u64;
        for workflow in page {
            // What is posted between two pages moves the others on.
            if found.iter().any(|known| known.number == workflow.number) {
                continue;
            }
            n_bytes += workflow.document.len();
            if n_bytes > MOST_BYTES && !found.is_empty() {
                return Ok(found);
            }
            found.push(workflow);
        }
    }
    Ok(found)
}

/// The newest of a visitor's workflows that are not at their end, in the order in which they came.
///
/// # Errors
/// The database is out of order.
pub async fn open(services: &Services, visitor: &Visitor, client_id: Option<&str>) -> ApiResult<Vec<Kept>> {
    let filter = WorkflowFilter { client_id, is_open: Some(true), ..Default::default() };
    let mut found = read(services, visitor, filter).await?;
    found.reverse();
    Ok(found.iter().filter_map(Kept::read).collect())
}

/// All of a visitor's workflows that are not at their end, a page at a time and in the order in which they came. There may be
/// more than fit into memory at once.
#[derive(Debug, Default)]
pub struct OpenPages {
    after: i64,
}

impl OpenPages {
    /// The next page; nothing after the last.
    ///
    /// # Errors
    /// The database is out of order.
    pub async fn next(&mut self, services: &Services, visitor: &Visitor) -> ApiResult<Option<Vec<Kept>>> {
        let filter = WorkflowFilter {
            after: Some(self.after),
            is_open: Some(true),
            oldest_first: true,
            limit: PAGE,
            ..Default::default()
        };
        let found = services.workflows(visitor, filter).await.map_err(ApiError::from)?;
        let Some(last) = found.last() else { return Ok(None) };
        self.after = last.number;
        Ok(Some(found.iter().filter_map(Kept::read).collect()))
    }
}
