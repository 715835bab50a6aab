//! A name for every request, so that its lines in the log are found.
//!
//! It is made here, whatever the request says: a name that somebody else chose could hold anything, and would be logged.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

/// The header that tells the asker.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// A request's name: 32 random hexadecimal digits.
#[derive(Debug, Clone)]
pub struct RequestId(String);

impl RequestId {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Middleware that names a request, for handlers as an extension and for the asker as a header.
pub async fn assign(mut request: Request, next: Next) -> Response {
    let id = RequestId(Uuid::new_v4().simple().to_string());
    let header = HeaderValue::from_str(id.as_str());
    request.extensions_mut().insert(id);
    let mut answer = next.run(request).await;
    if let Ok(header) = header {
        answer.headers_mut().insert(HEADER, header);
    }
    answer
}
