//! What a caller shows: a key, or the site's password.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// How it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Behind `Bearer`, where many clients have to put something, whatever it is.
    Bearer,
    /// As the password behind `Basic`.
    Basic,
}

/// What the header `Authorization` holds besides its scheme: what is behind `Bearer`, or the password behind `Basic`.
/// Programs that know nothing but a name and a password put the key in the place of the password.
pub fn shown(headers: &HeaderMap) -> Option<String> {
    with_scheme(headers).map(|(_, text)| text)
}

/// The same, and how it is shown.
pub fn with_scheme(headers: &HeaderMap) -> Option<(Scheme, String)> {
    let said = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = said.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some((Scheme::Bearer, rest.to_owned()));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
    decoded.split_once(':').map(|(_, password)| (Scheme::Basic, password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> Option<String> {
        shown(&HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]))
    }

    #[test]
    fn a_key_stands_behind_bearer_or_in_the_place_of_a_password() {
        assert_eq!(of("Bearer dk_1"), Some("dk_1".into()));
        assert_eq!(of("bearer  dk_1"), Some("dk_1".into()));
        assert_eq!(of(&format!("Basic {}", STANDARD.encode("me:dk_1:2"))), Some("dk_1:2".into()));
    }

    #[test]
    fn it_is_told_how_it_is_shown() {
        let scheme = |value: &str| {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
            with_scheme(&headers).map(|(scheme, _)| scheme)
        };
        assert_eq!(scheme("bearer sk-1"), Some(Scheme::Bearer));
        assert_eq!(scheme(&format!("BASIC {}", STANDARD.encode("me:word"))), Some(Scheme::Basic));
        assert_eq!(scheme("Digest word"), None);
    }

    #[test]
    fn anything_else_shows_nothing() {
        for value in ["dk_1", "Digest dk_1", "Basic !", "Bearer", &format!("Basic {}", STANDARD.encode("me"))]
        {
            assert_eq!(of(value), None, "{value}");
        }
    }
}
