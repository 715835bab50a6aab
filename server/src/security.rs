//! Headers that tell a browser what not to do, and the refusal of other sites' forms.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
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

/// What is said to a browser that another site made send a request.
pub const ANOTHER_SITE: &str =
    "this request was sent by another site; only this site's own pages may do that";

/// Whether a browser says that another site made it send this. [`same_site_layer`] lets pass whatever is sent with `GET`,
/// since that is how links are followed; what computes all the same asks here.
pub fn is_from_another_site(headers: &HeaderMap, host: Option<&str>) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return !matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return false };
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, name)| name);
    !matches!((origin, host), (Some(origin), Some(host)) if origin.eq_ignore_ascii_case(host))
}

fn refuse(_: ProtectionError) -> Response<Body> {
    ApiError::unreadable(StatusCode::FORBIDDEN, ANOTHER_SITE).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_tells_what_another_site_made_it_send_and_a_program_tells_nothing() {
        let is_foreign = |name: &'static str, value: &'static str| {
            let headers = [(HeaderName::from_static(name), HeaderValue::from_static(value))];
            is_from_another_site(&headers.into_iter().collect(), Some("darkroom.local:3000"))
        };
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
            ("origin", "http://darkroom.local:3001"),
            ("origin", "null"),
        ] {
            assert!(is_foreign(name, value), "{name}: {value}");
        }
        for (name, value) in [
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "none"),
            ("origin", "http://Darkroom.local:3000"),
            ("accept", "*/*"),
        ] {
            assert!(!is_foreign(name, value), "{name}: {value}");
        }
    }
}
