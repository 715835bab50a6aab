//! Pictures from a prompt and another picture.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use backend::{Services, Visitor};
use bytes::Bytes;

use super::answer::answer;
use super::asked::Asked;
use super::error::{OpenAiError, OpenAiResult};
use super::form::PictureForm;
use super::origin::Origin;
use super::stream::Deed;
use crate::error::ApiError;
use crate::state::AppState;

/// How far a masked edit goes from what lies under its mask if nothing is said of it: OpenAI's paints it anew from
/// nothing.
const MASKED_STRENGTH: f64 = 1.0;

/// `POST /v1/images/edits` with a form, or with JSON: `image`, `prompt` and perhaps `mask`, a picture that is transparent
/// where the other one is to be painted anew. A picture that is transparent itself is its own mask.
pub async fn create(
    State(state): State<AppState>,
    Extension(visitor): Extension<Visitor>,
    origin: Origin,
    form: PictureForm,
) -> OpenAiResult<Response> {
    let mut asked = Asked::read(form.object, &state.services.models())?;
    let image = needed(form.image)?;
    asked.raw.start = Some(keep(&state.services, &visitor, image.clone()).await?);
    let mask = match form.mask {
        Some(mask) => Some(keep_mask(&state.services, &visitor, mask).await?),
        None => transparency(&state.services, &visitor, "image", image).await?,
    };
    if let Some(mask) = mask {
        asked.raw.mask = Some(mask);
        asked.raw.strength.get_or_insert(MASKED_STRENGTH);
    }
    answer(state, visitor, origin, Deed::Edit, asked).await
}

/// The picture that nothing can be done without.
///
/// # Errors
/// It was not sent.
pub fn needed(image: Option<Bytes>) -> OpenAiResult<Bytes> {
    let message = "image is missing; send a PNG, JPEG or WebP file in the field `image`";
    image.ok_or_else(|| OpenAiError::missing("image", message))
}

/// Keeps the picture as an upload of the asker's; gives back its id.
///
/// # Errors
/// The file is no picture.
pub async fn keep(services: &Services, visitor: &Visitor, image: Bytes) -> OpenAiResult<String> {
    let upload = services.store_upload(visitor, image).await.map_err(|error| of("image", error))?;
    Ok(upload.id.to_string())
}

async fn keep_mask(services: &Services, visitor: &Visitor, mask: Bytes) -> OpenAiResult<String> {
    transparency(services, visitor, "mask", mask).await?.ok_or_else(|| {
        let message =
            "the mask has no wholly transparent pixel; make transparent (alpha 0) what is to be painted anew";
        OpenAiError::invalid_value("mask", message)
    })
}

/// Keeps the mask that a picture's transparency is, if it has any.
async fn transparency(
    services: &Services,
    visitor: &Visitor,
    param: &str,
    picture: Bytes,
) -> OpenAiResult<Option<String>> {
    let mask = services.store_transparency(visitor, picture).await.map_err(|error| of(param, error))?;
    Ok(mask.map(|mask| mask.id.to_string()))
}

/// An upload's error by the name of its parameter.
fn of(param: &str, error: backend::Error) -> OpenAiError {
    let mut error = ApiError::from(error);
    error.public.field = error.public.field.map(|_| param.to_owned());
    error.into()
}
