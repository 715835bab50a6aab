//! Forms with files.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use multer::{Constraints, Field, Multipart, SizeLimit};
use types::upload::MAX_UPLOAD_BYTES;

use crate::error::ApiError;
use crate::extract::{ApiForm, Fields, MAX_BODY_BYTES};

/// Largest form with files, in bytes: a start picture, a mask, and everything else.
pub const MAX_FORM_BYTES: usize = 2 * MAX_UPLOAD_BYTES + MAX_BODY_BYTES;

/// What a field weighs beside its name and its text, so that there is an end to empty ones too.
const BYTES_PER_FIELD: usize = 64;

/// A form that may come with files: as `multipart/form-data`, or without them as every other form.
#[derive(Debug, Default, PartialEq)]
pub struct FormWithFiles {
    /// The fields that hold text.
    pub fields: Fields,
    /// The files, without those that nobody chose.
    pub files: Vec<SentFile>,
}

/// A file of a form.
#[derive(Debug, PartialEq)]
pub struct SentFile {
    /// The field's name.
    pub field: String,
    /// What the file is called where it comes from.
    pub name: String,
    /// What is in it; `None` if that is more than [`MAX_UPLOAD_BYTES`].
    pub bytes: Option<Bytes>,
}

impl<S: Send + Sync> FromRequest<S> for FormWithFiles {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if let Some(boundary) = boundary(request.headers()) {
            return read(request.into_body(), boundary).await;
        }
        let ApiForm(fields) = ApiForm::from_request(request, state).await?;
        Ok(Self { fields, files: Vec::new() })
    }
}

/// What stands between the fields of a form with files; nothing if it is none.
pub fn boundary(headers: &HeaderMap) -> Option<String> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    multer::parse_boundary(kind).ok()
}

/// Reads a form with files to its end, so that one file that is too large does not cost the other fields.
///
/// # Errors
/// The form is too large as a whole, or no form.
pub async fn read(body: Body, boundary: String) -> Result<FormWithFiles, ApiError> {
    let limit = SizeLimit::new().whole_stream(MAX_FORM_BYTES as u64);
    let constraints = Constraints::new().size_limit(limit);
    let mut parts = Multipart::with_constraints(body.into_data_stream(), boundary, constraints);
    let mut form = FormWithFiles::default();
    let mut room = MAX_BODY_BYTES;
    while let Some(mut field) = parts.next_field().await.map_err(|error| unreadable(&error))? {
        let name = field.name().unwrap_or("").to_owned();
        room = room.checked_sub(name.len() + BYTES_PER_FIELD).ok_or_else(too_large)?;
        if let Some(file_name) = field.file_name().map(str::to_owned) {
            room = room.checked_sub(file_name.len()).ok_or_else(too_large)?;
            let nobody_chose_one = file_name.is_empty();
            let bytes = read_field(&mut field, MAX_UPLOAD_BYTES).await?;
            if !(nobody_chose_one && bytes.as_ref().is_some_and(Bytes::is_empty)) {
                form.files.push(SentFile { field: name, name: file_name, bytes });
            }
        } else {
            let text = read_field(&mut field, room).await?.ok_or_else(too_large)?;
            room -= text.len();
            form.fields.push((name, String::from_utf8_lossy(&text).into_owned()));
        }
    }
    Ok(form)
}

/// Reads a field to its end. `None` if it holds more than so many bytes, which are not kept then.
async fn read_field(field: &mut Field<'_>, most: usize) -> Result<Option<Bytes>, ApiError> {
    let mut bytes = Some(BytesMut::new());
    while let Some(chunk) = field.chunk().await.map_err(|error| unreadable(&error))? {
        bytes = bytes.filter(|bytes| bytes.len() + chunk.len() <= most);
        if let Some(bytes) = &mut bytes {
            bytes.extend_from_slice(&chunk);
        }
    }
    Ok(bytes.map(BytesMut::freeze))
}

/// Reads a body that is a file.
///
/// # Errors
/// It has more than [`MAX_UPLOAD_BYTES`], or breaks off.
pub async fn read_file(body: Body) -> Result<Bytes, ApiError> {
    let mut stream = body.into_data_stream();
    let mut bytes = BytesMut::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| {
            ApiError::unreadable(StatusCode::BAD_REQUEST, "the body broke off before its end")
        })?;
        if bytes.len() + chunk.len() > MAX_UPLOAD_BYTES {
            return Err(file_too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

/// A file has more than [`MAX_UPLOAD_BYTES`].
pub fn file_too_large() -> ApiError {
    let mut error = ApiError::unreadable(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("the file is too large; at most {MAX_UPLOAD_BYTES} bytes are allowed"),
    );
    error.public.field = Some("file".to_owned());
    error
}

fn too_large() -> ApiError {
    ApiError::unreadable(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!(
            "the form is too large; allowed are {MAX_UPLOAD_BYTES} bytes a file, {MAX_BODY_BYTES} for all other \
             fields, and {MAX_FORM_BYTES} in all"
        ),
    )
}

fn unreadable(error: &multer::Error) -> ApiError {
    match error {
        multer::Error::StreamSizeExceeded { .. } | multer::Error::FieldSizeExceeded { .. } => too_large(),
        multer::Error::IncompleteStream
        | multer::Error::IncompleteFieldData { .. }
        | multer::Error::IncompleteHeaders
        | multer::Error::StreamReadFailed(_) => {
            ApiError::unreadable(StatusCode::BAD_REQUEST, "the form broke off before its end")
        }
        error => ApiError::unreadable(StatusCode::BAD_REQUEST, format!("the form cannot be read: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A form of three parts: each its header's end and its content.
    async fn form(parts: &[(&str, &[u8])]) -> Result<FormWithFiles, ApiError> {
        let mut body = Vec::new();
        for (disposition, content) in parts {
            body.extend(format!("--X\r\ncontent-disposition: form-data; {disposition}\r\n\r\n").bytes());
            body.extend(*content);
            body.extend(b"\r\n");
        }
        body.extend(b"--X--\r\n");
        read(body.into(), "X".to_owned()).await
    }

    #[tokio::test]
    async fn fields_and_files_are_told_apart_and_a_file_that_nobody_chose_is_none() {
        let form = form(&[
            ("name=\"prompt\"", "a boät".as_bytes()),
            ("name=\"start_file\"; filename=\"boat.png\"", b"\x89PNG"),
            ("name=\"mask_file\"; filename=\"\"", b""),
        ])
        .await
        .unwrap();
        assert_eq!(form.fields, [("prompt".to_owned(), "a boät".to_owned())]);
        let bytes = Some(Bytes::from_static(b"\x89PNG"));
        let file = SentFile { field: "start_file".into(), name: "boat.png".into(), bytes };
        assert_eq!(form.files, [file]);
    }

    #[tokio::test]
    async fn a_file_that_is_too_large_does_not_cost_the_other_fields() {
        let large = vec![0; MAX_UPLOAD_BYTES + 1];
        let form =
            form(&[("name=\"start_file\"; filename=\"boat.png\"", &large), ("name=\"prompt\"", b"a boat")])
                .await
                .unwrap();
        let file = SentFile { field: "start_file".into(), name: "boat.png".into(), bytes: None };
        assert_eq!(form.files, [file]);
        assert_eq!(form.fields.len(), 1);
    }

    #[tokio::test]
    async fn text_beyond_its_limit_and_fields_without_end_are_refused() {
        let long = vec![b'x'; MAX_BODY_BYTES];
        let error = form(&[("name=\"prompt\"", &long)]).await.unwrap_err();
        assert_eq!(error.status, StatusCode::PAYLOAD_TOO_LARGE);
        let many = vec![("name=\"\"", &b""[..]); 20_000];
        assert_eq!(form(&many).await.unwrap_err().status, StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[tokio::test]
    async fn a_form_that_breaks_off_is_called_so() {
        let body = "--X\r\ncontent-disposition: form-data; name=\"prompt\"\r\n\r\na bo";
        let error = read(body.into(), "X".to_owned()).await.unwrap_err();
        assert_eq!(error.public.message, "the form broke off before its end");
    }

    #[test]
    fn a_form_with_files_is_known_by_its_content_type() {
        let boundary = |kind: &'static str| {
            let kind = header::HeaderValue::from_static(kind);
            boundary(&HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]))
        };
        assert_eq!(boundary("multipart/form-data; boundary=abc").as_deref(), Some("abc"));
        assert_eq!(boundary("multipart/form-data"), None);
        assert_eq!(boundary("application/x-www-form-urlencoded"), None);
    }
}
