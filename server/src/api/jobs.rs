//! Jobs: asked for, listed, looked at, cancelled, deleted.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use backend::{Services, Visitor};
use serde::Deserialize;
use types::history::{JobPage, JobQuery};
use types::job::{JobId, JobInfo, JobStatus};
use types::request::RawRequest;
use utoipa::ToSchema;

use crate::error::{ApiResult, PROBLEM, Problem};
use crate::extract::{ApiId, ApiJson, ApiQuery};
use crate::state::AppState;
use crate::waiting::held;

/// Longest time that an answer waits for a job's end, in seconds.
pub const MAX_WAIT_SECONDS: u64 = 600;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Ask for pictures
///
/// Puts a request into the queue. The answer is the job, at once. With `Prefer: wait=60` it waits so many seconds, at most
/// 600, for the job to come to its end, and is `200` if it did.
///
/// With an `Idempotency-Key`, whoever asks a second time, since the first answer was lost perhaps, gets the first job again.
#[utoipa::path(
    post, path = "/api/v1/jobs", operation_id = "create_job", tag = "jobs",
    params(
        ("idempotency-key" = Option<String>, Header, description = "A name for this asking, 1 to 255 visible ASCII characters.",
            max_length = 255, min_length = 1, pattern = "^[!-~]+$"),
        ("prefer" = Option<String>, Header, description = "`wait=` and seconds."),
    ),
    request_body = RawRequest,
    responses(
        (status = 200, description = "The job, which came to its end.", body = JobInfo,
            headers(("location" = String, description = "Where the job is.")), links(
                ("image" = (operation_id = "get_image", parameters(("id" = "$response.body#/pictures/0/id")))),
                ("thumbnail" = (operation_id = "get_thumbnail", parameters(("id" = "$response.body#/pictures/0/id")))),
                ("favourite" = (operation_id = "mark_favourite", parameters(("id" = "$response.body#/pictures/0/id")))),
                ("delete" = (operation_id = "delete_image", parameters(("id" = "$response.body#/pictures/0/id")))),
            )),
        (status = 202, description = "The job, which waits or is worked on.", body = JobInfo,
            headers(("location" = String, description = "Where the job is.")), links(
                ("job" = (operation_id = "get_job", parameters(("id" = "$response.body#/id")))),
                ("events" = (operation_id = "follow_job", parameters(("id" = "$response.body#/id")))),
                ("cancel" = (operation_id = "cancel_job", parameters(("id" = "$response.body#/id")))),
                ("delete" = (operation_id = "delete_job", parameters(("id" = "$response.body#/id")))),
            )),
        (status = "default", description = "What was wrong.", body = Problem, content_type = PROBLEM),
    ),
)]
pub async fn create(
    State(state): State<AppState>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    ApiJson(request): ApiJson<RawRequest>,
) -> ApiResult<Response> {
    let services = &state.services;
    let wait = wish_to_wait(&headers);
    // Before the job is made: whoever may not wait is told so, and may ask without waiting.
    let _held = wait.map(|_| held(&state, &visitor)).transpose()?;
    let job = match headers.get(IDEMPOTENCY_KEY) {
        Some(key) => {
            services.create_job_once(&visitor, &String::from_utf8_lossy(key.as_bytes()), request).await?
        }
        None => services.create_job(&visitor, request).await?,
    };
    let location = format!("/api/v1/jobs/{}", job.id);
    let job = match wait {
        Some(wait) => wait_for(&state, &visitor, job, wait).await?,
        None => job,
    };
    let is_over = job.status.is_final() && wait.is_some();
    let status = if is_over { StatusCode::OK } else { StatusCode::ACCEPTED };
    let mut answer = (status, [(header::LOCATION, location)], Json(job)).into_response();
    if let Some(wait) = wait {
        let applied = HeaderValue::try_from(format!("wait={}", wait.as_secs()));
        answer.headers_mut().extend(applied.ok().map(|applied| (PREFERENCE_APPLIED, applied)));
    }
    Ok(answer)
}

/// The seconds in `Prefer: wait=60` (RFC 7240), which may stand among other wishes.
fn wish_to_wait(headers: &HeaderMap) -> Option<Duration> {
    let wishes = headers.get_all(PREFER).iter().filter_map(|wishes| wishes.to_str().ok());
    let mut wishes = wishes.flat_map(|wishes| wishes.split(','));
    let seconds = wishes.find_map(|wish| {
        let (name, value) = wish.split(';').next()?.split_once('=')?;
        let is_wait = name.trim().eq_ignore_ascii_case("wait");
        is_wait.then(|| value.trim().trim_matches('"').parse::<u64>().ok())?
    })?;
    Some(Duration::from_secs(seconds.min(MAX_WAIT_SECONDS)))
}

/// The job at its end, or after that time as it is then.
async fn wait_for(state: &AppState, visitor: &Visitor, job: JobInfo, time: Duration) -> ApiResult<JobInfo> {
    tokio::select! {
        // However the waiting ended, the job is told as it stands.
        _ = state.services.wait(job.id) => {}
        () = tokio::time::sleep(time) => {}
        () = state.stopping.cancelled() => {}
    }
    Ok(state.services.job(visitor, job.id).await?)
}

/// Your jobs
///
/// Newest first, in pages.
#[utoipa::path(
    get, path = "/api/v1/jobs", operation_id = "list_jobs", tag = "jobs",
    params(
        ("status" = Option<JobStatus>, Query, description = "Jobs that stand there alone."),
        ("cursor" = Option<String>, Query, description = "Where the last page ended: its `next`."),
        ("limit" = Option<u32>, Query, description = "Jobs a page; 0 means the usual 24.", maximum = 100),
    ),
    responses(
        (status = 200, description = "A page of them.", body = JobPage),
        (status = "default", description = "What was wrong.", body = Problem, content_type = PROBLEM),
    ),
)]
pub async fn list(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    ApiQuery(query): ApiQuery<JobQuery>,
) -> ApiResult<Json<JobPage>> {
    Ok(Json(services.jobs(&visitor, query).await?))
}

/// A job
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}", operation_id = "get_job", tag = "jobs",
    params(("id" = JobId, Path, description = "The job.")),
    responses(
        (status = 200, description = "Where it stands, and its pictures.", body = JobInfo),
        (status = "default", description = "What was wrong.", body = Problem, content_type = PROBLEM),
    ),
)]
pub async fn show(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    ApiId(id): ApiId<JobId>,
) -> ApiResult<Json<JobInfo>> {
    Ok(Json(services.job(&visitor, id).await?))
}

/// Cancel a job
///
/// A running one stops after its present step. Pictures that are finished stay.
#[utoipa::path(
    post, path = "/api/v1/jobs/{id}/cancel", operation_id = "cancel_job", tag = "jobs",
    params(("id" = JobId, Path, description = "The job.")),
    responses(
        (status = 200, description = "The job.", body = JobInfo),
        (status = 409, description = "It came to its end before.", body = Problem, content_type = PROBLEM),
        (status = "default", description = "What was wrong.", body = Problem, content_type = PROBLEM),
    ),
)]
pub async fn cancel(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    ApiId(id): ApiId<JobId>,
) -> ApiResult<Json<JobInfo>> {
    Ok(Json(services.cancel_job(&visitor, id).await?))
}

/// Whether a job shall be shared.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Sharing {
    /// It shall be, or no longer.
    shared: bool,
}

/// Share a job
///
/// Whoever knows the address of a shared job can look at it and at its pictures, until its owner takes that back.
#[utoipa::path(
    post, path = "/api/v1/jobs/{id}/share", operation_id = "share_job", tag = "jobs",
    params(("id" = JobId, Path, description = "The job.")),
    request_body = Sharing,
    responses(
        (status = 200, description = "The job.", body = JobInfo),
        (status = "default", description = "What was wrong.", body = Problem, content_type = PROBLEM),
    ),
)]
pub async fn share(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    ApiId(id): ApiId<JobId>,
    ApiJson(wish): ApiJson<Sharing>,
) -> ApiResult<Json<JobInfo>> {
    Ok(Json(services.share_job(&visitor, id, wish.shared).await?))
}

/// Delete a job
///
/// With its pictures, for good. One that is not at its end has to be cancelled first.
#[utoipa::path(
    delete, path = "/api/v1/jobs/{id}", operation_id = "delete_job", tag = "jobs",
    params(("id" = JobId, Path, description = "The job.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 409, description = "It is not at its end.", body = Problem, content_type = PROBLEM),
        (status = "default", description = "What was wrong.", body = Problem, content_type = PROBLEM),
    ),
)]
pub async fn delete(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    ApiId(id): ApiId<JobId>,
) -> ApiResult<StatusCode> {
    services.delete_job(&visitor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_to_wait_is_found_among_others_and_has_an_end() {
        let wish = |text: &'static str| {
            wish_to_wait(&HeaderMap::from_iter([(PREFER, HeaderValue::from_static(text))]))
        };
        assert_eq!(wish("wait=60"), Some(Duration::from_mins(1)));
        assert_eq!(wish("respond-async, Wait=5; foo"), Some(Duration::from_secs(5)));
        assert_eq!(wish("wait=100000"), Some(Duration::from_mins(10)));
        assert_eq!(wish("wait=soon"), None);
        assert_eq!(wish("return=minimal"), None);
    }
}
