//! The shortest way to a picture: one request, answered with its bytes.

use axum::Extension;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use backend::Visitor;
use types::error::PublicError;
use types::picture::PictureFormat;
use types::request::{COUNT, RawRequest};

use crate::callers::give_back_room;
use crate::error::{ApiResult, PROBLEM, Problem};
use crate::extract::ApiJson;
use crate::state::AppState;
use crate::waiting::{to_its_end, unless_it_failed, without_picture};

/// A picture in one call
///
/// Takes what a job takes, for one picture or a grid, waits for it and answers with it as PNG, with its settings inside; of a
/// grid it is the sheet. A caller who hangs up cancels the job.
#[utoipa::path(
    post, path = "/generate-image", operation_id = "generate_image", tag = "pictures in one call",
    request_body = RawRequest,
    responses(
        (status = 200, description = "The picture.", body = Vec<u8>, content_type = "image/png",
            headers(("content-location" = String, description = "Where the picture is kept."))),
        (status = "default", description = "What was wrong.", body = Problem, content_type = PROBLEM),
    ),
)]
pub async fn create(
    State(state): State<AppState>,
    Extension(visitor): Extension<Visitor>,
    ApiJson(asked): ApiJson<RawRequest>,
) -> ApiResult<impl IntoResponse> {
    check_count(asked.count)?;
    give_back_room();
    let job = unless_it_failed(to_its_end(&state, &visitor, asked).await?)?;
    // The sheet of a grid is the last of its pictures.
    let picture = if job.request.grid.is_some() { job.pictures.last() } else { job.pictures.first() };
    let picture = picture.ok_or_else(without_picture)?;
    let file = state.services.picture_file(&visitor, picture.id, PictureFormat::Png).await?;
    let headers = [
        (header::CONTENT_TYPE, file.content_type.to_owned()),
        (header::CONTENT_LOCATION, picture.path(PictureFormat::Png)),
    ];
    Ok((headers, file.bytes))
}

/// An answer is one picture.
fn check_count(count: Option<i64>) -> Result<(), PublicError> {
    let Some(count) = count.filter(|count| *count != 1) else { return Ok(()) };
    let sentence = format!(
        "count {count} is not possible here, as the answer is one picture; allowed is 1, and up to {} at \
         `/api/v1/jobs`",
        COUNT.end()
    );
    Err(PublicError::invalid_field("count", sentence))
}
