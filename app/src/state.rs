//! What the server and a page tell each other about one request.

use std::sync::{Arc, Mutex, PoisonError};

use types::error::{ErrorCode, PublicError};
use types::request::RawRequest;

/// A form that was refused. With it as context, the create page shows what was typed and, beside the
/// field, what is wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct FormState {
    /// What was typed.
    pub raw: RawRequest,
    /// What is wrong with it.
    pub error: PublicError,
}

/// Where a page says that it could not show what was asked for.
///
/// The server provides a fresh one as context, renders the whole page (`SsrMode::Async`), and then gives the
/// response the status that belongs to [`PageStatus::error`]. Pages know no status codes.
#[derive(Debug, Clone, Default)]
pub struct PageStatus(Arc<Mutex<Option<ErrorCode>>>);

impl PageStatus {
    /// Says that the page shows this error.
    pub fn report(&self, code: ErrorCode) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(code);
    }

    /// The error that the page shows, if it shows one.
    pub fn error(&self) -> Option<ErrorCode> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
