//! Headers that tell a browser what not to do, and the refusal of other sites' forms.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use tower_http::csrf::{CsrfLayer, ProtectionError};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::error::ApiError;

/// On every answer that has none of its own.
pub const HEADERS: [(HeaderName, &str); 7] = [
    // What is not a page has no business in a frame, and nothing to load.
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // For browsers that do not know `frame-ancestors`.
    (header::X_FRAME_OPTIONS, "DENY"),
    // A page of another site that opens one of this site's holds on to nothing of it. Pictures may be shown elsewhere
    // all the same, as programs do that hand out their addresses: so there is no `cross-origin-resource-policy`.
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    // Within the site the address is sent, so that a form finds back to its page.
    (header::REFERRER_POLICY, "same-origin"),
    // Pages and JSON differ from visitor to visitor.
    (header::CACHE_CONTROL, "private, no-cache"),
];

/// What a page without scripts may load: the site's style sheet and icons. It may send a form to the site.
pub const DOCUMENT_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                                   base-uri 'none'; frame-ancestors 'none'";

/// For a year, the browser asks for this site by TLS alone. Said to those who came by it; other names below the site's
/// own are not this site's business.
pub const TLS_ALONE: (HeaderName, HeaderValue) =
    (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));

/// What a page may load: its own site's files, scripts that carry `nonce`, and previews as `data:` URLs.
pub fn page_policy(nonce: &str) -> String {
    format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; \
         style-src 'self' 'nonce-{nonce}'; img-src 'self' data: blob:; connect-src 'self'; \
         object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
}

/// A layer that adds one header of [`HEADERS`].
pub fn header_layer((name, value): (HeaderName, &'static str)) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

/// Refuses what another site makes a browser send: the visitor's cookie would come along. Programs, which
/// send neither `Origin` nor `Sec-Fetch-Site`, pass.
pub fn same_site_layer() -> CsrfLayer<fn(ProtectionError) -> Response<Body>> {
    CsrfLayer::new().with_rejection_response(refuse)
}

fn refuse(_: ProtectionError) -> Response<Body> {
    ApiError::unreadable(
        StatusCode::FORBIDDEN,
        "this request was sent by another site; only this site's own pages may do that",
    )
    .into_response()
}
