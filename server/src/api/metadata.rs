//! The settings inside pictures that anybody made.

use axum::extract::State;
use axum::{Extension, Json};
use backend::{Services, Visitor};
use types::metadata::ReadSettings;

use super::uploads::{ApiFile, UploadForm};
use crate::error::{ApiResult, PROBLEM, Problem};

/// Read the settings inside a picture
///
/// Of Darkroom, AUTOMATIC1111, `ComfyUI`, `InvokeAI`, Fooocus or `SwarmUI`, in PNG, JPEG and WebP files: which program wrote
/// them, the request that they make, and what could not be carried over. The file is not kept.
#[utoipa::path(
    post, path = "/api/v1/metadata", operation_id = "read_metadata", tag = "images",
    request_body(content((UploadForm = "multipart/form-data"))),
    responses(
        (status = 200, description = "The settings.", body = ReadSettings),
        (status = "default", description = "What was wrong.", body = Problem, content_type = PROBLEM),
    ),
)]
pub async fn read(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    ApiFile(bytes): ApiFile,
) -> ApiResult<Json<ReadSettings>> {
    Ok(Json(services.read_settings(&visitor, bytes).await?))
}
