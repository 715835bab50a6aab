//! Where the caller knows this site.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use axum::http::uri::Authority;

use crate::callers::ClientAddress;

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
        // Only a proxy that the operator trusts is believed that the caller came by TLS.
        let is_tls = parts.extensions.get::<ClientAddress>().is_some_and(|address| address.is_tls);
        let scheme = if is_tls { "https" } else { "http" };
        let origin = host.map(|host| format!("{scheme}://{host}"));
        Ok(Self(origin.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use axum::http::Request;

    use super::*;

    async fn address(host: Option<&str>, is_tls: bool) -> String {
        let mut request = Request::builder().uri("/v1/images/generations");
        if let Some(host) = host {
            request = request.header("host", host);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let ip = Ipv4Addr::LOCALHOST.into();
        parts.extensions.insert(ClientAddress { ip, is_tls });
        let Ok(origin) = Origin::from_request_parts(&mut parts, &()).await;
        origin.address("/images/a.png")
    }

    #[tokio::test]
    async fn an_address_begins_as_the_caller_wrote_it() {
        assert_eq!(address(Some("127.0.0.1:3000"), false).await, "http://127.0.0.1:3000/images/a.png");
        assert_eq!(address(Some("a.ngrok.app"), true).await, "https://a.ngrok.app/images/a.png");
        assert_eq!(address(None, true).await, "/images/a.png");
    }
}
