//! The API of the AUTOMATIC1111 web UI.

use axum::Router;

use crate::state::AppState;

/// Its routes.
pub fn routes() -> Router<AppState> {
    Router::new()
}
