//! Answers that wait for a job's end.

use std::fmt::Display;

use backend::{EventStream, Visitor};
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};
use types::error::{ErrorCode, PublicError};
use types::job::{JobId, JobInfo, JobStatus};
use types::request::RawRequest;

use crate::callers::{OpenStream, give_back_room};
use crate::error::{ApiError, ApiResult};
use crate::state::AppState;

/// Makes a job and stays with it to its end, whatever that is. A caller who hangs up cancels the job. The room of the caller's
/// body stays taken: whoever keeps nothing of it gives it back before.
///
/// # Errors
/// The request is refused; the caller waits for as many as they may; the server stops before the job is done.
pub async fn to_its_end(state: &AppState, visitor: &Visitor, asked: RawRequest) -> ApiResult<JobInfo> {
    let _counted = counted(state, visitor)?;
    let hung_up = CancellationToken::new();
    // This function is dropped when the caller hangs up, and the guard with it.
    let _guard = hung_up.clone().drop_guard();
    // A task of its own, so that somebody is left to cancel the job, at whatever moment that happens.
    tokio::spawn(make(state.clone(), visitor.clone(), asked, hung_up))
        .await
        .map_err(|error| broke_off(&error))?
}

/// Counts an answer that waits and keeps nothing of what was sent, until this is dropped.
///
/// # Errors
/// As many wait as are allowed.
pub fn held(state: &AppState, visitor: &Visitor) -> Result<OpenStream, PublicError> {
    let counted = counted(state, visitor)?;
    give_back_room();
    Ok(counted)
}

fn counted(state: &AppState, visitor: &Visitor) -> Result<OpenStream, PublicError> {
    state.access.waiting.open(visitor.owner_id(), visitor.address())
}

/// A job and what happens to it, for whoever tells of it while it is made. Dropped before the job's end, it cancels
/// the job.
pub struct Watched {
    /// The job as it was made.
    pub job: JobInfo,
    /// Its events, from where it stands to its end, or until the program stops.
    pub events: EventStream,
    _guard: DropGuard,
}

/// Makes a job and gives out what happens to it. A caller who hangs up cancels the job, as in [`to_its_end`].
///
/// # Errors
/// The request is refused; the server stops.
pub async fn watched(state: &AppState, visitor: &Visitor, asked: RawRequest) -> ApiResult<Watched> {
    let hung_up = CancellationToken::new();
    let guard = hung_up.clone().drop_guard();
    let (tell, told) = oneshot::channel();
    let (task_state, task_visitor) = (state.clone(), visitor.clone());
    tokio::spawn(async move {
        match task_state.services.create_job(&task_visitor, asked).await {
            Ok(job) => {
                let id = job.id;
                // Nobody listens who hung up meanwhile, and then the job is cancelled below.
                let _ = tell.send(Ok(job));
                // However it ends, the events tell it.
                let _ = stay(&task_state, &task_visitor, id, hung_up).await;
            }
            Err(error) => {
                let _ = tell.send(Err(ApiError::from(error)));
            }
        }
    });
    let job = told.await.map_err(|_| broke_off(&"its task ended early"))??;
    let events = state.services.events(visitor, job.id, None).await?;
    Ok(Watched { job, events, _guard: guard })
}

/// A job that came to its end, unless that was another one than was hoped for: then as if its mistake had been found at
/// once.
///
/// # Errors
/// The job failed, or was cancelled.
pub fn unless_it_failed(job: JobInfo) -> ApiResult<JobInfo> {
    match (job.status, &job.error) {
        (JobStatus::Cancelled, _) => {
            Err(PublicError::new(ErrorCode::Conflict, "the job was cancelled").into())
        }
        (JobStatus::Failed, reason) => {
            let code = job.error_code.unwrap_or(ErrorCode::Internal);
            let reason = reason.as_deref().unwrap_or("it failed");
            Err(PublicError::new(code, format!("the job made no picture: {reason}")).into())
        }
        _ => Ok(job),
    }
}

/// What is answered where a job's picture was asked for and is gone already.
pub fn without_picture() -> ApiError {
    PublicError::not_found("the job's picture was deleted before it could be sent").into()
}

async fn make(
    state: AppState,
    visitor: Visitor,
    asked: RawRequest,
    hung_up: CancellationToken,
) -> ApiResult<JobInfo> {
    let job = state.services.create_job(&visitor, asked).await?;
    stay(&state, &visitor, job.id, hung_up).await
}

/// Waits for a job's end, and cancels it if the caller hangs up before.
async fn stay(
    state: &AppState,
    visitor: &Visitor,
    id: JobId,
    hung_up: CancellationToken,
) -> ApiResult<JobInfo> {
    tokio::select! {
        job = state.services.wait(id) => Ok(job?),
        () = hung_up.cancelled() => Ok(state.services.cancel_job(visitor, id).await?),
        // The job is made after the restart, and is to be found in the history.
        () = state.stopping.cancelled() => Err(ApiError::shutting_down()),
    }
}

/// What is told of a task that ended early, which is logged.
pub fn broke_off(error: &dyn Display) -> ApiError {
    tracing::error!(%error, "a request for a picture broke off");
    PublicError::new(ErrorCode::Internal, "something went wrong on the server; its log has the details")
        .into()
}
