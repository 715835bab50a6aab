//! What is installed.

use axum::Json;
use axum::extract::State;
use backend::Services;
use types::model::ModelInfo;

/// The installed picture models
///
/// The one that a request gets which names none comes first. One that cannot be used says why.
#[utoipa::path(
    get, path = "/api/v1/models", operation_id = "list_models", tag = "what there is",
    responses((status = 200, description = "The models.", body = Vec<ModelInfo>)),
)]
pub async fn list(State(services): State<Services>) -> Json<Vec<ModelInfo>> {
    Json(services.models())
}
