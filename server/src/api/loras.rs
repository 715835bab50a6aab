//! Which LoRA files are installed.

use axum::Json;
use axum::extract::State;
use backend::Services;
use types::lora::LoraInfo;

/// `GET /api/v1/loras`: the LoRA files, by name.
pub async fn list(State(services): State<Services>) -> Json<Vec<LoraInfo>> {
    Json(services.loras())
}
