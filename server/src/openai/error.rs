//! What went wrong, in OpenAI's shape.
//!
//! Their clients choose the exception by the status. They also ask a second and a third time by themselves where it is
//! 409 or 500 and more, unless the header `x-should-retry` says no.

use std::any::Any;

use axum::Json;
use axum::http::{HeaderName, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use types::error::{ErrorCode, PublicError};

use crate::error::{Advice, ApiError};

/// Shorthand for what these handlers return.
pub type OpenAiResult<T> = Result<T, OpenAiError>;

/// An error on its way to a client of OpenAI's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenAiError {
    /// The answer's status.
    pub status: StatusCode,
    /// What is said of it.
    pub error: ErrorObject,
    /// What can be done about it.
    pub advice: Advice,
}

/// What the body says under `error`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorObject {
    /// One sentence.
    pub message: String,
    /// `invalid_request_error`, or `server_error`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The parameter that is wrong, if one is.
    pub param: Option<String>,
    /// Stable kind.
    pub code: Option<&'static str>,
}

/// The body of an answer, and the data of a stream's event.
#[derive(Serialize)]
pub struct ErrorBody {
    /// What went wrong.
    pub error: ErrorObject,
}

impl OpenAiError {
    /// A request that has to be changed.
    pub fn invalid(param: &str, code: &'static str, message: impl Into<String>) -> Self {
        let error = ErrorObject {
            message: message.into(),
            kind: INVALID_REQUEST,
            param: Some(param.to_owned()),
            code: Some(code),
        };
        Self { status: StatusCode::BAD_REQUEST, error, advice: Advice::default() }
    }

    /// A parameter with a value that is not allowed.
    pub fn invalid_value(param: &str, message: impl Into<String>) -> Self {
        Self::invalid(param, INVALID_VALUE, message)
    }

    /// A parameter that has to be there.
    pub fn missing(param: &str, message: impl Into<String>) -> Self {
        Self::invalid(param, "missing_required_parameter", message)
    }

    /// A model that is not installed.
    pub fn unknown_model(message: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, ..Self::invalid("model", "model_not_found", message) }
    }

    /// The same, said of another parameter.
    #[must_use]
    pub fn of(mut self, param: &str) -> Self {
        self.error.param = Some(param.to_owned());
        self
    }
}

const INVALID_REQUEST: &str = "invalid_request_error";
const INVALID_VALUE: &str = "invalid_value";

impl From<ApiError> for OpenAiError {
    fn from(ApiError { status, public }: ApiError) -> Self {
        let advice = Advice::of(&public);
        let PublicError { code, field, message, .. } = public;
        // OpenAI answers all that can be mended in the request with 400.
        let status = match status {
            StatusCode::UNPROCESSABLE_ENTITY | StatusCode::UNSUPPORTED_MEDIA_TYPE => StatusCode::BAD_REQUEST,
            status => status,
        };
        let kind = if status.is_server_error() { "server_error" } else { INVALID_REQUEST };
        let code = match code {
            ErrorCode::InvalidField => Some(INVALID_VALUE),
            ErrorCode::InvalidRequest if field.is_some() && status == StatusCode::BAD_REQUEST => {
                Some("invalid_type")
            }
            ErrorCode::InvalidRequest => None,
            ErrorCode::Unauthorized => Some("invalid_api_key"),
            ErrorCode::LimitReached => Some("rate_limit_exceeded"),
            code => Some(code.as_str()),
        };
        Self { status, error: ErrorObject { message, kind, param: field, code }, advice }
    }
}

impl From<PublicError> for OpenAiError {
    fn from(error: PublicError) -> Self {
        ApiError::from(error).into()
    }
}

impl From<backend::Error> for OpenAiError {
    fn from(error: backend::Error) -> Self {
        ApiError::from(error).into()
    }
}

impl IntoResponse for OpenAiError {
    fn into_response(self) -> Response {
        let Self { status, error, advice } = self;
        // A second try costs as much as the first and ends as it did, but for a server that is started anew, and for one
        // that says when.
        let may_retry = status == StatusCode::SERVICE_UNAVAILABLE || advice.retry_after_s.is_some();
        let retry = (HeaderName::from_static("x-should-retry"), if may_retry { "true" } else { "false" });
        (status, [retry], advice.headers(), Json(ErrorBody { error })).into_response()
    }
}

/// An error of what stands around the handlers, in their shape.
pub fn refused(error: ApiError) -> Response {
    OpenAiError::from(error).into_response()
}

/// What the body has to be, where it says that it is something else.
pub fn wrong_content_type(message: &str) -> OpenAiError {
    let error = ErrorObject {
        message: message.to_owned(),
        kind: INVALID_REQUEST,
        param: None,
        code: Some("unsupported_content_type"),
    };
    OpenAiError { status: StatusCode::BAD_REQUEST, error, advice: Advice::default() }
}

/// What no route below `/v1` has.
pub async fn unknown_address(method: Method, address: Uri) -> OpenAiError {
    let path: String = address.path().chars().take(100).collect();
    let message = format!(
        "there is nothing at {method} {path}; known are /v1/images/generations, /v1/images/edits, \
         /v1/images/variations and /v1/models"
    );
    let error = ErrorObject { message, kind: INVALID_REQUEST, param: None, code: Some("unknown_url") };
    OpenAiError { status: StatusCode::NOT_FOUND, error, advice: Advice::default() }
}

/// An address that is there, with another method.
pub async fn wrong_method(method: Method, address: Uri) -> OpenAiError {
    let wanted = if address.path().starts_with("/v1/models") { Method::GET } else { Method::POST };
    let message = format!("method {method} is not possible at this address; allowed is {wanted}");
    let error =
        ErrorObject { message, kind: INVALID_REQUEST, param: None, code: Some("method_not_supported") };
    OpenAiError { status: StatusCode::METHOD_NOT_ALLOWED, error, advice: Advice::default() }
}

/// A handler panicked; the panic itself was written to stderr where it happened.
pub fn panicked(_: Box<dyn Any + Send>) -> Response {
    let message = "something went wrong on the server; its log has the details";
    OpenAiError::from(PublicError::new(ErrorCode::Internal, message)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(error: PublicError) -> String {
        serde_json::to_string(&ErrorBody { error: OpenAiError::from(error).error }).unwrap()
    }

    #[test]
    fn every_error_has_the_four_fields_of_openais() {
        assert_eq!(
            json(PublicError::invalid_field("steps", "steps 0 is out of range; allowed are 1 to 150")),
            r#"{"error":{"message":"steps 0 is out of range; allowed are 1 to 150","type":"invalid_request_error","param":"steps","code":"invalid_value"}}"#
        );
        assert_eq!(
            json(PublicError::new(ErrorCode::InvalidRequest, "the body is not JSON")),
            r#"{"error":{"message":"the body is not JSON","type":"invalid_request_error","param":null,"code":null}}"#
        );
        assert_eq!(
            json(PublicError::new(ErrorCode::StorageFull, "the disk is full")),
            r#"{"error":{"message":"the disk is full","type":"server_error","param":null,"code":"storage_full"}}"#
        );
    }

    #[test]
    fn the_status_is_the_one_that_their_clients_raise_the_right_exception_for() {
        let status = |code| OpenAiError::from(PublicError::new(code, "")).status.as_u16();
        assert_eq!(status(ErrorCode::InvalidField), 400);
        assert_eq!(status(ErrorCode::ModelUnusable), 400);
        assert_eq!(status(ErrorCode::NotFound), 404);
        assert_eq!(status(ErrorCode::Conflict), 409);
        assert_eq!(status(ErrorCode::Internal), 500);
    }

    #[test]
    fn no_client_asks_again_by_itself_unless_the_server_is_started_anew() {
        let retry = |code| {
            let answer = OpenAiError::from(PublicError::new(code, "")).into_response();
            answer.headers()["x-should-retry"].to_str().unwrap().to_owned()
        };
        assert_eq!(retry(ErrorCode::ShuttingDown), "true");
        assert_eq!(retry(ErrorCode::Conflict), "false");
        assert_eq!(retry(ErrorCode::Internal), "false");
    }
}
