//! Workflows that are not at their end, and how they are stopped.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use backend::{Services, Visitor};
use serde_json::{Value, json};
use types::job::JobId;

use super::body::AnyJson;
use super::faults::Refusal;
use super::history::ids_in;
use super::workflow::{self, OpenPages, is_running, jobs_of};

/// `GET /queue`: the asker's own, those that run and those that wait.
pub async fn show(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Json<Value>, Refusal> {
    let (mut running, mut pending) = (Vec::new(), Vec::new());
    let open = workflow::open(&services, &visitor, None).await?;
    let jobs = jobs_of(&services, &visitor, &open).await?;
    for kept in open {
        let list = if is_running(&kept.jobs_among(&jobs)) { &mut running } else { &mut pending };
        list.push(kept.entry());
    }
    Ok(Json(json!({ "queue_running": running, "queue_pending": pending })))
}

/// `POST /queue` with `{"clear": true}` or `{"delete": ["…"]}`: cancels those of the asker's that wait.
pub async fn remove(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    AnyJson(body): AnyJson,
) -> Result<StatusCode, Refusal> {
    let clears = body.get("clear").and_then(Value::as_bool) == Some(true);
    let named = ids_in(&body, "delete");
    let mut pages = OpenPages::default();
    while let Some(page) = pages.next(&services, &visitor).await? {
        let jobs = jobs_of(&services, &visitor, &page).await?;
        for kept in page.iter().filter(|kept| clears || named.contains(&kept.id)) {
            if !is_running(&kept.jobs_among(&jobs)) {
                kept.cancel(&services, &visitor).await?;
            }
        }
    }
    Ok(StatusCode::OK)
}

/// `POST /interrupt`, perhaps with `{"prompt_id": "…"}`: cancels the asker's that run, or only that one.
pub async fn interrupt(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    AnyJson(body): AnyJson,
) -> Result<StatusCode, Refusal> {
    let named = body.get("prompt_id").and_then(Value::as_str).filter(|id| !id.is_empty());
    // A name that is none is nobody's.
    let named: Option<Option<JobId>> = named.map(|id| id.parse().ok());
    let mut pages = OpenPages::default();
    while let Some(page) = pages.next(&services, &visitor).await? {
        let jobs = jobs_of(&services, &visitor, &page).await?;
        for kept in page.iter().filter(|kept| named.is_none_or(|id| id == Some(kept.id))) {
            if is_running(&kept.jobs_among(&jobs)) {
                kept.cancel(&services, &visitor).await?;
            }
        }
    }
    Ok(StatusCode::OK)
}
