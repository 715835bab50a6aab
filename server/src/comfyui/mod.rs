//! The API of ComfyUI.

use axum::Router;

use crate::state::AppState;

/// Its routes.
pub fn routes() -> Router<AppState> {
    Router::new()
}
