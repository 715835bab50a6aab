//! How noise is removed: the samplers and schedules by their names.

use axum::Json;
use serde::Serialize;
use types::sampler::{Sampler, Schedule};
use utoipa::ToSchema;

/// A sampler or a schedule.
#[derive(Serialize, ToSchema)]
pub struct Named {
    /// Its name in requests. Other programs' names for it are read too.
    #[schema(examples("dpmpp_2m"))]
    name: &'static str,
    /// The name that people know it by.
    #[schema(examples("DPM++ 2M"))]
    title: &'static str,
    /// What it is good for.
    description: &'static str,
}

/// The samplers
///
/// In the order in which they are offered.
#[utoipa::path(
    get, path = "/api/v1/samplers", operation_id = "list_samplers", tag = "what there is",
    responses((status = 200, description = "All samplers.", body = Vec<Named>)),
)]
pub async fn samplers() -> Json<Vec<Named>> {
    let named = |sampler: Sampler| Named {
        name: sampler.as_str(),
        title: sampler.label(),
        description: sampler.describe(),
    };
    Json(Sampler::ALL.map(named).into())
}

/// The noise schedules
///
/// In the order in which they are offered.
#[utoipa::path(
    get, path = "/api/v1/schedules", operation_id = "list_schedules", tag = "what there is",
    responses((status = 200, description = "All schedules.", body = Vec<Named>)),
)]
pub async fn schedules() -> Json<Vec<Named>> {
    let named = |schedule: Schedule| Named {
        name: schedule.as_str(),
        title: schedule.label(),
        description: schedule.describe(),
    };
    Json(Schedule::ALL.map(named).into())
}
