//! Workflows that are posted, and the jobs that are made of them.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use backend::{MaskUse, NewWorkflow, Services, StartNames, Visitor, Workflow, WorkflowRoom};
use serde_json::{Map, Value, json};
use types::job::JobId;

use super::body::AnyJson;
use super::faults::{Fault, Refusal, by_node};
use super::graph::Graph;
use super::installed::installed_for;
use super::recipe::{Recipe, recipe};
use super::validate::{Checked, validate};
use super::values::Installed;
use super::workflow::{self, Document, Fate, Part, Saved, prompt_id};
use crate::error::ApiError;
use crate::state::AppState;
use crate::waiting::broke_off;

/// Most jobs of one workflow.
const MOST_JOBS: usize = 8;

/// Longest name that a program gives itself, in characters.
const MAX_CLIENT_ID: usize = 200;

/// Longest workflow with what is posted beside it, in bytes as they are kept. What is kept of its jobs repeats names that stand
/// in it, so that no document is much more than twice as long.
const MAX_KEPT_BYTES: usize = 256 << 10;

/// `GET /prompt`: how many of the asker's workflows are not at their end.
pub async fn show(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Json<Value>, Refusal> {
    let n_open = services.n_open_workflows(&visitor).await.map_err(ApiError::from)?;
    Ok(Json(json!({ "exec_info": { "queue_remaining": n_open } })))
}

/// `POST /prompt`: makes a job of every different picture that a workflow's outputs ask for.
pub async fn create(
    State(state): State<AppState>,
    Extension(visitor): Extension<Visitor>,
    AnyJson(mut body): AnyJson,
) -> Result<Json<Value>, Refusal> {
    let Some(prompt) = body.remove("prompt") else {
        let message = "the body has no field `prompt`; send a workflow in API form in it";
        return Err(Refusal::of(Fault::new("no_prompt", message, "", json!({}))));
    };
    let client_id = client_id(&body)?;
    let id = id_of_its_own(&state.services, &body).await?;
    let extra_data = extra_data(&mut body, client_id.as_deref())?;
    // A task of its own, so that no job is left without its workflow by a caller who hangs up in between.
    match tokio::spawn(post(state, visitor, id, prompt, client_id, extra_data)).await {
        Ok(answer) => answer,
        Err(error) => Err(broke_off(&error).into()),
    }
}

/// Makes a workflow's jobs and keeps it with them.
async fn post(
    state: AppState,
    visitor: Visitor,
    id: Option<JobId>,
    prompt: Value,
    client_id: Option<String>,
    extra_data: Value,
) -> Result<Json<Value>, Refusal> {
    let services = &state.services;
    let graph = Graph::read(&prompt)?;
    let n_bytes = length(&prompt, &extra_data)?;
    let room = services.room_for_workflow(&visitor, n_bytes).map_err(ApiError::from)?;
    let installed = installed_for(services, &visitor, &graph).await?;
    let mut checked = validate(&graph, &installed);
    let parts = make_jobs(services, &visitor, &mut checked).await?;
    let node_errors = checked.node_faults();
    let Some(first) = parts.first() else { return Err(Refusal::of_nodes(node_errors)) };
    let id = id.unwrap_or(first.job);
    let document = Document { prompt, extra_data, parts };
    let kept = keep(services, &visitor, room, id, client_id.as_deref(), &document).await?;
    if let Some(client_id) = &client_id {
        state.workflow_posted.tell(&visitor, client_id);
    }
    let node_errors = by_node(&node_errors);
    Ok(Json(json!({ "prompt_id": prompt_id(id), "number": kept.number, "node_errors": node_errors })))
}

/// The name that the program gives the workflow, if it gives one: it waits for what is told of that name, whatever is answered.
async fn id_of_its_own(services: &Services, body: &Map<String, Value>) -> Result<Option<JobId>, Refusal> {
    let name = match body.get("prompt_id") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(name)) => name.as_str(),
        Some(_) => "",
    };
    let Some(id) = name.parse::<JobId>().ok().filter(|id| prompt_id(*id) == name) else {
        let name: String = name.chars().take(MAX_CLIENT_ID).collect();
        let sentence = format!(
            "the prompt_id `{name}` is no UUID in small letters with hyphens; send one that is new, or none"
        );
        return Err(Refusal::of(Fault::of_prompt(sentence)));
    };
    if services.has_workflow(id).await.map_err(ApiError::from)? {
        let sentence =
            format!("the prompt_id `{name}` stands for another workflow already; send a new one, or none");
        return Err(Refusal::of(Fault::of_prompt(sentence)));
    }
    Ok(Some(id))
}

/// The name that the program gives itself.
fn client_id(body: &Map<String, Value>) -> Result<Option<String>, Refusal> {
    let Some(name) = body.get("client_id").and_then(Value::as_str) else { return Ok(None) };
    let n_chars = name.chars().count();
    if n_chars > MAX_CLIENT_ID {
        let message = format!("the client_id has {n_chars} characters; at most {MAX_CLIENT_ID} are allowed");
        return Err(Refusal::of(Fault::of_prompt(message)));
    }
    Ok(Some(name.to_owned()))
}

/// What was sent beside the workflow, with the program's name in it.
fn extra_data(body: &mut Map<String, Value>, client_id: Option<&str>) -> Result<Value, Refusal> {
    let mut extra = match body.remove("extra_data") {
        Some(Value::Object(extra)) => extra,
        None | Some(Value::Null) => Map::new(),
        Some(_) => return Err(Refusal::of(Fault::of_prompt("the field `extra_data` is no object"))),
    };
    if let Some(client_id) = client_id {
        extra.insert("client_id".to_owned(), json!(client_id));
    }
    let now = time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000;
    extra.insert("create_time".to_owned(), json!(now as i64));
    Ok(extra.into())
}

/// How many bytes there are to be kept. What is too long is refused before jobs are made of it.
fn length(prompt: &Value, extra_data: &Value) -> Result<usize, Refusal> {
    let n_bytes = prompt.to_string().len() + extra_data.to_string().len();
    if n_bytes > MAX_KEPT_BYTES {
        let sentence = format!(
            "the workflow and its extra_data have {n_bytes} bytes; at most {MAX_KEPT_BYTES} are allowed"
        );
        return Err(ApiError::unreadable(StatusCode::PAYLOAD_TOO_LARGE, sentence).into());
    }
    Ok(n_bytes)
}

/// Makes the jobs, and notes why there is none for an output.
async fn make_jobs(
    services: &Services,
    visitor: &Visitor,
    checked: &mut Checked<'_>,
) -> Result<Vec<Part>, Refusal> {
    let mut parts = Vec::new();
    for (recipe, outputs) in recipes(checked) {
        match make_job(services, visitor, &recipe).await {
            Ok(job) => {
                let outputs = outputs.into_iter().map(|output| saved(checked, output)).collect();
                parts.push(Part { job, plan: recipe.plan, outputs });
            }
            Err(error) => {
                let origin = error.public.field.as_deref().and_then(|field| recipe.origin(field));
                let Some((place, input)) = origin else {
                    // Nothing that a node could be blamed for: those that come after it fare no better.
                    cancel_all(services, visitor, &parts).await;
                    return Err(error.into());
                };
                checked.add(place, Fault::of_input(input, &error.public.message));
            }
        }
    }
    Ok(parts)
}

/// Reads a workflow as far as the requests that stand for it, with nothing installed but one model.
pub fn read_anything(prompt: &Value) {
    let installed = Installed { checkpoints: vec!["demo".to_owned()], ..Installed::default() };
    if let Ok(graph) = Graph::read(prompt) {
        let mut checked = validate(&graph, &installed);
        let _ = (recipes(&mut checked), checked.node_faults());
    }
}

/// Every different picture that is asked for, with the outputs that ask for it.
fn recipes(checked: &mut Checked<'_>) -> Vec<(Recipe, Vec<usize>)> {
    let mut recipes: Vec<(Recipe, Vec<usize>)> = Vec::new();
    let sound = checked.graph.outputs().filter(|&output| checked.is_sound(output));
    let mut outputs: Vec<usize> = sound.collect();
    // Nodes are numbered in the order in which they were added, and 9 comes before 10.
    outputs.sort_by_key(|&output| checked.graph.node(output).id.parse().unwrap_or(u64::MAX));
    for output in outputs {
        match recipe(checked, output) {
            Err((place, fault)) => checked.add(place, fault),
            Ok(wanted) => {
                if let Some((_, outputs)) = recipes.iter_mut().find(|(known, _)| known.is_same(&wanted)) {
                    outputs.push(output);
                } else if recipes.len() < MOST_JOBS {
                    recipes.push((wanted, vec![output]));
                } else {
                    let sentence = format!(
                        "a prompt makes at most {MOST_JOBS} different pictures; send this one by itself"
                    );
                    checked.add(output, Fault::of_input("images", &sentence));
                }
            }
        }
    }
    recipes
}

async fn make_job(services: &Services, visitor: &Visitor, recipe: &Recipe) -> Result<JobId, ApiError> {
    let mut request = recipe.request.clone();
    if let Some(start) = &recipe.request.start {
        let mask = recipe.mask.as_ref().map(|mask| MaskUse {
            name: &mask.name,
            channel: mask.channel,
            grow: mask.grow,
        });
        let StartNames { start, mask } = services.prepare_start(visitor, start, mask).await?;
        request.start = Some(start);
        request.mask = mask;
    }
    Ok(services.create_job(visitor, request).await?.id)
}

fn saved(checked: &Checked<'_>, output: usize) -> Saved {
    let (fate, prefix) = match checked.class(output) {
        "PreviewImage" => (Fate::Previewed, "ComfyUI_temp"),
        "SaveImageWebsocket" => (Fate::Sent, ""),
        _ => (Fate::Saved, checked.text(output, "filename_prefix")),
    };
    Saved { node: checked.graph.node(output).id.clone(), prefix: prefix.to_owned(), fate }
}

async fn keep(
    services: &Services,
    visitor: &Visitor,
    room: WorkflowRoom,
    id: JobId,
    client_id: Option<&str>,
    document: &Document,
) -> Result<Workflow, Refusal> {
    let jobs: Vec<JobId> = document.parts.iter().map(|part| part.job).collect();
    let text = json!(document).to_string();
    let new = NewWorkflow { id, client_id, jobs: &jobs, document: &text };
    let kept = services.keep_workflow(visitor, room, new).await;
    if kept.is_err() {
        // Nobody would ever be told of them.
        cancel_all(services, visitor, &document.parts).await;
    }
    Ok(kept.map_err(ApiError::from)?)
}

async fn cancel_all(services: &Services, visitor: &Visitor, parts: &[Part]) {
    for part in parts {
        if let Err(error) = workflow::cancel(services, visitor, part.job).await {
            tracing::warn!(job.id = %part.job, error = error.public.message, "a job could not be cancelled");
        }
    }
}
