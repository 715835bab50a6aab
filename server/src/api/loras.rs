//! Which LoRA files are installed.

use axum::Json;
use axum::extract::State;
use backend::Services;
use types::lora::LoraInfo;

/// The installed LoRA files
///
/// By name. One that cannot be used says why.
#[utoipa::path(
    get, path = "/api/v1/loras", operation_id = "list_loras", tag = "what there is",
    responses((status = 200, description = "The LoRA files.", body = Vec<LoraInfo>)),
)]
pub async fn list(State(services): State<Services>) -> Json<Vec<LoraInfo>> {
    Json(services.loras())
}
