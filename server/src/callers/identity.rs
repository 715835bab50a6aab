//! Who calls: a visitor by their cookie, a program by its key, or else whoever is at that address.
//!
//! A visitor's cookie is a random token, given out with the first page and again with every other, so that a
//! visitor who comes back within a year keeps what is theirs. Programs keep no cookies as a rule, so none is given to them.
//!
//! Neither token nor key leaves this folder: everything below gets a [`Visitor`], which is a hash.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use backend::Visitor;
use backend::access::looks_like_a_key;
use types::error::{ErrorCode, PublicError};

use super::access::Programs;
use super::address::ClientAddress;
use super::limits::count_address;
use super::shape::Shape;
use super::{credentials, entry};
use crate::error::ApiError;
use crate::pages;
use crate::state::AppState;

/// The cookie's name.
pub const COOKIE: &str = "darkroom_visitor";

/// How long a browser keeps the cookie after a visit: a year.
const LIFETIME: time::Duration = time::Duration::days(365);

/// Middleware for pages and forms: puts the [`Visitor`] into the request's extensions, gives a newcomer a cookie, and gives
/// it to everybody anew with every page.
pub async fn identify_visitor(
    State(state): State<AppState>,
    jar: CookieJar,
    mut request: Request,
    next: Next,
) -> Response {
    let address = address_of(&request);
    if !entry::has_entered(&state, &jar, request.headers(), address) {
        return match count_address(&state, address) {
            Ok(()) => entry::show_door(&request),
            Err(refused) => pages::wait(&state, &refused),
        };
    }
    let known = token(&jar);
    let is_newcomer = known.is_none();
    let token = known.unwrap_or_else(Visitor::new_token);
    let at = address.hash(|text| state.services.signature(text));
    request.extensions_mut().insert(Visitor::from_token(&token).at(at));
    let cookie = cookie(COOKIE, token, address.is_tls, LIFETIME);
    let answer = next.run(request).await;
    if is_newcomer || is_page(&answer) {
        (CookieJar::new().add(cookie), answer).into_response()
    } else {
        answer
    }
}

/// Middleware for everything that programs call: puts the [`Visitor`] into the request's extensions. Gives out no cookie,
/// since a program that keeps it would be somebody else from its second call on.
pub async fn identify_program(
    State((state, shape)): State<(AppState, Shape)>,
    jar: CookieJar,
    mut request: Request,
    next: Next,
) -> Response {
    let address = address_of(&request);
    match visitor_of_program(&state, &jar, request.headers(), address, shape).await {
        Ok(visitor) => {
            request.extensions_mut().insert(visitor);
            next.run(request).await
        }
        Err(error) => shape.answer(error),
    }
}

/// Who a program is: the holder of its key; else the visitor whose cookie it sends; else whoever is at its address. Whoever
/// is refused is counted here, since what counts the others comes after.
///
/// # Errors
/// A key that is not valid; none, where one is needed; too many such refusals.
pub async fn visitor_of_program(
    state: &AppState,
    jar: &CookieJar,
    headers: &HeaderMap,
    address: ClientAddress,
    shape: Shape,
) -> Result<Visitor, ApiError> {
    let visitor = whoever_calls(state, jar, headers, address, shape).await;
    if visitor.is_err() {
        count_address(state, address)?;
    }
    visitor
}

async fn whoever_calls(
    state: &AppState,
    jar: &CookieJar,
    headers: &HeaderMap,
    address: ClientAddress,
    shape: Shape,
) -> Result<Visitor, ApiError> {
    let at = address.hash(|text| state.services.signature(text));
    let shown = credentials::shown(headers);
    // Many clients have to send a key, whatever it is; only what has the form of ours has to be right.
    if let Some(key) = shown.as_deref().filter(|key| looks_like_a_key(key)) {
        return Ok(state.services.keyring().holder(key).await?.at(at));
    }
    if !entry::has_entered(state, jar, headers, address) {
        let sentence = "this site has a password; send it, or a key, as `Authorization: Bearer …`";
        return Err(PublicError::new(ErrorCode::Unauthorized, sentence).into());
    }
    // Every page gives a cookie to whoever asks, so it stands for a key nowhere but in the page's own calls.
    let takes_cookies = state.access.programs == Programs::Open || shape == Shape::Own;
    if let Some(token) = token(jar).filter(|_| takes_cookies) {
        return Ok(Visitor::from_token(&token).at(at));
    }
    if state.access.programs == Programs::Keys {
        let sentence =
            "programs need a key here; ask the operator for one, and send it as `Authorization: Bearer dk_…`";
        return Err(PublicError::new(ErrorCode::Unauthorized, sentence).into());
    }
    // With what it sends as a key, two programs at one address can be told apart.
    let told_apart = shown.unwrap_or_default();
    Ok(Visitor::from_token(&format!("program\n{at}\n{told_apart}")).at(at))
}

/// Where a request comes from.
pub fn address_of(request: &Request) -> ClientAddress {
    let known = request.extensions().get::<ClientAddress>().copied();
    known.unwrap_or_else(|| ClientAddress::of(request, &[]))
}

fn token(jar: &CookieJar) -> Option<String> {
    jar.get(COOKIE).map(Cookie::value).filter(|token| looks_like_a_token(token)).map(str::to_owned)
}

fn is_page(answer: &Response) -> bool {
    let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/html"))
}

/// A cookie that no script and no other site can use, and that travels by TLS alone if the visitor came by it.
pub(super) fn cookie(
    name: &'static str,
    value: String,
    is_tls: bool,
    lifetime: time::Duration,
) -> Cookie<'static> {
    Cookie::build((name, value))
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(is_tls)
        .path("/")
        .max_age(lifetime)
        .build()
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
        let cookie = |is_tls| cookie(COOKIE, "t".into(), is_tls, LIFETIME).to_string();
        assert!(cookie(true).contains("; Secure"));
        assert!(!cookie(false).contains("Secure"));
    }
}
