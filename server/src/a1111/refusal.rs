//! Errors in the shapes of that web UI.
//!
//! It has two: `FastAPI`'s list of fields that are wrong (422), and one sentence (everything else), to which it adds its own
//! keys. `detail` is in both.

use std::any::Any;

use axum::Json;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use types::error::{ErrorCode, PublicError};

use crate::error::{Advice, ApiError};

/// An error on its way to a client of that web UI.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    status: StatusCode,
    /// Where in the request it is, from `body` on; empty if it is nowhere in particular.
    place: Vec<Value>,
    message: String,
    /// What can be done about it.
    advice: Advice,
}

impl Refusal {
    /// One sentence.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, place: Vec::new(), message: message.into(), advice: Advice::default() }
    }

    /// A value of the body that cannot be used; `place` are the keys on the way to it.
    pub fn of_field(place: &[&str], message: impl Into<String>) -> Self {
        let place = ["body"].iter().chain(place).map(|key| json!(key)).collect();
        Self { place, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, message) }
    }

    /// A picture of `init_images` that cannot be used.
    pub fn of_init_image(index: usize, message: impl Into<String>) -> Self {
        let mut refusal = Self::of_field(&["init_images"], message);
        refusal.place.push(json!(index));
        refusal
    }

    /// The sentence.
    #[cfg(test)]
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// Where our fields are in a request there.
fn place_of(field: &str) -> Vec<&str> {
    match field {
        "guidance_scale" => vec!["cfg_scale"],
        "picture_guidance_scale" => vec!["image_cfg_scale"],
        "schedule" => vec!["scheduler"],
        "count" => vec!["batch_size"],
        "start" => vec!["init_images"],
        "strength" | "hires_strength" => vec!["denoising_strength"],
        "mask_feather" => vec!["mask_blur"],
        "mask_fill" => vec!["inpainting_fill"],
        "hires_scale" => vec!["hr_scale"],
        "hires_steps" => vec!["hr_second_pass_steps"],
        "variation_seed" => vec!["subseed"],
        "variation_strength" => vec!["subseed_strength"],
        "loras" => vec!["prompt"],
        "clip_skip" => vec!["override_settings", "CLIP_stop_at_last_layers"],
        "noise" => vec!["override_settings", "randn_source"],
        same => vec![same],
    }
}

impl From<PublicError> for Refusal {
    fn from(error: PublicError) -> Self {
        ApiError::from(error).into()
    }
}

impl From<backend::Error> for Refusal {
    fn from(error: backend::Error) -> Self {
        ApiError::from(error).into()
    }
}

impl From<ApiError> for Refusal {
    fn from(ApiError { status, public }: ApiError) -> Self {
        let advice = Advice::of(&public);
        let PublicError { code, field, message, .. } = public;
        let refusal = match (code, field.as_deref()) {
            // Names that stand for nothing have statuses of their own there.
            (ErrorCode::InvalidField, Some("model")) => Self::new(StatusCode::NOT_FOUND, message),
            (ErrorCode::InvalidField, Some("sampler")) => Self::new(StatusCode::BAD_REQUEST, message),
            (ErrorCode::InvalidField, Some("count")) => {
                let many = message.strip_prefix("count ").unwrap_or(&message);
                Self::of_field(&["batch_size"], format!("batch_size times n_iter, {many}"))
            }
            (ErrorCode::InvalidField, Some(field)) => Self::of_field(&place_of(field), message),
            _ => Self::new(status, message),
        };
        Self { advice, ..refusal }
    }
}

/// An error of what stands around the handlers, in their shape.
pub fn refused(error: ApiError) -> Response {
    Refusal::from(error).into_response()
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { status, place, message, advice } = self;
        let body = if place.is_empty() {
            json!({ "error": "HTTPException", "detail": message, "body": "", "errors": message })
        } else {
            json!({ "detail": [{ "loc": place, "msg": message, "type": "value_error" }] })
        };
        (status, advice.headers(), Json(body)).into_response()
    }
}

/// What no route has.
pub async fn unknown_address(method: Method, address: Uri) -> Refusal {
    let sentence = format!("there is no {method} {} here", address.path());
    Refusal::new(StatusCode::NOT_FOUND, sentence)
}

/// An address that is there, with another method. The header `allow` is added around it.
pub async fn wrong_method(method: Method, address: Uri) -> Refusal {
    let sentence = format!(
        "method {method} is not possible at {}; the header `allow` of this answer says what is",
        address.path()
    );
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, sentence)
}

/// A handler panicked; the panic itself was written to stderr where it happened.
pub fn panicked(_: Box<dyn Any + Send>) -> Response {
    let message = "something went wrong on the server; its log has the details";
    Refusal::from(PublicError::new(ErrorCode::Internal, message)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn body_of(refusal: impl Into<Refusal>) -> (u16, String) {
        body_of_answer(refusal.into().into_response()).await
    }

    async fn body_of_answer(answer: Response) -> (u16, String) {
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_wrong_value_is_told_with_its_place_in_their_words() {
        let error = PublicError::invalid_field("guidance_scale", "guidance scale 99 is out of range");
        let (status, body) = body_of(error).await;
        assert_eq!(status, 422);
        assert_eq!(
            body,
            r#"{"detail":[{"loc":["body","cfg_scale"],"msg":"guidance scale 99 is out of range","type":"value_error"}]}"#
        );
        let error = PublicError::invalid_field("clip_skip", "clip skip 13 is out of range");
        assert!(
            body_of(error).await.1.contains(r#"["body","override_settings","CLIP_stop_at_last_layers"]"#)
        );
    }

    #[tokio::test]
    async fn names_that_stand_for_nothing_have_the_statuses_of_there() {
        for (field, expected) in [("model", 404), ("sampler", 400)] {
            let (status, body) = body_of(PublicError::invalid_field(field, "`x` is unknown")).await;
            assert_eq!(status, expected);
            assert_eq!(
                body,
                r#"{"body":"","detail":"`x` is unknown","error":"HTTPException","errors":"`x` is unknown"}"#
            );
        }
    }

    #[tokio::test]
    async fn every_other_mistake_keeps_its_status() {
        let error = PublicError::new(ErrorCode::ShuttingDown, "the server is stopping");
        let (status, body) = body_of(error).await;
        assert_eq!(status, 503);
        assert!(body.contains(r#""detail":"the server is stopping""#), "{body}");
    }

    #[tokio::test]
    async fn a_panic_is_told_in_the_same_shape() {
        let (status, body) = body_of_answer(panicked(Box::new("index out of bounds"))).await;
        assert_eq!(status, 500);
        let detail = r#""detail":"something went wrong on the server; its log has the details""#;
        assert!(body.contains(detail), "{body}");
    }

    #[test]
    fn too_many_pictures_are_counted_as_they_were_asked_for() {
        let error = PublicError::invalid_field("count", "count 12 is out of range; allowed are 1 to 8");
        assert_eq!(
            Refusal::from(error).message(),
            "batch_size times n_iter, 12 is out of range; allowed are 1 to 8"
        );
    }
}
