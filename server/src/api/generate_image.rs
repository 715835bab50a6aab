//! The shortest way to a picture: one request, answered with its bytes.

use axum::Extension;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use backend::Visitor;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use types::error::{ErrorCode, PublicError};
use types::job::{JobInfo, JobStatus};
use types::picture::PictureFormat;
use types::request::{COUNT, RawRequest};

use crate::error::{ApiError, ApiResult};
use crate::extract::ApiJson;
use crate::state::AppState;

/// `POST /generate-image`: waits for the picture and answers with it as PNG. Takes what a job takes, for one
/// picture.
///
/// A caller who hangs up cancels the job.
pub async fn create(
    State(state): State<AppState>,
    Extension(visitor): Extension<Visitor>,
    ApiJson(asked): ApiJson<RawRequest>,
) -> ApiResult<impl IntoResponse> {
    check_count(asked.count)?;
    let hung_up = CancellationToken::new();
    // This function is dropped when the caller hangs up, and the guard with it.
    let _guard = hung_up.clone().drop_guard();
    // A task of its own, so that somebody is left to cancel the job, at whatever moment that happens.
    let job = tokio::spawn(make(state.clone(), visitor, asked, hung_up))
        .await
        .map_err(|error| broke_off(&error))??;
    let (JobStatus::Done, Some(picture)) = (job.status, job.pictures.first()) else {
        return Err(without_picture(&job));
    };
    let file = state.services.picture_file(picture.id, PictureFormat::Png).await?;
    let headers = [
        (header::CONTENT_TYPE, file.content_type.to_owned()),
        (header::CONTENT_LOCATION, picture.path(PictureFormat::Png)),
    ];
    Ok((headers, file.bytes))
}

/// An answer is one picture.
fn check_count(count: Option<i64>) -> Result<(), PublicError> {
    let Some(count) = count.filter(|count| *count != 1) else { return Ok(()) };
    let sentence = format!(
        "count {count} is not possible here, as the answer is one picture; allowed is 1, and up to {} at \
         `/api/v1/jobs`",
        COUNT.end()
    );
    Err(PublicError::invalid_field("count", sentence))
}

/// Makes a job and stays with it to its end.
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

/// A job that failed is answered as if its mistake had been found at once.
fn without_picture(job: &JobInfo) -> ApiError {
    let error = match (job.status, &job.error) {
        (JobStatus::Cancelled, _) => PublicError::new(ErrorCode::Conflict, "the job was cancelled"),
        (_, Some(reason)) => {
            let code = job.error_code.unwrap_or(ErrorCode::Internal);
            PublicError::new(code, format!("the job made no picture: {reason}"))
        }
        (_, None) => PublicError::not_found("the job's picture was deleted before it could be sent"),
    };
    error.into()
}

fn broke_off(error: &JoinError) -> ApiError {
    tracing::error!(%error, "a request for a picture broke off");
    PublicError::new(ErrorCode::Internal, "something went wrong on the server; its log has the details")
        .into()
}
