//! Jobs: asked for, looked at, cancelled.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use backend::{Services, Visitor};
use types::job::{JobId, JobInfo};
use types::request::RawRequest;

use crate::error::ApiResult;
use crate::extract::{ApiId, ApiJson};

/// `POST /api/v1/jobs`: puts a request into the queue and says where its page is.
pub async fn create(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    ApiJson(request): ApiJson<RawRequest>,
) -> ApiResult<impl IntoResponse> {
    let job = services.create_job(&visitor, request).await?;
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, format!("/j/{}", job.id))], Json(job)))
}

/// `GET /api/v1/jobs/{id}`.
pub async fn show(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    ApiId(id): ApiId<JobId>,
) -> ApiResult<Json<JobInfo>> {
    Ok(Json(services.job(&visitor, id).await?))
}

/// `POST /api/v1/jobs/{id}/cancel`.
pub async fn cancel(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    ApiId(id): ApiId<JobId>,
) -> ApiResult<Json<JobInfo>> {
    Ok(Json(services.cancel_job(&visitor, id).await?))
}
