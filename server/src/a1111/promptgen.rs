//! Prompts by GPT-2, as the extension `stable-diffusion-webui-promptgen` offers them.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use backend::{Services, Visitor};
use futures::TryStreamExt;
use serde_json::{Value, json};

use super::fields::Fields;
use super::refusal::Refusal;
use crate::state::AppState;
use crate::waiting::held;

/// Most prompts of one call.
const MOST: i64 = 100;
/// The model that the extension comes with, and that its clients name where nobody chose one.
const USUAL_THERE: &str = "AUTOMATIC/promptgen-lexart";

/// `GET /promptgen/list_models`.
pub async fn models(State(services): State<Services>) -> Json<Value> {
    Json(json!({ "available_models": services.prompt_models() }))
}

/// `POST /promptgen/generate`: as many prompts as are asked for, each of which begins with `text`.
///
/// A caller who hangs up stops the writing.
pub async fn generate(
    State(state): State<AppState>,
    Extension(visitor): Extension<Visitor>,
    fields: Fields,
) -> Result<Json<Value>, Refusal> {
    check_model(&state.services, &fields)?;
    let n_prompts = n_prompts(&fields)?;
    let start = fields.text("text")?.unwrap_or("");
    let _held = held(&state, &visitor)?;
    let mut prompts = Vec::new();
    for _ in 0..n_prompts {
        let written = state.services.write_prompt(&visitor, start.to_owned(), None);
        let written = written.map_err(|error| match error.public() {
            public if public.field.as_deref() == Some("start") => fields.refusal("text", public.message),
            _ => error.into(),
        })?;
        let pieces: Vec<String> = written.try_collect().await?;
        prompts.push(format!("{start}{}", pieces.concat()).trim().to_owned());
    }
    Ok(Json(json!({ "prompts": prompts })))
}

fn check_model(services: &Services, fields: &Fields) -> Result<(), Refusal> {
    let Some(name) = fields.word("model_name")?.filter(|name| *name != USUAL_THERE) else { return Ok(()) };
    let installed = services.prompt_models();
    if installed.iter().any(|known| known == name) {
        return Ok(());
    }
    let sentence = format!("model `{name}` is not installed; installed are {}", installed.join(", "));
    Err(Refusal::new(StatusCode::NOT_FOUND, sentence))
}

/// Batches times prompts of each.
fn n_prompts(fields: &Fields) -> Result<i64, Refusal> {
    let usual = 1;
    let (n_batches, batch_size) =
        (fields.whole("batch_count")?.unwrap_or(usual), fields.whole("batch_size")?.unwrap_or(usual));
    for (name, number) in [("batch_count", n_batches), ("batch_size", batch_size)] {
        if !(1..=MOST).contains(&number) {
            let sentence = format!("{name} {number} is out of range; allowed are 1 to {MOST}");
            return Err(fields.refusal(name, sentence));
        }
    }
    let n_prompts = n_batches * batch_size;
    if n_prompts > MOST {
        let sentence =
            format!("batch_count times batch_size, {n_prompts} is out of range; allowed are 1 to {MOST}");
        return Err(fields.refusal("batch_size", sentence));
    }
    Ok(n_prompts)
}
