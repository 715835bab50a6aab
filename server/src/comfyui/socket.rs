//! `GET /ws`: what happens to the workflows of one program, as it happens.

use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::Response;
use backend::{Services, Visitor, WorkflowFilter};
use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use types::event::JobEvent;
use types::picture::PictureFormat;

use super::faults::Refusal;
use super::info::features;
use super::telling::{FileKind, Teller, Told, file, stamp, status, text};
use super::workflow::{self, Kept, Part};
use crate::callers::until_revoked;
use crate::error::{ApiError, ApiResult};
use crate::extract::ApiQuery;
use crate::listen::Place;
use crate::state::AppState;

/// Largest message that a program may send, in bytes. Nothing that it has to say is long.
const MAX_HEARD_BYTES: usize = 64 << 10;

/// Messages that wait for a slow reader; then the workflow is told no further until they are read.
const MOST_WAITING: usize = 32;

/// How often a socket is tried on which nothing is said: proxies close those that are silent for a minute, and a reader
/// whose machine went away is found by it.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// Who watches.
#[derive(Deserialize)]
pub struct Watcher {
    #[serde(default, rename = "clientId")]
    client_id: String,
}

/// Opens the socket. Told are the workflows that the asker posts with this name as `client_id`.
pub async fn open(
    State(state): State<AppState>,
    Extension(visitor): Extension<Visitor>,
    watcher: Result<ApiQuery<Watcher>, ApiError>,
    headers: HeaderMap,
    place: Option<Extension<Place>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refusal> {
    let ApiQuery(watcher) = watcher?;
    if !is_same_site(&headers) {
        let sentence = "this request was sent by another site; only this site's own pages may do that";
        return Err(ApiError::unreadable(StatusCode::FORBIDDEN, sentence).into());
    }
    let upgrade = upgrade.map_err(|rejection| {
        let sentence = "this address is a WebSocket; ask for it with `Upgrade: websocket`";
        ApiError::unreadable(rejection.status(), sentence)
    })?;
    let open = state.access.streams.open(visitor.owner_id(), visitor.address()).map_err(ApiError::from)?;
    // A program that gives itself no name is told one.
    let client_id = if watcher.client_id.is_empty() { Visitor::new_token() } else { watcher.client_id };
    let upgrade = upgrade.max_message_size(MAX_HEARD_BYTES).max_frame_size(MAX_HEARD_BYTES);
    let revoked = until_revoked(&state, &headers);
    Ok(upgrade.on_upgrade(async move |socket| {
        serve(socket, state, visitor, client_id, revoked).await;
        // The socket is a connection to its end, though its request is over.
        drop((open, place));
    }))
}

/// Browsers say which site opens a socket, and do not keep one site from another's.
fn is_same_site(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    match (origin.as_ref().and_then(Uri::authority), host) {
        (Some(origin), Some(host)) => origin.as_str().eq_ignore_ascii_case(host),
        _ => false,
    }
}

/// Tells until the program's key is `revoked`, if it has one.
async fn serve(
    socket: WebSocket,
    state: AppState,
    visitor: Visitor,
    client_id: String,
    revoked: impl Future<Output = ()>,
) {
    let _following = state.http.follow("/ws");
    let (mut sink, mut heard) = socket.split();
    let (out, mut told) = mpsc::channel(MOST_WAITING);
    let stopping = state.stopping.clone();
    tokio::pin!(revoked);
    let telling = tell(&state, &visitor, &client_id, out);
    tokio::pin!(telling);
    let mut beat = tokio::time::interval(KEEP_ALIVE);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            message = told.recv() => {
                let Some(message) = message else { break };
                if sink.send(message).await.is_err() {
                    break;
                }
            }
            message = heard.next() => match message {
                Some(Ok(Message::Text(words))) if asks_for_features(&words) => {
                    if sink.send(text("feature_flags", &features())).await.is_err() {
                        break;
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
            _ = beat.tick() => {
                if sink.send(Message::Ping(Bytes::new())).await.is_err() {
                    break;
                }
            }
            // Only a fault ends it, and was logged.
            _ = &mut telling => break,
            () = stopping.cancelled() => break,
            () = &mut revoked => break,
        }
    }
    // Whoever is gone already need not be told.
    let _ = sink.close().await;
}

fn asks_for_features(words: &str) -> bool {
    let message: Value = serde_json::from_str(words).unwrap_or_default();
    message.get("type").and_then(Value::as_str) == Some("feature_flags")
}

/// The reader is gone.
struct Gone;

/// Why nothing more is told.
enum Ended {
    Gone,
    /// The database is out of order, or the program stops.
    Fault,
}

impl From<Gone> for Ended {
    fn from(Gone: Gone) -> Self {
        Self::Gone
    }
}

impl From<ApiError> for Ended {
    fn from(_: ApiError) -> Self {
        Self::Fault
    }
}

/// Where messages go.
struct Out(mpsc::Sender<Message>);

impl Out {
    async fn send(&self, message: Message) -> Result<(), Gone> {
        self.0.send(message).await.map_err(|_| Gone)
    }
}

/// Tells the program's workflows one after the other, those that are posted meanwhile too.
async fn tell(
    state: &AppState,
    visitor: &Visitor,
    client_id: &str,
    out: mpsc::Sender<Message>,
) -> Result<(), Ended> {
    let (services, out) = (&state.services, Out(out));
    // First subscribe, then look: what is posted in between is found at the next look.
    let mut posted = state.workflow_posted.watch(visitor, client_id);
    let mine = WorkflowFilter { client_id: Some(client_id), ..WorkflowFilter::default() };
    let newest = services.workflows(visitor, WorkflowFilter { limit: 1, ..mine });
    let mut last = newest.await.map_err(ApiError::from)?.first().map_or(0, |newest| newest.number);
    out.send(status(n_open(services, visitor).await?, Some(client_id))).await?;
    let mut waiting = workflow::open(services, visitor, Some(client_id)).await?;
    waiting.retain(|kept| kept.number <= last);
    loop {
        for kept in waiting {
            follow(services, visitor, &kept, &out).await?;
        }
        posted.forget();
        let filter = WorkflowFilter { after: Some(last), oldest_first: true, limit: workflow::PAGE, ..mine };
        let fresh = services.workflows(visitor, filter).await.map_err(ApiError::from)?;
        last = fresh.last().map_or(last, |newest| newest.number);
        waiting = fresh.iter().filter_map(Kept::read).collect();
        if fresh.is_empty() {
            posted.next().await;
        }
    }
}

async fn n_open(services: &Services, visitor: &Visitor) -> ApiResult<u64> {
    services.n_open_workflows(visitor).await.map_err(ApiError::from)
}

/// Tells one workflow to its end.
async fn follow(services: &Services, visitor: &Visitor, kept: &Kept, out: &Out) -> Result<(), Ended> {
    let (mut is_started, mut is_success) = (false, true);
    out.send(status(n_open(services, visitor).await?, None)).await?;
    for part in &kept.document.parts {
        is_success = follow_part(services, visitor, kept, part, &mut is_started, out).await?;
        if !is_success {
            break;
        }
    }
    if is_success {
        out.send(stamped(kept, "execution_success", json!({}))).await?;
    }
    out.send(status(n_open(services, visitor).await?, None)).await?;
    out.send(text("executing", &json!({ "node": null, "prompt_id": kept.prompt_id() }))).await?;
    Ok(())
}

/// Tells one job of a workflow to its end, and whether all its pictures were made. Of one that was deleted there is
/// nothing to tell.
async fn follow_part(
    services: &Services,
    visitor: &Visitor,
    kept: &Kept,
    part: &Part,
    is_started: &mut bool,
    out: &Out,
) -> Result<bool, Ended> {
    let Some(job) = workflow::job(services, visitor, part.job).await? else { return Ok(true) };
    let mut teller = Teller::new(kept, part, &job);
    let mut events = match services.events(visitor, part.job, None).await {
        Ok(events) => events,
        Err(backend::Error::NotFound { .. }) => return Ok(true),
        Err(error) => return Err(ApiError::from(error).into()),
    };
    while let Some(event) = events.next().await {
        let event = event.event;
        let begins = !matches!(event, JobEvent::Queued { .. } | JobEvent::Cancelled);
        if begins && !*is_started {
            *is_started = true;
            out.send(stamped(kept, "execution_start", json!({}))).await?;
            out.send(stamped(kept, "execution_cached", json!({ "nodes": [] }))).await?;
        }
        if matches!(event, JobEvent::Failed { .. }) {
            let job = workflow::job(services, visitor, part.job).await?;
            teller.error_code = job.and_then(|job| job.error_code);
        }
        let (is_final, is_success) = (event.is_final(), matches!(event, JobEvent::Done));
        for told in teller.tell(event) {
            let message = match told {
                Told::Message(message) => message,
                Told::Picture(id) => match services.picture_file(visitor, id, PictureFormat::Png).await {
                    Ok(picture) => file(FileKind::Png, &picture.bytes),
                    Err(backend::Error::NotFound { .. }) => continue,
                    Err(error) => return Err(ApiError::from(error).into()),
                },
            };
            out.send(message).await?;
        }
        if is_final {
            return Ok(is_success);
        }
    }
    Err(Ended::Fault)
}

fn stamped(kept: &Kept, name: &str, mut data: Value) -> Message {
    stamp(kept, &mut data);
    text(name, &data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_another_site_may_not_watch_and_a_program_may() {
        let same = |origin: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "localhost:3000".parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            is_same_site(&headers)
        };
        assert!(same(None));
        assert!(same(Some("http://localhost:3000")));
        for origin in ["http://localhost:8188", "https://example.org", "null"] {
            assert!(!same(Some(origin)), "{origin}");
        }
    }
}
