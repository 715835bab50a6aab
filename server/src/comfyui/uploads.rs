//! Pictures that programs send to begin with, by names that they choose.

use axum::extract::{FromRequest, Request, State};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use backend::{Services, Visitor};
use bytes::Bytes;
use serde_json::{Value, json};
use types::error::PublicError;
use types::upload::UploadId;

use super::faults::Refusal;
use super::installed::find_picture;
use crate::error::{ApiError, ApiResult};
use crate::extract::{Fields, check_separators};
use crate::multipart::{self, file_too_large};

/// Longest name with its folder, in characters.
const MAX_NAME: usize = 200;

/// Most numbers that are tried for a name that is taken. Each costs a few looks at the database, and perhaps at two files.
const MOST_NUMBERS: usize = 20;

/// A form with the file `image` and fields beside it.
pub struct Sent {
    bytes: Bytes,
    name: String,
    fields: Fields,
}

impl<S: Send + Sync> FromRequest<S> for Sent {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        read(request).await.map_err(Refusal::from)
    }
}

async fn read(request: Request) -> ApiResult<Sent> {
    let Some(boundary) = multipart::boundary(request.headers()) else {
        let sentence = "the body is no form with files; send multipart/form-data with the field `image`";
        return Err(ApiError::from(PublicError::invalid_field("image", sentence)));
    };
    let form = multipart::read(request.into_body(), boundary).await?;
    let file = form.files.into_iter().find(|file| file.field == "image").ok_or_else(|| {
        PublicError::invalid_field("image", "the form has no file in the field `image`; send one")
    })?;
    let bytes = file.bytes.ok_or_else(file_too_large)?;
    Ok(Sent { bytes, name: file.name, fields: form.fields })
}

impl Sent {
    fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value)
    }
}

/// `POST /upload/image`: keeps a picture under a name.
///
/// A name that stands for another picture gets a number, unless the field `overwrite` says otherwise.
pub async fn image(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    sent: Sent,
) -> Result<impl IntoResponse, Refusal> {
    let (folder, name) = names(&sent)?;
    let upload = services.store_upload(&visitor, sent.bytes.clone()).await.map_err(in_field_image)?;
    keep(&services, &visitor, &sent, (&folder, &name), upload.id).await
}

/// `POST /upload/mask`: keeps a picture with the transparency of another one. `original_ref` names the one that lends its
/// colours, and `image` is the one that lends its transparency.
pub async fn mask(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    sent: Sent,
) -> Result<impl IntoResponse, Refusal> {
    let (folder, name) = names(&sent)?;
    let original = sent.field("original_ref");
    check_separators(original.as_bytes())?;
    let original: Value = serde_json::from_str(original).unwrap_or_default();
    let text = |field: &str| original.get(field).and_then(Value::as_str).unwrap_or("");
    let path = join(text("subfolder"), text("filename"));
    let Some(original) = find_picture(&services, &visitor, &path).await? else {
        let sentence = format!("`original_ref` names no picture of yours: `{path}`");
        return Err(ApiError::from(PublicError::invalid_field("original_ref", sentence)).into());
    };
    let masked = services.with_transparency_of(&visitor, &original, sent.bytes.clone()).await;
    let upload = masked.map_err(in_field_image)?;
    keep(&services, &visitor, &sent, (&folder, &name), upload.id).await
}

/// Gives an upload its name and says it.
async fn keep(
    services: &Services,
    visitor: &Visitor,
    sent: &Sent,
    (folder, name): (&str, &str),
    upload: UploadId,
) -> Result<Json<Value>, Refusal> {
    let name = if matches!(sent.field("overwrite"), "true" | "1") {
        services.name_upload(visitor, &join(folder, name), upload).await.map_err(ApiError::from)?;
        name.to_owned()
    } else {
        name_anew(services, visitor, folder, name, upload).await?
    };
    let kind = sent.field("type");
    let kind = if kind.is_empty() { "input" } else { kind };
    Ok(Json(json!({ "name": name, "subfolder": folder, "type": kind })))
}

/// Gives an upload the name, or with a number the first that is free or stands for the same picture; or with its id, if none
/// of them is.
async fn name_anew(
    services: &Services,
    visitor: &Visitor,
    folder: &str,
    name: &str,
    upload: UploadId,
) -> ApiResult<String> {
    let (stem, ending) =
        name.rsplit_once('.').map_or((name, String::new()), |(stem, ending)| (stem, format!(".{ending}")));
    let numbered = (1..=MOST_NUMBERS).map(|number| format!("{stem} ({number}){ending}"));
    for candidate in std::iter::once(name.to_owned()).chain(numbered) {
        if services.name_upload_unless_taken(visitor, &join(folder, &candidate), upload).await? {
            return Ok(candidate);
        }
    }
    // Nobody was told the id yet, so nothing else has this name.
    let of_its_own = format!("{stem} ({upload}){ending}");
    services.name_upload(visitor, &join(folder, &of_its_own), upload).await?;
    Ok(of_its_own)
}

/// The folder and the name that a picture is sent under.
fn names(sent: &Sent) -> ApiResult<(String, String)> {
    let folder = sent.field("subfolder").trim_matches('/').to_owned();
    let name = sent.name.clone();
    let is_wrong =
        |part: &str| part.is_empty() || part == "." || part == ".." || part.contains(char::is_control);
    let parts = folder.split('/').filter(|part| !(folder.is_empty() && part.is_empty()));
    if parts.chain([name.as_str()]).any(is_wrong) || name.contains(['/', '\\']) || folder.contains('\\') {
        let sentence =
            format!("`{}` is no name for a picture; send one such as `boat.png`", join(&folder, &name));
        return Err(PublicError::invalid_field("image", sentence).into());
    }
    let n_chars = folder.chars().count() + name.chars().count();
    if n_chars > MAX_NAME {
        let sentence = format!("the name has {n_chars} characters; at most {MAX_NAME} are allowed");
        return Err(PublicError::invalid_field("image", sentence).into());
    }
    Ok((folder, name))
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// What is said of an upload's field `file` is meant for `image` here.
fn in_field_image(error: backend::Error) -> ApiError {
    let mut error = ApiError::from(error);
    error.public.field = error.public.field.map(|_| "image".to_owned());
    error
}
