//! Lists of words that a prompt may name.

use axum::Json;
use axum::extract::State;
use backend::Services;
use types::prompt::WildcardInfo;

/// The lists of words
///
/// A prompt names one as `__name__`: the site's own, then those that come with the program.
#[utoipa::path(
    get, path = "/api/v1/wildcards", operation_id = "list_wildcards", tag = "prompts",
    responses((status = 200, description = "All of them.", body = Vec<WildcardInfo>)),
)]
pub async fn list(State(services): State<Services>) -> Json<Vec<WildcardInfo>> {
    Json(services.wildcards())
}
