//! A job's events as a stream.

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use backend::{Services, Visitor};
use futures::{Stream, StreamExt};
use serde::Deserialize;
use types::event::NumberedEvent;
use types::job::JobId;

use crate::error::ApiResult;
use crate::extract::{ApiId, ApiQuery};

/// Where a reader goes on that cannot send the header, such as a page that was loaded anew.
#[derive(Deserialize)]
pub struct Resume {
    after: Option<u64>,
}

/// `GET /api/v1/jobs/{id}/events`: where the job stands, then what happens to it, until it comes to its end.
///
/// A reader whose connection broke says the last number it saw (`Last-Event-ID`, which browsers do by
/// themselves, or `?after=`) and goes on from there.
pub async fn stream(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    ApiId(id): ApiId<JobId>,
    ApiQuery(resume): ApiQuery<Resume>,
    headers: HeaderMap,
) -> ApiResult<Sse<impl Stream<Item = Result<Event, axum::Error>>>> {
    let after = last_event_id(&headers).or(resume.after);
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
