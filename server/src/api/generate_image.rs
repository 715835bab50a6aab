//! The shortest way to a picture: one request, answered with its bytes.

use axum::Extension;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use backend::Visitor;
use serde::Deserialize;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use types::error::{ErrorCode, PublicError};
use types::job::{JobInfo, JobStatus};
use types::picture::PictureFormat;
use types::request::RawRequest;

use crate::error::{ApiError, ApiResult};
use crate::extract::ApiJson;
use crate::state::AppState;

/// What to paint.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenerateImage {
    prompt: String,
    steps: Option<i64>,
    guidance_scale: Option<f64>,
    seed: Option<i64>,
    width: Option<i64>,
    height: Option<i64>,
}

impl From<GenerateImage> for RawRequest {
    fn from(asked: GenerateImage) -> Self {
        Self {
            prompt: asked.prompt,
            steps: asked.steps,
            guidance_scale: asked.guidance_scale,
            seed: asked.seed,
            width: asked.width,
            height: asked.height,
            ..Self::default()
        }
    }
}

/// `POST /generate-image`: waits for the picture and answers with it as PNG.
///
/// A caller who hangs up cancels the job.
pub async fn create(
    State(state): State<AppState>,
    Extension(visitor): Extension<Visitor>,
    ApiJson(asked): ApiJson<GenerateImage>,
) -> ApiResult<impl IntoResponse> {
    let hung_up = CancellationToken::new();
    // This function is dropped when the caller hangs up, and the guard with it.
    let _guard = hung_up.clone().drop_guard();
    // A task of its own, so that somebody is left to cancel the job, at whatever moment that happens.
    let job = tokio::spawn(make(state.clone(), visitor, asked.into(), hung_up))
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

fn without_picture(job: &JobInfo) -> ApiError {
    if job.status == JobStatus::Cancelled {
        return PublicError::new(ErrorCode::Conflict, "the job was cancelled").into();
    }
    let reason = job.error.as_deref().unwrap_or("its picture was deleted");
    PublicError::new(ErrorCode::Internal, format!("the job made no picture: {reason}")).into()
}

fn broke_off(error: &JoinError) -> ApiError {
    tracing::error!(%error, "a request for a picture broke off");
    PublicError::new(ErrorCode::Internal, "something went wrong on the server; its log has the details")
        .into()
}
