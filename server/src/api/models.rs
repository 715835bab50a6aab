//! What is installed.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use backend::Services;
use serde::Serialize;
use types::aspect_ratio::AspectRatio;
use types::model::ModelInfo;
use utoipa::ToSchema;

/// A model, and its sizes by the ratio of their sides.
#[derive(Serialize, ToSchema)]
pub struct ModelWithSizes {
    #[serde(flatten)]
    info: ModelInfo,
    /// Width and height in pixels, by names as in `16:9`.
    aspect_ratios: BTreeMap<String, (u32, u32)>,
}

/// The installed picture models
///
/// The one that a request gets which names none comes first. One that cannot be used says why.
#[utoipa::path(
    get, path = "/api/v1/models", operation_id = "list_models", tag = "what there is",
    responses((status = 200, description = "The models.", body = Vec<ModelWithSizes>)),
)]
pub async fn list(State(services): State<Services>) -> Json<Vec<ModelWithSizes>> {
    Json(services.models().into_iter().map(with_sizes).collect())
}

fn with_sizes(info: ModelInfo) -> ModelWithSizes {
    let sizes = AspectRatio::ALL.into_iter().map(|ratio| (ratio.to_string(), info.size_of_ratio(ratio)));
    ModelWithSizes { aspect_ratios: sizes.collect(), info }
}
