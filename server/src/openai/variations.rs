//! Pictures like another one.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use backend::{Services, Visitor};
use bytes::Bytes;
use types::request::check_prompt;

use super::answer::answer;
use super::asked::Asked;
use super::edits::{Kept, needed};
use super::error::{OpenAiError, OpenAiResult};
use super::form::PictureForm;
use super::origin::Origin;
use super::stream::Deed;
use crate::state::AppState;

/// How far a variation goes from its picture if nothing is said of it: far enough to be another one, near enough to
/// have its colours and its composition.
const STRENGTH: f64 = 0.6;

/// What a picture is painted after that nobody says anything of.
const NEUTRAL_PROMPT: &str = "a picture";

/// `POST /v1/images/variations` with a form, or with JSON: `image`. It is painted after the field `prompt`, which OpenAI's
/// does not have, or after the prompt that the picture's file tells, or after a neutral one.
pub async fn create(
    State(state): State<AppState>,
    Extension(visitor): Extension<Visitor>,
    origin: Origin,
    form: PictureForm,
) -> OpenAiResult<Response> {
    let mut asked = Asked::read(form.object, &state.services.models())?;
    let image = needed(form.image)?;
    if form.mask.is_some() {
        let message = "mask means nothing for a variation; send the picture and its mask to /v1/images/edits";
        return Err(OpenAiError::invalid("mask", "unknown_parameter", message));
    }
    if asked.raw.prompt.trim().is_empty() {
        asked.raw.prompt = prompt_of(&state.services, &visitor, image.clone()).await;
    }
    asked.raw.strength.get_or_insert(STRENGTH);
    let mut kept = Kept::of(&state.services, &visitor);
    let answered = async {
        asked.raw.start = Some(kept.keep(image).await?);
        answer(state, visitor, origin, Deed::Edit, asked).await
    };
    let answered = answered.await;
    kept.unless_refused(answered).await
}

/// The prompt inside a file, as much of it as may be asked for here. What is wrong with a file that is no picture is said
/// when it is kept.
async fn prompt_of(services: &Services, visitor: &Visitor, file: Bytes) -> String {
    let read = services.read_settings(visitor, file).await.ok();
    let allowed = read.and_then(|read| check_prompt("prompt", &read.request.prompt).ok());
    allowed.filter(|prompt| !prompt.is_empty()).unwrap_or_else(|| NEUTRAL_PROMPT.to_owned())
}
