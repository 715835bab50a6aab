//! Everybody's jobs as they stand.

use time::OffsetDateTime;
use types::error::ErrorCode;
use types::job::{JobId, JobStatus, Loading, Progress};

use crate::Result;
use crate::shared::Shared;
use crate::store::entities::job;
use crate::store::from_ms;

/// Most queued jobs that are shown one by one; how many there are is told all the same.
const MOST_QUEUED: usize = 100;

/// Most failures that are shown.
const MOST_FAILURES: u64 = 20;

/// Digits of an owner's hash that are shown: enough to see that two jobs are one visitor's, and too few to find the
/// visitor by.
const OWNER_DIGITS: usize = 8;

/// Everybody's jobs that are not at their end, and those that failed last.
#[derive(Debug, Clone, PartialEq)]
pub struct JobsNow {
    /// Those that are worked on.
    pub running: Vec<RunningJob>,
    /// How many wait.
    pub n_queued: u64,
    /// The first of them, in the order in which they are worked on: 100 at most.
    pub queued: Vec<QueuedJob>,
    /// Those that failed, newest first: 20 at most.
    pub failures: Vec<FailedJob>,
}

/// What is told of any job.
#[derive(Debug, Clone, PartialEq)]
pub struct JobFacts {
    /// Its name.
    pub id: JobId,
    /// The beginning of the hash of whoever asked for it: eight hexadecimal digits.
    pub owner: String,
    /// When it was asked for.
    pub created_at: OffsetDateTime,
    /// What was asked for; nothing if this version of the program cannot read it.
    pub asked: Option<Asked>,
}

/// What a job asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The model.
    pub model: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Steps of a picture.
    pub n_steps: u32,
    /// Pictures.
    pub count: u32,
    /// The prompt, if it was asked for.
    pub prompt: Option<String>,
}

/// A job that waits.
#[derive(Debug, Clone, PartialEq)]
pub struct QueuedJob {
    /// The job.
    pub job: JobFacts,
    /// Jobs that are worked on before it.
    pub n_ahead: u64,
}

/// A job that is worked on.
#[derive(Debug, Clone, PartialEq)]
pub struct RunningJob {
    /// The job.
    pub job: JobFacts,
    /// When this attempt at it began.
    pub started_at: Option<OffsetDateTime>,
    /// How far it is, once that was told.
    pub progress: Option<Progress>,
    /// How much of its model was read, while that is what is being done.
    pub loading: Option<Loading>,
}

/// A job that failed.
#[derive(Debug, Clone, PartialEq)]
pub struct FailedJob {
    /// The job.
    pub job: JobFacts,
    /// When.
    pub failed_at: Option<OffsetDateTime>,
    /// What kind of mistake it was.
    pub code: Option<ErrorCode>,
    /// What its owner was told: a sentence, lower case and without a full stop.
    pub sentence: String,
}

/// Looks at the jobs.
///
/// # Errors
/// The database is out of order.
pub(super) async fn look(shared: &Shared, with_prompts: bool) -> Result<JobsNow> {
    let facts = |row: &job::Model| JobFacts {
        id: row.job_id(),
        owner: row.owner.chars().take(OWNER_DIGITS).collect(),
        created_at: from_ms(row.created_at),
        asked: row.generation_request().ok().map(|request| {
            let (width, height) = request.picture_size();
            Asked {
                width,
                height,
                n_steps: request.n_steps(),
                count: request.count,
                model: request.model,
                prompt: with_prompts.then_some(request.prompt),
            }
        }),
    };
    let open = shared.store.open_jobs().await?;
    let queued = open.iter().zip(0..).filter(|(row, _)| row.status == JobStatus::Queued.as_str());
    let n_queued = queued.clone().count() as u64;
    let queued = queued.take(MOST_QUEUED);
    let queued = queued.map(|(row, n_ahead)| QueuedJob { job: facts(row), n_ahead }).collect();
    let running = shared.store.running_jobs().await?;
    let running = running.iter().map(|row| RunningJob {
        job: facts(row),
        started_at: row.started_at.map(from_ms),
        progress: shared.hub.progress(row.job_id()),
        loading: shared.hub.loading(row.job_id()),
    });
    let failures = shared.store.latest_failures(MOST_FAILURES).await?;
    let failures = failures.iter().map(|row| FailedJob {
        job: facts(row),
        failed_at: row.finished_at.map(from_ms),
        code: row.fault_code(),
        sentence: row.error.clone().unwrap_or_default(),
    });
    Ok(JobsNow { running: running.collect(), n_queued, queued, failures: failures.collect() })
}
