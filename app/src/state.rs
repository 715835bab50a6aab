//! What the server and a page tell each other about one request.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use types::error::{ErrorCode, PublicError};
use types::metadata::{NotCarried, Program, ReadSettings};
use types::request::RawRequest;

use crate::typed::TypedNumbers;

/// What a form shows. As a context it is one that was refused, with what was typed and what is wrong with it, or one that
/// was filled in as a picture was made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FormState {
    /// What it asks for, as far as that could be read.
    pub raw: RawRequest,
    /// Its numbers as they were typed.
    pub typed: TypedNumbers,
    /// What GPT-2 was given to write the prompt that is in the box, if it did.
    pub beginning: Option<String>,
    /// What is wrong.
    pub error: Option<PublicError>,
    /// The picture that it was filled in from.
    pub filled: Option<Filled>,
}

/// What is said of a picture that a form was filled in from.
#[derive(Debug, Clone, PartialEq)]
pub struct Filled {
    /// Who wrote its settings.
    pub program: Program,
    /// What of them could not be carried over.
    pub not_carried: Vec<NotCarried>,
}

impl FormState {
    /// A form that was refused.
    pub fn refused(raw: RawRequest, typed: TypedNumbers, error: PublicError) -> Self {
        Self { raw, typed, error: Some(error), ..Self::default() }
    }

    /// A form that is filled in as a picture was made.
    pub fn filled(ReadSettings { program, request, not_carried }: ReadSettings) -> Self {
        Self { raw: request, filled: Some(Filled { program, not_carried }), ..Self::default() }
    }

    /// Whether what is wrong is in one of these fields.
    pub fn has_error_in(&self, fields: &[&str]) -> bool {
        let wrong = self.error.as_ref().and_then(|error| error.field.as_deref());
        wrong.is_some_and(|wrong| fields.contains(&wrong))
    }
}

/// What the door of a site with a password shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DoorState {
    /// The path that the visitor wanted to see.
    pub to: String,
    /// Why it did not open.
    pub error: Option<PublicError>,
}

/// The `OpenAPI` document that the page of the API is drawn from. The server has it, since it is drawn from the handlers.
#[derive(Debug, Clone, Copy)]
pub struct ApiDocument(pub &'static Value);

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
