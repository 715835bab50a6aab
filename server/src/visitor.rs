//! Who asks: a random token in a cookie, given out at the first visit and again with every page, so that a
//! visitor who comes back within a year keeps what is theirs.
//!
//! Programs that call an API which other programs have made known ([`identify_program`]) keep no cookies as a rule. They
//! are told apart by where they call from, and by the key that they send.
//!
//! The token itself never leaves this file: everything below gets a [`Visitor`], which is its hash.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, HeaderName, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use backend::Visitor;

/// The cookie's name.
pub const COOKIE: &str = "darkroom_visitor";

/// How long a browser keeps the cookie after a visit: a year.
const LIFETIME: time::Duration = time::Duration::days(365);

/// Middleware that puts the [`Visitor`] into the request's extensions, gives a newcomer a cookie, and gives it
/// to everybody anew with every page.
pub async fn identify(jar: CookieJar, mut request: Request, next: Next) -> Response {
    let known = jar.get(COOKIE).map(Cookie::value).filter(|token| looks_like_a_token(token));
    let is_newcomer = known.is_none();
    let token = known.map_or_else(Visitor::new_token, str::to_owned);
    request.extensions_mut().insert(Visitor::from_token(&token));
    let cookie = cookie(token, came_by_tls(request.headers()));
    let answer = next.run(request).await;
    if is_newcomer || is_page(&answer) {
        (CookieJar::new().add(cookie), answer).into_response()
    } else {
        answer
    }
}

/// Middleware for APIs whose clients keep no cookies: puts the [`Visitor`] into the request's extensions, who is the cookie's
/// if there is one, and else whoever calls from this address with this key. Gives out no cookie, since a
/// client that keeps it would be somebody else from its second call on.
pub async fn identify_program(jar: CookieJar, mut request: Request, next: Next) -> Response {
    let visitor = program(&jar, &request);
    request.extensions_mut().insert(visitor);
    next.run(request).await
}

/// Who a program is, as [`identify_program`] tells it.
pub fn program(jar: &CookieJar, request: &Request) -> Visitor {
    let known = jar.get(COOKIE).map(Cookie::value).filter(|token| looks_like_a_token(token));
    Visitor::from_token(&known.map_or_else(|| program_token(request), str::to_owned))
}

/// What stands for a program: the address that the connection comes from, all that proxies say of where they had it from,
/// and the key. What a proxy says ends with what it saw itself, so nobody can take another's place by making it up.
fn program_token(request: &Request) -> String {
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let address = address.map_or_else(String::new, |ConnectInfo(address)| address.ip().to_string());
    let header = |name| {
        let values = request.headers().get_all(name).iter();
        values
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect::<Vec<_>>()
            .join(",")
    };
    let (proxies, key) = (header(HeaderName::from_static("x-forwarded-for")), header(header::AUTHORIZATION));
    format!("program\n{address}\n{proxies}\n{key}")
}

fn is_page(answer: &Response) -> bool {
    let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/html"))
}

fn cookie(token: String, secure: bool) -> Cookie<'static> {
    Cookie::build((COOKIE, token))
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(secure)
        .path("/")
        .max_age(LIFETIME)
        .build()
}

/// Whether a proxy says that the visitor came by TLS. A visitor who says so without a proxy only keeps
/// the own browser from sending the cookie back.
fn came_by_tls(headers: &HeaderMap) -> bool {
    headers.get("x-forwarded-proto").is_some_and(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https"))
}

/// A cookie that somebody made up is replaced, so that nobody shares a history by typing the same word.
fn looks_like_a_token(token: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (32..=128).contains(&token.len()) && token.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn a_program_is_told_by_its_address_by_what_proxies_say_and_by_its_key() {
        let token = |address: &str, headers: &[(HeaderName, &str)]| {
            let mut request = Request::new(Body::empty());
            let address: SocketAddr = address.parse().unwrap();
            request.extensions_mut().insert(ConnectInfo(address));
            for (name, value) in headers {
                request.headers_mut().append(name, value.parse().unwrap());
            }
            program_token(&request)
        };
        let proxied = HeaderName::from_static("x-forwarded-for");
        let plain = token("10.0.0.1:5000", &[]);
        assert_eq!(plain, token("10.0.0.1:6000", &[]), "the port changes with every connection");
        for other in [
            token("10.0.0.2:5000", &[]),
            token("10.0.0.1:5000", &[(header::AUTHORIZATION, "Bearer a")]),
            token("10.0.0.1:5000", &[(proxied.clone(), "192.0.2.1")]),
        ] {
            assert_ne!(plain, other);
        }
        let forged = token("10.0.0.1:5000", &[(proxied.clone(), "192.0.2.1, 198.51.100.7")]);
        assert_ne!(forged, token("10.0.0.1:5000", &[(proxied, "192.0.2.1")]));
    }

    #[test]
    fn a_token_that_was_given_out_is_recognised_and_a_made_up_one_is_not() {
        assert!(looks_like_a_token(&Visitor::new_token()));
        assert!(!looks_like_a_token("me"));
        assert!(!looks_like_a_token(&" ".repeat(40)));
        assert!(!looks_like_a_token(&"a".repeat(1000)));
    }

    #[test]
    fn the_cookie_is_secure_behind_tls_and_usable_without_it() {
        assert!(cookie("t".into(), true).to_string().contains("; Secure"));
        assert!(!cookie("t".into(), false).to_string().contains("Secure"));
    }
}
