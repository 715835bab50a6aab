//! How far the visitor's job is, and stopping it.

use axum::extract::{RawQuery, State};
use axum::{Extension, Json};
use backend::{CurrentJob, Services, Visitor};
use serde_json::{Value, json};
use types::error::ErrorCode;
use types::job::{JobInfo, JobStatus};

use super::answer::timestamp;
use super::refusal::Refusal;
use crate::error::ApiError;

/// What is told of a job that runs before its first step is done: more than nothing, as there.
const BEGUN: f64 = 0.01;

/// `GET /sdapi/v1/progress`: how far the visitor's job is. Nothing and no job, if there is none.
pub async fn progress(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let current = services.current_job(&visitor).await?;
    Ok(Json(current.map_or_else(idle, |current| of_job(&current, skips_image(query.as_deref())))))
}

/// `POST /sdapi/v1/interrupt`: cancels the visitor's job. Whoever waits for it gets the pictures that are finished.
pub async fn interrupt(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Json<Value>, Refusal> {
    cancel(&services, &visitor).await?;
    Ok(Json(json!({})))
}

/// `POST /sdapi/v1/skip`: the same, as a job's pictures are not skipped one by one.
pub async fn skip(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Json<Value>, Refusal> {
    cancel(&services, &visitor).await?;
    Ok(Json(Value::Null))
}

async fn cancel(services: &Services, visitor: &Visitor) -> Result<(), Refusal> {
    let Some(CurrentJob { job, .. }) = services.current_job(visitor).await? else { return Ok(()) };
    match services.cancel_job(visitor, job.id).await.map_err(ApiError::from) {
        Ok(_) => Ok(()),
        // It came to its end in between, so there is nothing to stop.
        Err(error) if error.public.code == ErrorCode::Conflict => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn idle() -> Value {
    json!({
        "progress": 0.0,
        "eta_relative": 0.0,
        "state": state("", "0", [0; 4]),
        "current_image": null,
        "textinfo": null,
    })
}

fn of_job(CurrentJob { job, preview }: &CurrentJob, skips_image: bool) -> Value {
    let known = job.progress.unwrap_or_default();
    let is_running = job.status == JobStatus::Running;
    let fraction = if is_running { (BEGUN + known.fraction()).min(1.0) } else { 0.0 };
    // Without what stands before the base64 of a `data:` URL.
    let image = preview.as_ref().filter(|_| !skips_image).and_then(|url| Some(url.split_once(";base64,")?.1));
    let numbers = [job.request.count, known.picture.saturating_sub(1), known.step, job.request.n_steps()];
    json!({
        "progress": fraction,
        "eta_relative": known.remaining_ms.map_or(0.0, |time| time as f64 / 1000.0),
        "state": state(kind(job), &timestamp(job), numbers),
        "current_image": image,
        "textinfo": said(job),
    })
}

fn state(kind: &str, timestamp: &str, [job_count, job_no, sampling_step, sampling_steps]: [u32; 4]) -> Value {
    json!({
        "skipped": false,
        "interrupted": false,
        "stopping_generation": false,
        "job": kind,
        "job_count": job_count,
        "job_timestamp": timestamp,
        "job_no": job_no,
        "sampling_step": sampling_step,
        "sampling_steps": sampling_steps,
    })
}

/// What a job is called there.
fn kind(job: &JobInfo) -> &'static str {
    if job.request.start.is_some() { "scripts_img2img" } else { "scripts_txt2img" }
}

/// What there is to say of a job that makes no steps yet.
fn said(job: &JobInfo) -> Option<String> {
    if let Some(loading) = &job.loading {
        return Some(format!("loading model `{}`: {:.0} %", loading.model, loading.fraction * 100.0));
    }
    job.n_ahead.map(|n_ahead| match n_ahead {
        0 => "waiting, next".to_owned(),
        1 => "waiting, 1 job is ahead".to_owned(),
        n => format!("waiting, {n} jobs are ahead"),
    })
}

/// Whether `skip_current_image` is set.
fn skips_image(query: Option<&str>) -> bool {
    let query = query.unwrap_or("").as_bytes();
    let value = form_urlencoded::parse(query).find(|(name, _)| name == "skip_current_image");
    value.is_some_and(|(_, value)| {
        !matches!(value.to_ascii_lowercase().as_str(), "false" | "0" | "no" | "off")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preview_is_left_out_on_request() {
        for query in ["skip_current_image=true", "a=1&skip_current_image=True", "skip_current_image=1"] {
            assert!(skips_image(Some(query)), "{query}");
        }
        for query in
            [None, Some("skip_current_image=false"), Some("skip_current_image=0"), Some("other=true")]
        {
            assert!(!skips_image(query), "{query:?}");
        }
    }
}
