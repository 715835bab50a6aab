//! Finished pictures: served, kept as favourites, deleted.

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use backend::{PictureFile, Services, Visitor};
use serde::Deserialize;
use types::error::PublicError;
use types::history::{HistoryPage, HistoryQuery};
use types::picture::{PictureFormat, PictureId, PictureInfo};
use utoipa::ToSchema;

use crate::error::{ApiError, ApiResult, PROBLEM, Problem};
use crate::extract::{ApiId, ApiJson, ApiQuery, read_id};
use crate::selection::zip_answer;

/// A picture never changes. Whoever was shown it may keep it, and nobody in between.
pub const CACHE_CONTROL: &str = "private, max-age=31536000, immutable";

/// A picture's file
///
/// The id with an ending: `.png`, `.jpg` or `.webp`. Its settings are inside. `?download` makes a browser save it.
#[utoipa::path(
    get, path = "/images/{file}", operation_id = "get_image_file", tag = "images",
    params(
        ("file" = String, Path, description = "The picture's id and the format's ending.",
            pattern = r"^[0-9a-f]{32}\.(png|jpg|webp)$"),
        ("pass" = Option<String>, Query, description = "What an address in an answer has that was made to be handed on; good for an hour."),
        ("download" = Option<bool>, Query, description = "Makes a browser save it under a name of its own."),
    ),
    responses(
        (status = 200, description = "The file.", content((Vec<u8> = "image/png"), (Vec<u8> = "image/jpeg"), (Vec<u8> = "image/webp"))),
        (status = 304, description = "The caller has it already."),
        (status = "default", description = "What was wrong.", body = Problem, content_type = PROBLEM),
    ),
)]
pub async fn file(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let visitor = with_pass(visitor, query.as_deref());
    let (id, ending) = name.rsplit_once('.').unwrap_or((&name, "png"));
    let id: PictureId = read_id(id)?;
    let format = PictureFormat::from_extension(ending).ok_or_else(|| unknown_format(ending))?;
    if let Some(answer) = unchanged(&services, &visitor, &headers, id, Some(format)).await? {
        return Ok(answer);
    }
    let picture = services.picture_file(&visitor, id, format).await?;
    let is_download = query.is_some_and(|query| query.split('&').any(|part| part.starts_with("download")));
    let mut answer = answer(&picture);
    if is_download && let Ok(value) = format!("attachment; filename=\"{}\"", picture.file_name).parse() {
        answer.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(answer)
}

/// A picture's thumbnail
///
/// A JPEG of at most 256 pixels a side.
#[utoipa::path(
    get, path = "/images/{id}/thumbnail", operation_id = "get_thumbnail", tag = "images",
    params(("id" = PictureId, Path, description = "The picture.")),
    responses(
        (status = 200, description = "The file.", content((Vec<u8> = "image/jpeg"))),
        (status = 304, description = "The caller has it already."),
        (status = "default", description = "What was wrong.", body = Problem, content_type = PROBLEM),
    ),
)]
pub async fn thumbnail(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    ApiId(id): ApiId<PictureId>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    if let Some(answer) = unchanged(&services, &visitor, &headers, id, None).await? {
        return Ok(answer);
    }
    Ok(answer(&services.thumbnail(&visitor, id).await?))
}

/// Your pictures
///
/// Newest first, in pages. `search` is words that the prompt has to hold, each at least as a beginning.
#[utoipa::path(
    get, path = "/api/v1/images", operation_id = "list_images", tag = "images",
    params(
        ("search" = Option<String>, Query, description = "Words of the prompt."),
        ("favourites" = Option<bool>, Query, description = "Favourites alone."),
        ("cursor" = Option<String>, Query, description = "Where the last page ended: its `next`."),
        ("limit" = Option<u32>, Query, description = "Pictures a page; 0 means the usual 24.", maximum = 100),
    ),
    responses(
        (status = 200, description = "A page of them.", body = HistoryPage),
        (status = "default", description = "What was wrong.", body = Problem, content_type = PROBLEM),
    ),
)]
pub async fn list(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    ApiQuery(query): ApiQuery<HistoryQuery>,
) -> ApiResult<Json<HistoryPage>> {
    Ok(Json(services.history(&visitor, query).await?))
}

/// A picture, without its pixels
#[utoipa::path(
    get, path = "/api/v1/images/{id}", operation_id = "get_image", tag = "images",
    params(("id" = PictureId, Path, description = "The picture.")),
    responses(
        (status = 200, description = "The picture.", body = PictureInfo),
        (status = "default", description = "What was wrong.", body = Problem, content_type = PROBLEM),
    ),
)]
pub async fn show(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    ApiId(id): ApiId<PictureId>,
) -> ApiResult<Json<PictureInfo>> {
    Ok(Json(services.picture(&visitor, id).await?))
}

/// Some pictures of a list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Their ids.
    #[schema(min_items = 1, max_items = 200)]
    ids: Vec<PictureId>,
}

/// Several pictures as a zip file
///
/// Their PNG files, newest first. Pictures that are not there any more, or are somebody else's, are left out.
#[utoipa::path(
    post, path = "/api/v1/images/zip", operation_id = "zip_images", tag = "images",
    request_body = Selection,
    responses(
        (status = 200, description = "The zip file.", body = Vec<u8>, content_type = "application/zip"),
        (status = "default", description = "What was wrong.", body = Problem, content_type = PROBLEM),
    ),
)]
pub async fn zip(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    ApiJson(selection): ApiJson<Selection>,
) -> ApiResult<Response> {
    Ok(zip_answer(services.zip_pictures(&visitor, &selection.ids).await?))
}

/// Whether a picture shall be a favourite.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Favourite {
    /// It shall be, or no longer.
    favourite: bool,
}

/// Keep a picture as a favourite
#[utoipa::path(
    post, path = "/api/v1/images/{id}/favourite", operation_id = "mark_favourite", tag = "images",
    params(("id" = PictureId, Path, description = "The picture.")),
    request_body = Favourite,
    responses(
        (status = 200, description = "The picture.", body = PictureInfo),
        (status = "default", description = "What was wrong.", body = Problem, content_type = PROBLEM),
    ),
)]
pub async fn favourite(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    ApiId(id): ApiId<PictureId>,
    ApiJson(wish): ApiJson<Favourite>,
) -> ApiResult<Json<PictureInfo>> {
    Ok(Json(services.set_favourite(&visitor, id, wish.favourite).await?))
}

/// Delete a picture
///
/// For good.
#[utoipa::path(
    delete, path = "/api/v1/images/{id}", operation_id = "delete_image", tag = "images",
    params(("id" = PictureId, Path, description = "The picture.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = "default", description = "What was wrong.", body = Problem, content_type = PROBLEM),
    ),
)]
pub async fn delete(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    ApiId(id): ApiId<PictureId>,
) -> ApiResult<StatusCode> {
    services.delete_picture(&visitor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn answer(picture: &PictureFile) -> Response {
    let facts = [
        (header::ETAG, picture.etag.clone()),
        (header::CACHE_CONTROL, CACHE_CONTROL.to_owned()),
        (header::CONTENT_TYPE, picture.content_type.to_owned()),
    ];
    (facts, Body::from(picture.bytes.clone())).into_response()
}

/// The answer to a browser that has the picture already. It costs no look into the file, and no conversion.
async fn unchanged(
    services: &Services,
    visitor: &Visitor,
    headers: &HeaderMap,
    id: PictureId,
    format: Option<PictureFormat>,
) -> ApiResult<Option<Response>> {
    let Some(known) = headers.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok()) else {
        return Ok(None);
    };
    let etag = services.picture_tag(visitor, id, format).await?;
    if !is_among(&etag, known) {
        return Ok(None);
    }
    let facts = [(header::ETAG, etag), (header::CACHE_CONTROL, CACHE_CONTROL.to_owned())];
    Ok(Some((StatusCode::NOT_MODIFIED, facts).into_response()))
}

/// The visitor with the pass in the address, if there is one.
fn with_pass(visitor: Visitor, query: Option<&str>) -> Visitor {
    let pass = form_urlencoded::parse(query.unwrap_or("").as_bytes()).find(|(name, _)| name == "pass");
    match pass {
        Some((_, pass)) => visitor.with_pass(pass.into_owned()),
        None => visitor,
    }
}

/// Whether an entity tag is one of those in `If-None-Match`. Weak ones count: the bytes never change, or mean the same.
pub fn is_among(etag: &str, known: &str) -> bool {
    fn strong(tag: &str) -> &str {
        tag.trim_start_matches("W/")
    }
    known.split(',').map(str::trim).any(|known| known == "*" || strong(known) == strong(etag))
}

fn unknown_format(ending: &str) -> ApiError {
    let known = PictureFormat::ALL.map(PictureFormat::extension).join(", ");
    let ending: String = ending.chars().take(20).collect();
    PublicError::not_found(format!("pictures are not available as `{ending}`; known are {known}")).into()
}

#[cfg(test)]
mod tests {
    use super::is_among;

    #[test]
    fn a_tag_is_found_among_those_that_a_browser_knows() {
        assert!(is_among("\"a-png\"", "\"a-jpg\", W/\"a-png\""));
        assert!(is_among("W/\"a-jpg\"", "W/\"a-jpg\"") && is_among("W/\"a-jpg\"", "\"a-jpg\""));
        assert!(is_among("\"a-png\"", "*"));
        assert!(!is_among("\"a-png\"", "\"a-jpg\""));
    }
}
