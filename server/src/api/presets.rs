//! What preview, standard and premium mean here.

use axum::Json;
use axum::extract::State;
use backend::Services;
use types::preset::PresetInfo;

/// What preview, standard and premium mean
///
/// With the models that are installed now. One that cannot be used says why.
#[utoipa::path(
    get, path = "/api/v1/presets", operation_id = "list_presets", tag = "prompts",
    responses((status = 200, description = "All of them.", body = Vec<PresetInfo>)),
)]
pub async fn list(State(services): State<Services>) -> Json<Vec<PresetInfo>> {
    Json(services.presets_now())
}
