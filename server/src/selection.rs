//! Several pictures of the history at once: saved as a zip file, or deleted. A script is not needed for either.

use app::{FormState, TypedNumbers};
use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use backend::{Visitor, ZipStream};
use futures::TryStreamExt;
use types::picture::PictureId;
use types::request::RawRequest;

use crate::error::{ApiError, ApiResult, chain};
use crate::extract::{ApiForm, Fields, read_id};
use crate::forms::{back, page_before};
use crate::pages;
use crate::state::AppState;

/// The media type of a zip file.
pub const ZIP: &str = "application/zip";

/// `POST /history/zip`, with `picture=ID` for each.
pub async fn zip(
    State(state): State<AppState>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    ApiForm(fields): ApiForm,
) -> Response {
    let zip = async { Ok(state.services.zip_pictures(&visitor, &selected(&fields)?).await?) };
    match zip.await {
        Ok(stream) => zip_answer(stream),
        Err(error) => refuse(state, visitor, &headers, error).await,
    }
}

/// A zip file on its way, with a name to save it under.
pub fn zip_answer(stream: ZipStream) -> Response {
    let stream =
        stream.inspect_err(|error| tracing::error!(error = %chain(error), "a zip file was not finished"));
    let facts = [
        (header::CONTENT_TYPE, ZIP.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", file_name())),
    ];
    (facts, Body::from_stream(stream)).into_response()
}

/// `POST /history/delete`, with `picture=ID` for each.
pub async fn delete(
    State(state): State<AppState>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    ApiForm(fields): ApiForm,
) -> Response {
    let delete = async { Ok(state.services.delete_pictures(&visitor, &selected(&fields)?).await?) };
    match delete.await {
        Ok(_) => back(&headers).into_response(),
        Err(error) => refuse(state, visitor, &headers, error).await,
    }
}

fn selected(fields: &Fields) -> ApiResult<Vec<PictureId>> {
    let ids = fields.iter().filter(|(name, _)| name == "picture");
    ids.map(|(_, id)| read_id(id)).collect()
}

fn file_name() -> String {
    let now = time::OffsetDateTime::now_utc();
    format!("darkroom-{}{:02}{:02}.zip", now.year(), u8::from(now.month()), now.day())
}

/// The page of the history that the form was on, with what is wrong.
async fn refuse(state: AppState, visitor: Visitor, headers: &HeaderMap, error: ApiError) -> Response {
    let page = page_before(headers).parse().ok().filter(|page: &Uri| page.path() == "/history");
    let page = page.unwrap_or_else(|| Uri::from_static("/history"));
    let form = FormState::refused(RawRequest::default(), TypedNumbers::default(), error.public);
    pages::refused_form(state, visitor, page, form, error.status).await
}
