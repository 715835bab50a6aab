//! Where the caller knows this site.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, header};

/// Scheme and host as the caller wrote them, such as `https://darkroom.example`, for addresses in answers. Empty if
/// the caller named no host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// A whole address from a path on this site.
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = host.or_else(|| parts.uri.authority().map(Authority::as_str));
        let origin = host.map(|host| format!("{}://{host}", scheme(&parts.headers)));
        Ok(Self(origin.unwrap_or_default()))
    }
}

/// The scheme that the first proxy says the caller came by; without one it is this server's own.
fn scheme(headers: &HeaderMap) -> &'static str {
    let said = headers.get("x-forwarded-proto").and_then(|said| said.to_str().ok()).unwrap_or("");
    let first = said.split(',').next().unwrap_or("").trim();
    if first.eq_ignore_ascii_case("https") { "https" } else { "http" }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    async fn origin(headers: &[(&str, &str)]) -> Origin {
        let mut request = Request::builder().uri("/v1/images/generations");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let Ok(origin) = Origin::from_request_parts(&mut request.body(()).unwrap().into_parts().0, &()).await;
        origin
    }

    #[tokio::test]
    async fn an_address_begins_as_the_caller_wrote_it() {
        let address = async |headers: &[(&str, &str)]| origin(headers).await.address("/images/a.png");
        assert_eq!(address(&[("host", "127.0.0.1:3000")]).await, "http://127.0.0.1:3000/images/a.png");
        assert_eq!(
            address(&[("host", "a.ngrok.app"), ("x-forwarded-proto", "https")]).await,
            "https://a.ngrok.app/images/a.png"
        );
        assert_eq!(
            address(&[("host", "a.example"), ("x-forwarded-proto", "HTTPS, http")]).await,
            "https://a.example/images/a.png"
        );
        assert_eq!(
            address(&[("host", "a.example"), ("x-forwarded-proto", "gopher")]).await,
            "http://a.example/images/a.png"
        );
        assert_eq!(address(&[]).await, "/images/a.png");
    }
}
