//! GPT-2's text: as it is written, and whole.

use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use axum::{Extension, Json};
use backend::{Visitor, choose_seed};
use futures::{Stream, StreamExt, future, stream};
use serde::{Deserialize, Serialize};
use types::error::PublicError;
use types::request::{COUNT, MAX_SEED};
use types::whole::whole;
use utoipa::ToSchema;

use super::streamed::StreamedEvent;
use crate::error::{ApiError, ApiResult, PROBLEM, Problem};
use crate::extract::{ApiJson, ApiQuery};
use crate::state::AppState;
use crate::waiting::held;

/// What to write.
#[derive(Deserialize)]
pub struct Ask {
    /// The text to go on with.
    #[serde(default)]
    start: String,
    /// The same seed writes the same text. Left out: a new one.
    seed: Option<u64>,
}

/// One event of the stream.
#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum Told {
    Text { text: String },
    Done { seed: u64 },
    Failed { message: String },
}

/// A prompt, as GPT-2 writes it
///
/// Server-sent events: `text` with each new piece, then `done` with the seed, or `failed`. Whoever closes the connection
/// stops GPT-2.
#[utoipa::path(
    get, path = "/api/v1/prompts/stream", operation_id = "stream_prompt", tag = "prompts",
    params(
        ("start" = Option<String>, Query, description = "The text to go on with.", max_length = 2000),
        ("seed" = Option<u64>, Query, description = "The same seed writes the same text. Left out: a new one.",
            maximum = 9_007_199_254_740_991_u64),
    ),
    responses(
        (status = 200, description = "The events.", body = StreamedEvent, content_type = "text/event-stream"),
        (status = "default", description = "What was wrong.", body = Problem, content_type = PROBLEM),
    ),
)]
pub async fn stream(
    State(state): State<AppState>,
    Extension(visitor): Extension<Visitor>,
    ApiQuery(ask): ApiQuery<Ask>,
) -> ApiResult<Sse<impl Stream<Item = Result<Event, axum::Error>>>> {
    let seed = seed_or_new(ask.seed)?;
    let pieces = state.services.write_prompt(&visitor, ask.start, Some(seed))?;
    let told = until_failure(pieces, seed).take_until(state.stopping.cancelled_owned());
    Ok(Sse::new(told.map(to_sse)).keep_alive(KeepAlive::default()))
}

/// Which prompts to write.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AskWhole {
    /// The text to go on with.
    #[schema(max_length = 2000)]
    start: String,
    /// Seed of the first; the next has the next seed. Left out: a new one.
    #[schema(maximum = 9_007_199_254_740_991_u64)]
    #[serde(deserialize_with = "whole")]
    seed: Option<u64>,
    /// How many; left out: one.
    #[schema(minimum = 1, maximum = 8)]
    #[serde(deserialize_with = "whole")]
    count: Option<u32>,
}

/// The prompts that were written.
#[derive(Serialize, ToSchema)]
pub struct Prompts {
    /// As many as were asked for.
    prompts: Vec<WrittenPrompt>,
}

/// One of them: the beginning, what came after it, and its seed.
#[derive(Serialize, ToSchema)]
pub struct WrittenPrompt {
    /// The beginning and what came after it.
    prompt: String,
    /// The same seed writes the same text.
    seed: u64,
}

/// Whole prompts, once GPT-2 has written them
///
/// Whoever closes the connection stops it.
#[utoipa::path(
    post, path = "/api/v1/prompts", operation_id = "write_prompts", tag = "prompts",
    request_body = AskWhole,
    responses(
        (status = 200, description = "The prompts.", body = Prompts),
        (status = "default", description = "What was wrong.", body = Problem, content_type = PROBLEM),
    ),
)]
pub async fn create(
    State(state): State<AppState>,
    Extension(visitor): Extension<Visitor>,
    ApiJson(ask): ApiJson<AskWhole>,
) -> ApiResult<Json<Prompts>> {
    let count = ask.count.unwrap_or(1);
    if !COUNT.contains(&count) {
        let (least, most) = (COUNT.start(), COUNT.end());
        let message = format!("count {count} is out of range; allowed are {least} to {most}");
        return Err(PublicError::invalid_field("count", message).into());
    }
    let first = seed_or_new(ask.seed)?;
    let _held = held(&state, &visitor)?;
    let mut prompts = Vec::new();
    for seed in first..first + u64::from(count) {
        let writing = state.services.write_whole_prompt(&visitor, ask.start.clone(), seed);
        let prompt = tokio::select! {
            prompt = writing => prompt?,
            () = state.stopping.cancelled() => return Err(ApiError::shutting_down()),
        };
        prompts.push(WrittenPrompt { prompt, seed });
    }
    Ok(Json(Prompts { prompts }))
}

fn seed_or_new(seed: Option<u64>) -> Result<u64, PublicError> {
    let seed = seed.unwrap_or_else(choose_seed);
    if seed > MAX_SEED {
        let message = format!("seed {seed} is out of range; allowed are 0 to {MAX_SEED}");
        return Err(PublicError::invalid_field("seed", message));
    }
    Ok(seed)
}

/// The pieces, and how it ended.
fn until_failure(pieces: impl Stream<Item = backend::Result<String>>, seed: u64) -> impl Stream<Item = Told> {
    let told = pieces.map(|piece| match piece {
        Ok(text) => Told::Text { text },
        Err(error) => Told::Failed { message: ApiError::from(error).public.message },
    });
    told.chain(stream::once(future::ready(Told::Done { seed }))).scan(false, |has_failed, told| {
        let goes_on = !*has_failed;
        *has_failed = matches!(told, Told::Failed { .. });
        future::ready(goes_on.then_some(told))
    })
}

fn to_sse(told: Told) -> Result<Event, axum::Error> {
    let name = match told {
        Told::Text { .. } => "text",
        Told::Done { .. } => "done",
        Told::Failed { .. } => "failed",
    };
    Event::default().event(name).json_data(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_tells_the_seed_and_a_failure_is_the_end() {
        let pieces = stream::iter([Ok(" red".to_owned()), Ok(" boat".to_owned())]);
        let told: Vec<_> = until_failure(pieces, 7).collect().await;
        assert_eq!(told[1..], [Told::Text { text: " boat".into() }, Told::Done { seed: 7 }]);

        let pieces = stream::iter([Err(backend::Error::ShuttingDown), Ok("never".to_owned())]);
        let told: Vec<_> = until_failure(pieces, 7).collect().await;
        assert_eq!(told.len(), 1);
        assert!(matches!(told[0], Told::Failed { .. }));
    }
}
