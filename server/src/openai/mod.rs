//! OpenAI's Images API, for programs that know it already.
//!
//! # Layout
//! * `generations`, `edits`, `variations`, `models`: one endpoint a file
//! * `asked`: what was asked for, from JSON or from a form
//! * `form`: a form's texts as the values they stand for, and its files; `references`: pictures that stand in JSON
//! * `choices`: OpenAI's names for sizes, qualities and formats
//! * `answer`, `stream`: the pictures at once, or as they come; `partials`: which previews are told
//! * `usage`: how much went in and came out
//! * `origin`: where the caller knows this site
//! * `error`: what went wrong, in OpenAI's shape
//!
//! `docs/api/openai.md` tells all this to its callers.

mod answer;
mod asked;
mod choices;
mod edits;
mod error;
mod form;
mod generations;
mod models;
mod origin;
mod partials;
mod references;
mod stream;
mod usage;
mod variations;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{any, get, post};
use tower_http::catch_panic::CatchPanicLayer;

pub use error::refused;

use crate::state::AppState;

/// Its routes.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/v1/images/generations", post(generations::create))
        .route("/v1/images/edits", post(edits::create).layer(with_pictures()))
        .route("/v1/images/variations", post(variations::create).layer(with_pictures()))
        .route("/v1/models", get(models::list))
        .route("/v1/models/{id}", get(models::show))
        .method_not_allowed_fallback(error::wrong_method)
        .route("/v1", any(error::unknown_address))
        .route("/v1/", any(error::unknown_address))
        .route("/v1/{*rest}", any(error::unknown_address))
        .layer(CatchPanicLayer::custom(error::panicked))
}

/// JSON that holds pictures is larger than any other.
fn with_pictures() -> DefaultBodyLimit {
    DefaultBodyLimit::max(form::MAX_JSON_BYTES)
}
