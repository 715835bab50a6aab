//! Pictures that visitors send: to start from, or as masks.

use axum::body::Body;
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use backend::{Services, Visitor};
use bytes::Bytes;
use serde::Deserialize;
use types::error::{ErrorCode, PublicError};
use types::picture::PictureFormat;
use types::upload::{MAX_UPLOAD_BYTES, UploadId, UploadInfo};
use utoipa::ToSchema;

use super::pictures::{CACHE_CONTROL, is_among};
use crate::error::{ApiError, ApiResult, PROBLEM, Problem};
use crate::extract::ApiId;
use crate::multipart::{self, file_too_large};

/// A file as the body itself, or as the field `file` of a form.
pub struct ApiFile(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for ApiFile {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let headers = request.headers();
        // Said beforehand, it need not be sent at all.
        if content_length(headers).is_some_and(|length| length > 2 * MAX_UPLOAD_BYTES) {
            return Err(file_too_large());
        }
        if let Some(boundary) = multipart::boundary(headers) {
            let form = multipart::read(request.into_body(), boundary).await?;
            let (file, others): (Vec<_>, Vec<_>) =
                form.files.into_iter().partition(|file| file.field == "file");
            // A text in the place of the file is no unknown field.
            let texts = form.fields.into_iter().map(|(name, _)| name).filter(|name| name != "file");
            if let Some(unknown) = others.into_iter().map(|file| file.field).chain(texts).next() {
                let unknown: String = unknown.chars().take(40).collect();
                let message = format!("there is no field `{unknown}` here; known is `file`");
                return Err(PublicError::new(ErrorCode::InvalidRequest, message).into());
            }
            let file = file.into_iter().next().ok_or_else(|| {
                PublicError::invalid_field("file", "the form has no file in the field `file`; choose one")
            })?;
            return file.bytes.map(Self).ok_or_else(file_too_large);
        }
        if !says_picture(headers) {
            let known = PictureFormat::ALL.map(PictureFormat::content_type).join(", ");
            return Err(ApiError::unreadable(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                format!(
                    "the header `content-type` does not say that a picture is sent; allowed are {known}, and \
                     multipart/form-data with the field `file`"
                ),
            ));
        }
        multipart::read_file(request.into_body()).await.map(Self)
    }
}

/// A form with a file.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes a body that is read piece by piece")]
pub struct UploadForm {
    /// A PNG, JPEG or WebP file.
    #[schema(value_type = String, format = Binary, min_length = 1)]
    file: Vec<u8>,
}

/// Send a picture
///
/// A PNG, JPEG or WebP file, to start from or as a mask: as the field `file` of a form, or as the body itself. It is kept
/// for a day, and as long as a job that uses it.
#[utoipa::path(
    post, path = "/api/v1/uploads", operation_id = "create_upload", tag = "uploads",
    request_body(content((UploadForm = "multipart/form-data"))),
    responses(
        (status = 201, description = "Its name and its size.", body = UploadInfo,
            headers(("location" = String, description = "Where the upload is.")),
            links(("upload" = (operation_id = "get_upload", parameters(("id" = "$response.body#/id")))))),
        (status = "default", description = "What was wrong.", body = Problem, content_type = PROBLEM),
    ),
)]
pub async fn create(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    ApiFile(bytes): ApiFile,
) -> ApiResult<impl IntoResponse> {
    let upload = services.store_upload(&visitor, bytes).await?;
    let location = format!("/api/v1/uploads/{}", upload.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(upload)))
}

/// An upload again
///
/// The file as it was sent, to whoever sent it.
#[utoipa::path(
    get, path = "/api/v1/uploads/{id}", operation_id = "get_upload", tag = "uploads",
    params(("id" = UploadId, Path, description = "The upload.")),
    responses(
        (status = 200, description = "The file.", content(
            (Vec<u8> = "image/png"), (Vec<u8> = "image/jpeg"), (Vec<u8> = "image/webp"),
        )),
        (status = 304, description = "The caller has it already."),
        (status = "default", description = "What was wrong.", body = Problem, content_type = PROBLEM),
    ),
)]
pub async fn show(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    ApiId(id): ApiId<UploadId>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let file = services.upload_file(&visitor, id).await?;
    let facts = [(header::ETAG, file.etag.clone()), (header::CACHE_CONTROL, CACHE_CONTROL.to_owned())];
    let known = headers.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok());
    if known.is_some_and(|known| is_among(&file.etag, known)) {
        return Ok((StatusCode::NOT_MODIFIED, facts).into_response());
    }
    Ok((facts, [(header::CONTENT_TYPE, file.content_type)], Body::from(file.bytes)).into_response())
}

fn content_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether the body is said to be a picture of a kind that is read. Which of them it is, its bytes say.
fn says_picture(headers: &HeaderMap) -> bool {
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let kind = said.split(';').next().unwrap_or("").trim();
    PictureFormat::ALL.into_iter().any(|format| format.content_type().eq_ignore_ascii_case(kind))
}
