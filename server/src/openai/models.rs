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
    let installed = services.models();
    let found = installed.iter().find(|model| model.name == id);
    match found.or_else(|| installed.first().filter(|_| is_openai_model(&id))) {
        Some(ModelInfo { problem: Some(problem), name, .. }) => {
            Err(OpenAiError::unknown_model(format!("model `{name}` cannot be used: {problem}")))
        }
        Some(model) => Ok(Json(model.clone().into())),
        None => {
            let names: Vec<_> = usable(&services).map(|model| model.name).collect();
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let message = format!("model {} is not installed; those that can be used: {known}", said(&id));
            Err(OpenAiError::unknown_model(message))
        }
    }
}

fn usable(services: &Services) -> impl Iterator<Item = ModelInfo> {
    services.models().into_iter().filter(|model| model.problem.is_none())
}
