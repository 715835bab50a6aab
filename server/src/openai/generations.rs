//! Pictures from a prompt.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use backend::Visitor;
use serde_json::{Map, Value};

use super::answer::answer;
use super::asked::Asked;
use super::error::{OpenAiResult, wrong_content_type};
use super::origin::Origin;
use super::stream::Deed;
use crate::error::ApiError;
use crate::extract::ApiJson;
use crate::state::AppState;

/// `POST /v1/images/generations` with JSON.
pub async fn create(
    State(state): State<AppState>,
    Extension(visitor): Extension<Visitor>,
    origin: Origin,
    object: Result<ApiJson<Map<String, Value>>, ApiError>,
) -> OpenAiResult<Response> {
    let ApiJson(object) = object.map_err(|error| match error.status {
        StatusCode::UNSUPPORTED_MEDIA_TYPE => wrong_content_type(&error.public.message),
        _ => error.into(),
    })?;
    let asked = Asked::read(object, &state.services.models())?;
    answer(state, visitor, origin, Deed::Generation, asked).await
}
