//! The shortest way to a picture: one request, answered with its bytes.

use axum::Extension;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use backend::{Services, Visitor};
use serde::Deserialize;
use types::error::{ErrorCode, PublicError};
use types::job::{JobId, JobInfo, JobStatus};
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
    let job = state.services.create_job(&visitor, asked.into()).await?;
    let mut guard = CancelOnHangUp { services: &state.services, visitor: &visitor, job: Some(job.id) };
    let job = tokio::select! {
        job = state.services.wait(job.id) => job?,
        // The job itself is made after the restart, and is to be found in the history.
        () = state.stopping.cancelled() => {
            guard.job = None;
            return Err(ApiError::shutting_down());
        }
    };
    guard.job = None;
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

fn without_picture(job: &JobInfo) -> ApiError {
    if job.status == JobStatus::Cancelled {
        return PublicError::new(ErrorCode::Conflict, "the job was cancelled").into();
    }
    let reason = job.error.as_deref().unwrap_or("its picture was deleted");
    PublicError::new(ErrorCode::Internal, format!("the job made no picture: {reason}")).into()
}

/// Cancels its job when it is dropped before the job's end, which happens when the caller hangs up.
struct CancelOnHangUp<'a> {
    services: &'a Services,
    visitor: &'a Visitor,
    job: Option<JobId>,
}

impl Drop for CancelOnHangUp<'_> {
    fn drop(&mut self) {
        let Some(id) = self.job else { return };
        let (services, visitor) = (self.services.clone(), self.visitor.clone());
        tokio::spawn(async move {
            // It may have come to its end just now, which is as well.
            let _ = services.cancel_job(&visitor, id).await;
        });
    }
}
