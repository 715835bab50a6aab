//! Words that are put around a prompt, by name.

use axum::Json;
use axum::extract::State;
use backend::Services;
use types::prompt::Style;

/// The styles
///
/// Words that are put around a prompt, by name: the site's own, then those that come with the program.
#[utoipa::path(
    get, path = "/api/v1/styles", operation_id = "list_styles", tag = "prompts",
    responses((status = 200, description = "All of them.", body = Vec<Style>)),
)]
pub async fn list(State(services): State<Services>) -> Json<Vec<Style>> {
    Json(services.styles())
}
