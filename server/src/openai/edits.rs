//! Pictures from a prompt and another picture.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use backend::{Services, Visitor};
use bytes::Bytes;
use types::upload::UploadId;

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
    let asked = Asked::read(form.object, &state.services.models())?;
    let image = needed(form.image)?;
    let mut kept = Kept::of(&state.services, &visitor);
    let answered = edit(state, visitor, origin, asked, (image, form.mask), &mut kept).await;
    kept.unless_refused(answered).await
}

async fn edit(
    state: AppState,
    visitor: Visitor,
    origin: Origin,
    mut asked: Asked,
    (image, mask): (Bytes, Option<Bytes>),
    kept: &mut Kept,
) -> OpenAiResult<Response> {
    asked.raw.start = Some(kept.keep(image.clone()).await?);
    let mask = match mask {
        Some(mask) => Some(kept.keep_mask(mask).await?),
        None => kept.keep_transparency("image", image).await?,
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

/// What a call sends, kept as uploads of its asker's.
pub struct Kept {
    services: Services,
    visitor: Visitor,
    ids: Vec<UploadId>,
}

impl Kept {
    /// Nothing yet.
    pub fn of(services: &Services, visitor: &Visitor) -> Self {
        Self { services: services.clone(), visitor: visitor.clone(), ids: Vec::new() }
    }

    /// Keeps a picture; gives back its id.
    ///
    /// # Errors
    /// The file is no picture; the asker sent as much as is allowed.
    pub async fn keep(&mut self, image: Bytes) -> OpenAiResult<String> {
        let upload =
            self.services.store_upload(&self.visitor, image).await.map_err(|error| of("image", error))?;
        self.ids.push(upload.id);
        Ok(upload.id.to_string())
    }

    async fn keep_mask(&mut self, mask: Bytes) -> OpenAiResult<String> {
        self.keep_transparency("mask", mask).await?.ok_or_else(|| {
            let message =
                "the mask has no wholly transparent pixel; make transparent (alpha 0) what is to be painted anew";
            OpenAiError::invalid_value("mask", message)
        })
    }

    /// Keeps the mask that a picture's transparency is, if it has any.
    async fn keep_transparency(&mut self, param: &str, picture: Bytes) -> OpenAiResult<Option<String>> {
        let mask = self.services.store_transparency(&self.visitor, picture).await;
        let mask = mask.map_err(|error| of(param, error))?;
        self.ids.extend(mask.map(|mask| mask.id));
        Ok(mask.map(|mask| mask.id.to_string()))
    }

    /// The answer to the call. What a call that is refused sent is of no use to anybody, and counts no longer.
    ///
    /// # Errors
    /// Those of the answer.
    pub async fn unless_refused<T>(self, answered: OpenAiResult<T>) -> OpenAiResult<T> {
        if answered.is_err() {
            self.services.discard_uploads(&self.visitor, &self.ids).await;
        }
        answered
    }
}

/// An upload's error by the name of its parameter.
fn of(param: &str, error: backend::Error) -> OpenAiError {
    let mut error = ApiError::from(error);
    error.public.field = error.public.field.map(|_| param.to_owned());
    error.into()
}
