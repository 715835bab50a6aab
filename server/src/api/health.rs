//! Whether the program is up, for whoever watches over it.

use axum::Json;
use axum::extract::State;
use backend::Services;
use serde::Serialize;
use utoipa::ToSchema;

/// The program's health.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// `ok`, or `no_model` if there is no model that can paint.
    status: &'static str,
    /// The program's version.
    version: &'static str,
}

/// Whether the program is up, and has a model that paints
#[utoipa::path(
    get, path = "/api/v1/health", operation_id = "get_health", tag = "what there is",
    responses((status = 200, description = "How it is.", body = Health)),
)]
pub async fn show(State(services): State<Services>) -> Json<Health> {
    let can_paint = services.models().iter().any(|model| model.problem.is_none());
    Json(Health { status: if can_paint { "ok" } else { "no_model" }, version: env!("CARGO_PKG_VERSION") })
}
