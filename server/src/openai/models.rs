//! What is installed, as OpenAI lists models.

use axum::Json;
use axum::extract::{Path, State};
use backend::Services;
use serde::Serialize;
use types::model::ModelInfo;

use super::choices::{is_openai_model, said};
use super::error::{OpenAiError, OpenAiResult};

/// A list of OpenAI's.
#[derive(Serialize)]
pub struct List {
    object: &'static str,
    data: Vec<Model>,
}

/// A model as OpenAI describes one.
#[derive(Serialize)]
pub struct Model {
    /// Its name in requests.
    id: String,
    object: &'static str,
    /// When it was made, in seconds since 1970: 0, as no model's files say it.
    created: i64,
    /// `darkroom` for what comes with the program, `user` for what was installed.
    owned_by: &'static str,
}

impl From<ModelInfo> for Model {
    fn from(model: ModelInfo) -> Self {
        let owned_by = if model.bundled { "darkroom" } else { "user" };
        Self { id: model.name, object: "model", created: 0, owned_by }
    }
}

/// `GET /v1/models`: the picture models that can be used, the default one first.
pub async fn list(State(services): State<Services>) -> Json<List> {
    Json(List { object: "list", data: usable(&services).map(Model::from).collect() })
}

/// `GET /v1/models/{id}`. A name of OpenAI's stands for the default model, as it does in requests.
pub async fn show(State(services): State<Services>, Path(id): Path<String>) -> OpenAiResult<Json<Model>> {
    let installed: Vec<ModelInfo> = usable(&services).collect();
    let found = installed.iter().find(|model| model.name == id);
    let found = found.or_else(|| installed.first().filter(|_| is_openai_model(&id)));
    found.cloned().map(|model| Json(model.into())).ok_or_else(|| {
        let names: Vec<_> = installed.iter().map(|model| model.name.as_str()).collect();
        let message = format!("model {} is not installed; installed are {}", said(&id), names.join(", "));
        OpenAiError::unknown_model(message)
    })
}

fn usable(services: &Services) -> impl Iterator<Item = ModelInfo> {
    services.models().into_iter().filter(|model| model.problem.is_none())
}
