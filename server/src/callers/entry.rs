//! The site's own password: who has not said it sees the door alone.

use app::DoorState;
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::{Cookie, CookieJar};
use backend::access::looks_like_a_key;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use types::error::{ErrorCode, PublicError};

use super::address::ClientAddress;
use super::credentials::{self, Scheme};
use super::identity::cookie;
use crate::error::ApiError;
use crate::extract::ApiForm;
use crate::pages;
use crate::state::AppState;

/// Where the door is.
pub const DOOR: &str = "/enter";

/// The cookie of those who are in.
const COOKIE: &str = "darkroom_entry";

/// How long one is in after the password was said.
const LIFETIME: time::Duration = time::Duration::days(30);

/// A password, of which only a hash is kept.
pub struct Password([u8; 32]);

impl Password {
    /// A password of at least eight characters.
    ///
    /// # Errors
    /// It is shorter, in a sentence.
    pub fn new(text: &str) -> Result<Self, String> {
        let n_characters = text.chars().count();
        if n_characters < 8 {
            return Err(format!(
                "a password of {n_characters} characters is guessed at once; take at least 8"
            ));
        }
        Ok(Self(Sha256::digest(text.as_bytes()).into()))
    }

    /// Takes as long for a wrong one as for the right one.
    fn is(&self, text: &str) -> bool {
        let said: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        said.ct_eq(&self.0).into()
    }

    /// What the cookie is signed for: another password, and all have to say it anew.
    fn as_text(&self) -> String {
        format!("{:02x?}", self.0)
    }
}

/// Whether the caller may come in: there is no password, or they have said it.
pub(super) fn has_entered(
    state: &AppState,
    jar: &CookieJar,
    headers: &HeaderMap,
    address: ClientAddress,
) -> bool {
    let Some(password) = &state.access.password else { return true };
    if jar.get(COOKIE).map(Cookie::value).is_some_and(|value| is_valid(state, password, value)) {
        return true;
    }
    let Some((scheme, shown)) = credentials::with_scheme(headers) else { return false };
    // Browsers send a key along that was typed for another page of the site: it is no try of the password.
    if looks_like_a_key(&shown) {
        return false;
    }
    let at = address.hash(|text| state.services.signature(text));
    let caller = match scheme {
        Scheme::Basic => at,
        // Clients that have to send something there lock out nobody who says the password elsewhere.
        Scheme::Bearer => format!("bearer {at}"),
    };
    state.access.tries.of(&caller, || password.is(&shown)).unwrap_or(false)
}

/// Sends a visitor to the door, with where they wanted to go.
pub(super) fn show_door(request: &Request) -> Response {
    let wanted = request.uri().path_and_query().map_or("/", |wanted| wanted.as_str());
    if *request.method() != Method::GET {
        return Redirect::to(DOOR).into_response();
    }
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("to", wanted).finish();
    Redirect::to(&format!("{DOOR}?{query}")).into_response()
}

/// `GET /enter`: the door.
pub async fn show(State(state): State<AppState>, request: Request) -> Response {
    let to = wanted(request.uri().query().unwrap_or(""));
    pages::door(state, DoorState { to, error: None }, StatusCode::OK).await
}

/// `POST /enter`: opens the door, or says why not.
pub async fn enter(
    State(state): State<AppState>,
    Extension(address): Extension<ClientAddress>,
    ApiForm(fields): ApiForm,
) -> Response {
    let field = |name: &str| fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value);
    let to = own_path(field("to"));
    let at = address.hash(|text| state.services.signature(text));
    let refused = match &state.access.password {
        None => return Redirect::to(&to).into_response(),
        Some(password) => match state.access.tries.of(&at, || password.is(field("password"))) {
            Ok(true) => {
                let until = time::OffsetDateTime::now_utc() + LIFETIME;
                let value = signed(&state, password, until.unix_timestamp());
                let cookie = cookie(COOKIE, value, address.is_tls, LIFETIME);
                return (CookieJar::new().add(cookie), Redirect::to(&to)).into_response();
            }
            Ok(false) => PublicError::new(ErrorCode::Unauthorized, "this is not the password"),
            Err(wait) => {
                let sentence = format!("too many tries; wait {} s", wait.as_secs() + 1);
                return pages::wait(&state, &PublicError::limit_reached(sentence, wait.as_secs() + 1));
            }
        },
    };
    let status = ApiError::from(refused.clone()).status;
    pages::door(state, DoorState { to, error: Some(refused) }, status).await
}

fn signed(state: &AppState, password: &Password, until: i64) -> String {
    format!(
        "{until}.{}",
        state.services.signature(&format!("entered with {} until {until}", password.as_text()))
    )
}

fn is_valid(state: &AppState, password: &Password, value: &str) -> bool {
    let until = value.split_once('.').and_then(|(until, _)| until.parse::<i64>().ok());
    let Some(until) = until.filter(|until| *until > time::OffsetDateTime::now_utc().unix_timestamp()) else {
        return false;
    };
    signed(state, password, until).as_bytes().ct_eq(value.as_bytes()).into()
}

/// Where a visitor wanted to go.
fn wanted(query: &str) -> String {
    let to = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "to");
    own_path(&to.map(|(_, to)| to).unwrap_or_default())
}

/// A path on this site; whatever else was asked for, the first page.
fn own_path(to: &str) -> String {
    let is_own = to.starts_with('/') && !to.starts_with("//") && !to.contains(['\\', '\r', '\n', '\t']);
    if is_own { to.to_owned() } else { "/".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_led_to_a_page_of_this_site_alone() {
        assert_eq!(wanted("to=%2Fhistory%3Fsearch%3Dboat"), "/history?search=boat");
        for to in [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "",
            "javascript:alert(1)",
            "/a\r\nb",
        ] {
            assert_eq!(own_path(to), "/", "{to}");
        }
    }

    #[test]
    fn a_password_is_itself_alone_and_not_too_short() {
        let password = Password::new("correct horse").unwrap();
        assert!(password.is("correct horse"));
        assert!(!password.is("correct hors") && !password.is(""));
        assert_eq!(
            Password::new("1234567").err().unwrap(),
            "a password of 7 characters is guessed at once; take at least 8"
        );
    }
}
