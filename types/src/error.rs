//! The one error that leaves the server: for a person and for a program at once.

use serde::{Deserialize, Serialize};

/// What kind of mistake it was. A stable name: programs may match on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// A field holds a value that is not allowed; `field` names it.
    InvalidField,
    /// The request as a whole could not be read (not JSON, wrong types, unknown fields).
    InvalidRequest,
    /// There is nothing under that name or id, or it belongs to somebody else.
    NotFound,
    /// The deed does not fit the job's present state.
    Conflict,
    /// A key or a password is missing, or is not the right one.
    Unauthorized,
    /// The key does not allow it, or it was sent from where it may not come from.
    Forbidden,
    /// More than the operator allows; it works again later.
    LimitReached,
    /// A model cannot be used: a part is missing or broken.
    ModelUnusable,
    /// The disk is full.
    StorageFull,
    /// Nothing can be stored or read at the moment: the database is locked, or the data folder cannot be written to.
    StorageUnavailable,
    /// The server is stopping.
    ShuttingDown,
    /// A fault on the server's side; details are in its log.
    Internal,
}

impl ErrorCode {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::InvalidField,
        Self::InvalidRequest,
        Self::NotFound,
        Self::Conflict,
        Self::Unauthorized,
        Self::Forbidden,
        Self::LimitReached,
        Self::ModelUnusable,
        Self::StorageFull,
        Self::StorageUnavailable,
        Self::ShuttingDown,
        Self::Internal,
    ];

    /// The name used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidField => "invalid_field",
            Self::InvalidRequest => "invalid_request",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::LimitReached => "limit_reached",
            Self::ModelUnusable => "model_unusable",
            Self::StorageFull => "storage_full",
            Self::StorageUnavailable => "storage_unavailable",
            Self::ShuttingDown => "shutting_down",
            Self::Internal => "internal",
        }
    }

    /// What all mistakes of the kind have in common: a few words, the same in every problem document.
    pub fn title(self) -> &'static str {
        match self {
            Self::InvalidField => "A field holds a value that is not allowed",
            Self::InvalidRequest => "The request cannot be read",
            Self::NotFound => "There is nothing under that name",
            Self::Conflict => "The deed does not fit the present state",
            Self::Unauthorized => "A key or a password is needed",
            Self::Forbidden => "This is not allowed",
            Self::LimitReached => "That is more than is allowed at a time",
            Self::ModelUnusable => "A model cannot be used",
            Self::StorageFull => "The disk is full",
            Self::StorageUnavailable => "Nothing can be stored at the moment",
            Self::ShuttingDown => "The server is stopping",
            Self::Internal => "Something went wrong on the server",
        }
    }
}

/// An error as a visitor or a client program gets it: no internals, one clear sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct PublicError {
    /// Stable kind.
    pub code: ErrorCode,
    /// The request's field that is wrong, if one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// One sentence, lower case, with the value that was wrong and what is allowed. Problem documents call it `detail`.
    #[serde(alias = "detail")]
    pub message: String,
    /// Seconds after which it may work, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
}

impl PublicError {
    /// An error without a field.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, field: None, message: message.into(), retry_after_s: None }
    }

    /// A field that holds a value that is not allowed.
    pub fn invalid_field(field: &str, message: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()), ..Self::new(ErrorCode::InvalidField, message) }
    }

    /// More than is allowed, until so many seconds have passed.
    pub fn limit_reached(message: impl Into<String>, retry_after_s: u64) -> Self {
        Self { retry_after_s: Some(retry_after_s.max(1)), ..Self::new(ErrorCode::LimitReached, message) }
    }

    /// Nothing there, or not the caller's.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::NotFound, message)
    }
}
