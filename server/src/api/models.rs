//! What is installed.

use axum::Json;
use axum::extract::State;
use backend::Services;
use types::model::ModelInfo;

/// `GET /api/v1/models`: the picture models, the default one first.
pub async fn list(State(services): State<Services>) -> Json<Vec<ModelInfo>> {
    Json(services.models())
}
