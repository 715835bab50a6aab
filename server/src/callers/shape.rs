//! A refusal as the API that was called tells its errors.

use axum::response::{IntoResponse, Response};

use crate::error::ApiError;
use crate::{a1111, comfyui, openai};

/// Whose errors they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Problem documents.
    Own,
    /// OpenAI's.
    OpenAi,
    /// Those of AUTOMATIC1111's web UI.
    Automatic1111,
    /// ComfyUI's.
    ComfyUi,
}

impl Shape {
    /// The error as an answer.
    pub fn answer(self, error: impl Into<ApiError>) -> Response {
        let error = error.into();
        match self {
            Self::Own => error.into_response(),
            Self::OpenAi => openai::refused(error),
            Self::Automatic1111 => a1111::refused(error),
            Self::ComfyUi => comfyui::refused(error),
        }
    }
}
