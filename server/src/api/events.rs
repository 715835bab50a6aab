//! A job's events as a stream.

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use backend::{Services, Visitor};
use futures::{Stream, StreamExt};
use serde::Deserialize;
use types::error::PublicError;
use types::event::NumberedEvent;
use types::job::JobId;

use super::streamed::StreamedEvent;
use crate::error::{ApiResult, PROBLEM, Problem};
use crate::extract::{ApiId, ApiQuery};

/// Where a reader goes on that cannot send the header, such as a page that was loaded anew.
#[derive(Deserialize)]
pub struct Resume {
    after: Option<i64>,
}

impl Resume {
    fn number(&self) -> Result<Option<u64>, PublicError> {
        let number = self.after.map(u64::try_from).transpose();
        number.map_err(|_| {
            let message =
                format!("after {} is out of range; allowed is 0 and more", self.after.unwrap_or_default());
            PublicError::invalid_field("after", message)
        })
    }
}

/// Follow a job
///
/// Server-sent events: where the job stands, then what happens to it, until it comes to its end. Their names are the
/// `type` of the data, which is a `JobEvent`.
///
/// A reader whose connection broke says the last number it saw (`Last-Event-ID`, which browsers do by
/// themselves, or `?after=`) and goes on from there.
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}/events", operation_id = "follow_job", tag = "jobs",
    params(
        ("id" = JobId, Path, description = "The job."),
        ("after" = Option<u64>, Query, description = "Number of the last event that was seen. The header goes before it."),
        ("last-event-id" = Option<String>, Header, description = "Number of the last event that was seen; what is none is passed over."),
    ),
    responses(
        (status = 200, description = "The events.", body = StreamedEvent, content_type = "text/event-stream"),
        (status = "default", description = "What was wrong.", body = Problem, content_type = PROBLEM),
    ),
)]
pub async fn stream(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    ApiId(id): ApiId<JobId>,
    ApiQuery(resume): ApiQuery<Resume>,
    headers: HeaderMap,
) -> ApiResult<Sse<impl Stream<Item = Result<Event, axum::Error>>>> {
    let after = last_event_id(&headers).or(resume.number()?);
    let events = services.events(&visitor, id, after).await?;
    Ok(Sse::new(events.map(|event| to_sse(&event))).keep_alive(KeepAlive::default()))
}

fn to_sse(event: &NumberedEvent) -> Result<Event, axum::Error> {
    Event::default().id(event.number.to_string()).event(event.event.name()).json_data(&event.event)
}

/// A header that holds no number comes from no reader of ours and is passed over.
fn last_event_id(headers: &HeaderMap) -> Option<u64> {
    headers.get("last-event-id")?.to_str().ok()?.trim().parse().ok()
}
