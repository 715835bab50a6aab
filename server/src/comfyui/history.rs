//! Workflows that came to their end.

use std::collections::{BTreeMap, HashSet};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use backend::{MOST_WORKFLOWS, Services, Visitor, WorkflowFilter};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use types::job::{JobId, JobInfo, JobStatus};

use super::body::AnyJson;
use super::faults::{Fault, Refusal};
use super::file_names::image;
use super::telling;
use super::workflow::{self, Fate, Kept, PAGE, Part};
use crate::error::{ApiError, ApiResult};
use crate::extract::ApiQuery;

/// Which part of the history is asked for.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct Window {
    /// Most workflows; all that are kept, up to [`MOST_WORKFLOWS`], if nothing is said.
    max_items: Option<u64>,
    /// How many of the oldest are passed over; if nothing is said, the newest are given.
    offset: Option<i64>,
}

/// `GET /history?max_items=&offset=`: the asker's own, the oldest first.
pub async fn list(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    window: Result<ApiQuery<Window>, ApiError>,
) -> Result<Json<Value>, Refusal> {
    let ApiQuery(window) = window?;
    Ok(Json(history(&services, &visitor, window).await?))
}

/// `GET /history/{prompt_id}`: an object with the one workflow, or an empty one.
pub async fn show(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let mut found = Map::new();
    if let Ok(id) = id.parse::<JobId>()
        && let Some(workflow) = services.workflow(&visitor, id).await.map_err(ApiError::from)?
        && let Some(kept) = Kept::read(&workflow)
        && let Some(entry) = entry(&services, &visitor, &kept).await?
    {
        found.insert(kept.prompt_id(), entry);
    }
    Ok(Json(found.into()))
}

/// `POST /history` with `{"clear": true}` or `{"delete": ["…"]}`: forgets workflows; their pictures stay.
pub async fn forget(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    AnyJson(body): AnyJson,
) -> Result<StatusCode, Refusal> {
    let named = ids_in(&body, "delete");
    // Each is looked up.
    if named.len() as u64 > MOST_WORKFLOWS {
        let sentence = format!(
            "the field `delete` names {} workflows; at most {MOST_WORKFLOWS} are allowed",
            named.len()
        );
        return Err(Refusal::of(Fault::of_prompt(sentence)));
    }
    if body.get("clear").and_then(Value::as_bool) == Some(true) {
        loop {
            let filter = WorkflowFilter { is_open: Some(false), limit: PAGE, ..WorkflowFilter::default() };
            let ended = services.workflows(&visitor, filter).await.map_err(ApiError::from)?;
            if ended.is_empty() {
                break;
            }
            let ids: Vec<JobId> = ended.iter().map(|workflow| workflow.id).collect();
            services.forget_workflows(&visitor, &ids).await.map_err(ApiError::from)?;
        }
    }
    for id in named {
        let Some(workflow) = services.workflow(&visitor, id).await.map_err(ApiError::from)? else { continue };
        // One that is not at its end stands in no history yet.
        if let Some(kept) = Kept::read(&workflow)
            && entry(&services, &visitor, &kept).await?.is_none()
        {
            continue;
        }
        services.forget_workflows(&visitor, &[id]).await.map_err(ApiError::from)?;
    }
    Ok(StatusCode::OK)
}

/// The ids in a list of a body, each once; what is none is passed over.
pub fn ids_in(body: &Map<String, Value>, field: &str) -> HashSet<JobId> {
    let list = body.get(field).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(|id| id.as_str()?.parse().ok()).collect()
}

/// A visitor's history as an object by the workflows' names, as long as an answer may be.
///
/// # Errors
/// The database is out of order.
pub async fn history(services: &Services, visitor: &Visitor, window: Window) -> ApiResult<Value> {
    let most = window.max_items.unwrap_or(MOST_WORKFLOWS).min(MOST_WORKFLOWS);
    let filter = WorkflowFilter { is_open: Some(false), ..WorkflowFilter::default() };
    let found = match window.offset {
        Some(from_oldest) if from_oldest >= 0 => {
            let offset = from_oldest.unsigned_abs();
            let oldest = WorkflowFilter { oldest_first: true, offset, limit: most, ..filter };
            workflow::read(services, visitor, oldest).await?
        }
        _ => {
            let newest = workflow::read(services, visitor, WorkflowFilter { limit: most, ..filter });
            let mut newest = newest.await?;
            newest.reverse();
            newest
        }
    };
    let mut history = Map::new();
    for kept in found.iter().filter_map(Kept::read) {
        if let Some(entry) = entry(services, visitor, &kept).await? {
            history.insert(kept.prompt_id(), entry);
        }
    }
    Ok(history.into())
}

/// A workflow as the history tells it; nothing if it is not at its end.
async fn entry(services: &Services, visitor: &Visitor, kept: &Kept) -> ApiResult<Option<Value>> {
    let jobs = kept.jobs(services, visitor).await?;
    if !jobs.iter().all(|(_, job)| job.status.is_final()) {
        return Ok(None);
    }
    let outputs = outputs(&jobs);
    let meta = outputs.keys().map(|node| {
        let names =
            json!({ "node_id": node, "display_node": node, "parent_node": null, "real_node_id": node });
        (node.clone(), names)
    });
    let meta: Map<String, Value> = meta.collect();
    let is_success = jobs.iter().all(|(_, job)| job.status == JobStatus::Done);
    Ok(Some(json!({
        "prompt": kept.entry(),
        "outputs": outputs,
        "status": {
            "status_str": if is_success { "success" } else { "error" },
            "completed": is_success,
            "messages": messages(kept, &jobs),
        },
        "meta": meta,
    })))
}

/// The pictures of each output that has some.
fn outputs(jobs: &[(&Part, JobInfo)]) -> BTreeMap<String, Value> {
    let mut outputs = BTreeMap::new();
    for (part, job) in jobs.iter().filter(|(_, job)| !job.pictures.is_empty()) {
        for saved in part.outputs.iter().filter(|saved| saved.fate != Fate::Sent) {
            let images: Vec<_> = job.pictures.iter().map(|picture| image(saved, picture)).collect();
            outputs.insert(saved.node.clone(), json!({ "images": images }));
        }
    }
    outputs
}

/// How it went, with the times.
fn messages(kept: &Kept, jobs: &[(&Part, JobInfo)]) -> Vec<Value> {
    let stamped = |name: &str, mut data: Value, at: Option<time::OffsetDateTime>| {
        let at = at.map_or(0, |at| (at.unix_timestamp_nanos() / 1_000_000) as i64);
        data["prompt_id"] = json!(kept.prompt_id());
        data["timestamp"] = json!(at);
        json!([name, data])
    };
    let first_start = jobs.iter().filter_map(|(_, job)| job.started_at).min();
    let end = jobs.iter().filter_map(|(_, job)| job.finished_at).max();
    let mut messages = Vec::new();
    if first_start.is_some() {
        messages.push(stamped("execution_start", json!({}), first_start));
        messages.push(stamped("execution_cached", json!({ "nodes": [] }), first_start));
    }
    let failed = jobs.iter().find(|(_, job)| job.status == JobStatus::Failed);
    let cancelled = jobs.iter().find(|(_, job)| job.status == JobStatus::Cancelled);
    messages.push(match (failed, cancelled) {
        (Some((part, job)), _) => {
            let sentence = job.error.as_deref().unwrap_or_default();
            let code = job.error_code.map_or("internal", |code| code.as_str());
            stamped("execution_error", telling::error_data(part, &kept.document.prompt, sentence, code), end)
        }
        (None, Some((part, _))) => {
            stamped("execution_interrupted", telling::node_data(part, &kept.document.prompt), end)
        }
        (None, None) => stamped("execution_success", json!({}), end),
    });
    messages
}
