//! JSON as ComfyUI reads it: whatever the request says that its body is.

use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use bytes::Bytes;
use serde_json::{Map, Value};

use super::faults::{Fault, Refusal};
use crate::error::ApiError;
use crate::extract::{MAX_BODY_BYTES, check_separators};

/// A body that is a JSON object. An empty one counts as an object without fields.
pub struct AnyJson(pub Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for AnyJson {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let body = Bytes::from_request(request, state).await.map_err(|error| {
            let sentence = if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
                format!("the body is too large; at most {MAX_BODY_BYTES} bytes are allowed")
            } else {
                "the body broke off before its end".to_owned()
            };
            Refusal::from(ApiError::unreadable(error.status(), sentence))
        })?;
        check_separators(&body)?;
        if body.trim_ascii().is_empty() {
            return Ok(Self(Map::new()));
        }
        match serde_json::from_slice(&body) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err(Refusal::of(Fault::of_prompt("the body is JSON, and no object"))),
            Err(error) => Err(Refusal::of(Fault::of_prompt(format!("the body is not JSON: {error}")))),
        }
    }
}
