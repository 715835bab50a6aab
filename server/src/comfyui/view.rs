//! Pictures by the names that answers call them.

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use backend::{Services, Visitor};
use serde::Deserialize;
use types::error::PublicError;
use types::picture::PictureFormat;

use super::faults::Refusal;
use super::file_names::{picture, without_folder_mark};
use super::installed::find_picture;
use crate::api::pictures::CACHE_CONTROL;
use crate::error::ApiError;
use crate::extract::ApiQuery;

/// Which picture, and how.
#[derive(Deserialize)]
pub struct Wanted {
    #[serde(default)]
    filename: String,
    #[serde(default)]
    subfolder: String,
    #[serde(default, rename = "type")]
    folder: String,
    /// A format and a quality, as in `webp;90`.
    preview: Option<String>,
}

/// `GET /view?filename=&subfolder=&type=&preview=`: a picture that was made, or one that the asker sent.
pub async fn show(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    wanted: Result<ApiQuery<Wanted>, ApiError>,
) -> Result<Response, Refusal> {
    let ApiQuery(wanted) = wanted?;
    let name = without_folder_mark(&wanted.filename);
    let is_sent = wanted.folder == "input" || wanted.filename.ends_with("[input]");
    // Programs may call any folder the one that they send to.
    let Some(id) = picture(name).filter(|_| !is_sent) else {
        return sent(&services, &visitor, &wanted.subfolder, name).await;
    };
    let format = match wanted.preview.as_deref().map(|preview| preview.split(';').next().unwrap_or("")) {
        None => PictureFormat::Png,
        Some("jpeg") => PictureFormat::Jpeg,
        Some(_) => PictureFormat::Webp,
    };
    let file = services.picture_file(&visitor, id, format).await.map_err(ApiError::from)?;
    let headers = [
        (header::CONTENT_TYPE, file.content_type.to_owned()),
        (header::CACHE_CONTROL, CACHE_CONTROL.to_owned()),
        (header::CONTENT_DISPOSITION, format!("filename=\"{}\"", file.file_name)),
        (header::ETAG, file.etag),
    ];
    Ok((headers, Body::from(file.bytes)).into_response())
}

/// A picture that the visitor sent.
async fn sent(
    services: &Services,
    visitor: &Visitor,
    subfolder: &str,
    name: &str,
) -> Result<Response, Refusal> {
    let path = if subfolder.is_empty() { name.to_owned() } else { format!("{subfolder}/{name}") };
    let id = find_picture(services, visitor, &path).await?.and_then(|id| id.parse().ok());
    let Some(id) = id else { return Err(not_there(name).into()) };
    let file = services.upload_file(visitor, id).await.map_err(ApiError::from)?;
    let kind = [(header::CONTENT_TYPE, file.content_type)];
    Ok((kind, Body::from(file.bytes)).into_response())
}

fn not_there(name: &str) -> ApiError {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
    PublicError::not_found(format!("there is no picture `{shown}`")).into()
}
