//! What there is: nodes, models, the machine.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use backend::{Services, Visitor};
use serde_json::{Map, Value, json};
use types::upload::MAX_UPLOAD_BYTES;

use super::faults::Refusal;
use super::installed::{checkpoints, installed, loras};
use super::node_classes::CLASSES;
use super::nodes::NodeClass;
use super::values::{Installed, config};

/// The folders of models that Darkroom has, by ComfyUI's names.
const FOLDERS: [&str; 3] = ["checkpoints", "loras", "embeddings"];

/// `GET /object_info`: every kind of node.
pub async fn nodes(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Json<Value>, Refusal> {
    let installed = installed(&services, &visitor).await?;
    let nodes = CLASSES.iter().map(|class| (class.name.to_owned(), describe(class, &installed)));
    Ok(Json(nodes.collect::<Map<_, _>>().into()))
}

/// `GET /object_info/{class}`: an object with that kind of node, or an empty one.
pub async fn node(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    Path(name): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let Some(class) = NodeClass::find(&name) else { return Ok(Json(json!({}))) };
    let installed = installed(&services, &visitor).await?;
    Ok(Json(json!({ class.name: describe(class, &installed) })))
}

fn describe(class: &NodeClass, installed: &Installed) -> Value {
    let inputs: Map<String, Value> =
        class.inputs.iter().map(|input| (input.name.to_owned(), config(input.kind, installed))).collect();
    let order: Vec<_> = class.inputs.iter().map(|input| input.name).collect();
    let outputs: Vec<_> = class.outputs.iter().map(|flow| flow.as_str()).collect();
    json!({
        "input": { "required": inputs },
        "input_order": { "required": order },
        "is_input_list": false,
        "output": outputs,
        "output_is_list": vec![false; outputs.len()],
        "output_name": outputs,
        "name": class.name,
        "display_name": class.title,
        "description": "",
        "python_module": "nodes",
        "category": class.category,
        "output_node": class.is_output,
    })
}

/// `GET /models`: which folders of models there are.
pub async fn folders() -> Json<Value> {
    Json(json!(FOLDERS))
}

/// `GET /models/{folder}`: the names in it; 404 if there is none such.
pub async fn folder(State(services): State<Services>, Path(folder): Path<String>) -> Response {
    match folder.as_str() {
        "checkpoints" => Json(checkpoints(&services)).into_response(),
        "loras" => Json(loras(&services)).into_response(),
        "embeddings" => Json(services.embeddings()).into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// `GET /embeddings`: the names of the textual inversions.
pub async fn embeddings(State(services): State<Services>) -> Json<Vec<String>> {
    Json(services.embeddings())
}

/// `GET /extensions`: scripts for ComfyUI's page, of which there are none here.
pub async fn extensions() -> Json<Value> {
    Json(json!([]))
}

/// What the server can do beyond what every ComfyUI can.
pub fn features() -> Value {
    json!({ "supports_preview_metadata": false, "max_upload_size": MAX_UPLOAD_BYTES })
}

/// `GET /features`.
pub async fn show_features() -> Json<Value> {
    Json(features())
}
