//! Who asks: a random token in a cookie, given out at the first visit and again with every page, so that a
//! visitor who comes back within a year keeps what is theirs.
//!
//! The token itself never leaves this file: everything below gets a [`Visitor`], which is its hash.

use axum::extract::Request;
use axum::http::{HeaderMap, header};
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
    use super::*;

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
