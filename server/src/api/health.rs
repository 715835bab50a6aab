//! Whether the program is up, for whoever watches over it.

use axum::Json;
use axum::extract::State;
use backend::Services;
use serde::Serialize;

/// The program's health.
#[derive(Serialize)]
pub struct Health {
    /// `ok`, or `no_model` if there is no model that can paint.
    status: &'static str,
    version: &'static str,
}

/// `GET /api/v1/health`.
pub async fn show(State(services): State<Services>) -> Json<Health> {
    let can_paint = services.models().iter().any(|model| model.problem.is_none());
    Json(Health { status: if can_paint { "ok" } else { "no_model" }, version: env!("CARGO_PKG_VERSION") })
}
