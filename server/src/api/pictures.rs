//! Finished pictures: served, kept as favourites, deleted.

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use backend::{PictureFile, Services, Visitor};
use serde::Deserialize;
use types::error::PublicError;
use types::picture::{PictureFormat, PictureId, PictureInfo};

use crate::error::{ApiError, ApiResult};
use crate::extract::{ApiId, ApiJson, read_id};

/// A picture never changes, and its address is a secret that its maker shares or keeps.
pub const CACHE_CONTROL: &str = "private, max-age=31536000, immutable";

/// `GET /images/{id}.{png|jpg|webp}`; with `?download` the browser saves it.
pub async fn file(
    State(services): State<Services>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let (id, ending) = name.rsplit_once('.').unwrap_or((&name, "png"));
    let id: PictureId = read_id(id)?;
    let format = PictureFormat::from_extension(ending).ok_or_else(|| unknown_format(ending))?;
    if let Some(answer) = unchanged(&services, &headers, id, Some(format)).await? {
        return Ok(answer);
    }
    let picture = services.picture_file(id, format).await?;
    let is_download = query.is_some_and(|query| query.split('&').any(|part| part.starts_with("download")));
    let mut answer = answer(&picture);
    if is_download && let Ok(value) = format!("attachment; filename=\"{}\"", picture.file_name).parse() {
        answer.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(answer)
}

/// `GET /images/{id}/thumbnail`.
pub async fn thumbnail(
    State(services): State<Services>,
    ApiId(id): ApiId<PictureId>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    if let Some(answer) = unchanged(&services, &headers, id, None).await? {
        return Ok(answer);
    }
    Ok(answer(&services.thumbnail(id).await?))
}

/// Whether a picture shall be a favourite.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Favourite {
    favourite: bool,
}

/// `POST /api/v1/images/{id}/favourite` with `{"favourite": true}`.
pub async fn favourite(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    ApiId(id): ApiId<PictureId>,
    ApiJson(wish): ApiJson<Favourite>,
) -> ApiResult<Json<PictureInfo>> {
    Ok(Json(services.set_favourite(&visitor, id, wish.favourite).await?))
}

/// `DELETE /api/v1/images/{id}`.
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
    headers: &HeaderMap,
    id: PictureId,
    format: Option<PictureFormat>,
) -> ApiResult<Option<Response>> {
    let Some(known) = headers.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok()) else {
        return Ok(None);
    };
    let etag = services.picture_tag(id, format).await?;
    if !is_among(&etag, known) {
        return Ok(None);
    }
    let facts = [(header::ETAG, etag), (header::CACHE_CONTROL, CACHE_CONTROL.to_owned())];
    Ok(Some((StatusCode::NOT_MODIFIED, facts).into_response()))
}

/// Whether an entity tag is one of those in `If-None-Match`. Weak ones count: the bytes never change.
pub fn is_among(etag: &str, known: &str) -> bool {
    known.split(',').map(str::trim).any(|known| known == "*" || known.trim_start_matches("W/") == etag)
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
        assert!(is_among("\"a-png\"", "*"));
        assert!(!is_among("\"a-png\"", "\"a-jpg\""));
    }
}
