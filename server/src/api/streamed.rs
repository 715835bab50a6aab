//! What one server-sent event looks like, for the document.

use utoipa::ToSchema;

/// A server-sent event, field by field.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what axum writes")]
pub struct StreamedEvent {
    /// Its number, if events are numbered: only ever greater than the one before.
    id: Option<String>,
    /// What it tells of.
    event: String,
    /// What it tells, as JSON.
    #[schema(content_media_type = "application/json")]
    data: String,
}
