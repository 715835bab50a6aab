//! Answers that wait for a job's end.

use backend::Visitor;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use types::error::{ErrorCode, PublicError};
use types::job::{JobInfo, JobStatus};
use types::request::RawRequest;

use crate::error::{ApiError, ApiResult};
use crate::state::AppState;

/// Makes a job and stays with it to its end, whatever that is. A caller who hangs up cancels the job.
///
/// # Errors
/// The request is refused; the server stops before the job is done.
pub async fn to_its_end(state: &AppState, visitor: &Visitor, asked: RawRequest) -> ApiResult<JobInfo> {
    let hung_up = CancellationToken::new();
    // This function is dropped when the caller hangs up, and the guard with it.
    let _guard = hung_up.clone().drop_guard();
    // A task of its own, so that somebody is left to cancel the job, at whatever moment that happens.
    tokio::spawn(make(state.clone(), visitor.clone(), asked, hung_up))
        .await
        .map_err(|error| broke_off(&error))?
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
    tokio::select! {
        job = state.services.wait(job.id) => Ok(job?),
        () = hung_up.cancelled() => Ok(state.services.cancel_job(&visitor, job.id).await?),
        // The job is made after the restart, and is to be found in the history.
        () = state.stopping.cancelled() => Err(ApiError::shutting_down()),
    }
}

fn broke_off(error: &JoinError) -> ApiError {
    tracing::error!(%error, "a request for a picture broke off");
    PublicError::new(ErrorCode::Internal, "something went wrong on the server; its log has the details")
        .into()
}
