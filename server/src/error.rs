//! Errors as answers: the only place where a kind of mistake becomes a status code.
//!
//! Handlers return [`ApiError`]. A [`backend::Error`] turns into one by `?`: its public sentence is sent,
//! and what only an operator should see is logged here, once.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;
use types::error::{ErrorCode, PublicError};
use utoipa::ToSchema;

/// Shorthand for what handlers return.
pub type ApiResult<T> = Result<T, ApiError>;

/// An error on its way to a client: a [`Problem`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The answer's status.
    pub status: StatusCode,
    /// The answer's body.
    pub public: PublicError,
}

impl ApiError {
    /// A request that could not be read, answered with a status that says more than the usual 400.
    pub fn unreadable(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, public: PublicError::new(ErrorCode::InvalidRequest, message) }
    }

    /// The server is on its way out, so a long answer cannot be finished.
    pub fn shutting_down() -> Self {
        PublicError::new(ErrorCode::ShuttingDown, "the server is stopping; try again in a moment").into()
    }
}

/// The status that stands for a kind of mistake.
pub fn status_of(code: ErrorCode) -> StatusCode {
    match code {
        // Another model can be asked for, so it is the request that does not work out.
        ErrorCode::InvalidField | ErrorCode::ModelUnusable => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::InvalidRequest => StatusCode::BAD_REQUEST,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::Conflict => StatusCode::CONFLICT,
        ErrorCode::Unauthorized => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden => StatusCode::FORBIDDEN,
        ErrorCode::LimitReached => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
        ErrorCode::ShuttingDown | ErrorCode::StorageUnavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

impl From<PublicError> for ApiError {
    fn from(public: PublicError) -> Self {
        Self { status: status_of(public.code), public }
    }
}

impl From<backend::Error> for ApiError {
    fn from(error: backend::Error) -> Self {
        let answer = Self::from(error.public());
        if answer.status.is_server_error() {
            tracing::error!(error = %chain(&error), "request failed");
        }
        answer
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let problem = Json(Problem::new(self.status, &self.public));
        let kind = [(header::CONTENT_TYPE, PROBLEM)];
        let advice = Advice::of(&self.public).headers();
        // A second time beside the body, for whoever makes a page of it.
        (self.status, kind, advice, Extension(self.public), problem).into_response()
    }
}

/// What a program can do about an error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Advice {
    /// Seconds after which it may try again.
    pub retry_after_s: Option<u32>,
    /// Whether it has to say who it is.
    asks_for_key: bool,
}

impl Advice {
    /// What is to be done about this error.
    pub fn of(error: &PublicError) -> Self {
        Self {
            retry_after_s: error.retry_after_s.map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX)),
            asks_for_key: error.code == ErrorCode::Unauthorized,
        }
    }

    /// The same as headers.
    pub fn headers(self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.asks_for_key {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        headers
    }
}

/// The media type of a [`Problem`].
pub const PROBLEM: &str = "application/problem+json";

/// What went wrong, as RFC 9457 has it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Where the kind of mistake is described.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference", examples("/api#invalid_field"))]
    kind: String,
    /// What all mistakes of the kind have in common.
    #[schema(examples("A field holds a value that is not allowed"))]
    title: &'static str,
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599, examples(422))]
    status: u16,
    /// What was wrong this time: one sentence, with the value and what is allowed.
    #[schema(examples("steps 500 is out of range; allowed are 1 to 150"))]
    detail: String,
    /// The kind of mistake. Stable: programs may match on it.
    code: ErrorCode,
    /// The field that is wrong, if one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, examples("steps"))]
    field: Option<String>,
}

impl Problem {
    fn new(status: StatusCode, public: &PublicError) -> Self {
        Self {
            kind: format!("/api#{}", public.code.as_str()),
            title: public.code.title(),
            status: status.as_u16(),
            detail: public.message.clone(),
            code: public.code,
            field: public.field.clone(),
        }
    }
}

/// An error with everything that led to it, on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    let mut text = error.to_string();
    for cause in causes {
        let cause = cause.to_string();
        // Many errors repeat their cause in their own sentence.
        if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_the_status_that_the_api_promises() {
        let status = |code| ApiError::from(PublicError::new(code, "")).status.as_u16();
        assert_eq!(status(ErrorCode::InvalidField), 422);
        assert_eq!(status(ErrorCode::InvalidRequest), 400);
        assert_eq!(status(ErrorCode::NotFound), 404);
        assert_eq!(status(ErrorCode::Conflict), 409);
        assert_eq!(status(ErrorCode::Unauthorized), 401);
        assert_eq!(status(ErrorCode::Forbidden), 403);
        assert_eq!(status(ErrorCode::LimitReached), 429);
        assert_eq!(status(ErrorCode::ModelUnusable), 422);
        assert_eq!(status(ErrorCode::StorageFull), 507);
        assert_eq!(status(ErrorCode::ShuttingDown), 503);
        assert_eq!(status(ErrorCode::StorageUnavailable), 503);
        assert_eq!(status(ErrorCode::Internal), 500);
    }

    #[tokio::test]
    async fn a_full_disk_is_answered_with_its_own_status_and_what_to_do() {
        let answer = ApiError::from(backend::Error::StorageFull).into_response();
        assert_eq!(answer.status(), StatusCode::INSUFFICIENT_STORAGE);
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        insta::assert_snapshot!(
            std::str::from_utf8(&body).unwrap(),
            @r#"{"type":"/api#storage_full","title":"The disk is full","status":507,"detail":"the disk is full; delete pictures or make room, then try again","code":"storage_full"}"#
        );
    }
}
