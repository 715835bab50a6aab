//! A proxy that nobody said to trust: to the limits, all who come through it are one address.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::HeaderMap;

use super::access::Access;

/// Remembers whether the log was told.
#[derive(Debug, Default)]
pub struct Untrusted(AtomicBool);

impl Untrusted {
    /// Tells the log once, if what is counted by address matters here and a proxy says where callers come from.
    pub(super) fn notice(access: &Access, limits_addresses: bool, headers: &HeaderMap) {
        if access.trusted_proxies.is_empty()
            && (limits_addresses || access.password.is_some())
            && headers.contains_key("x-forwarded-for")
            && !access.untrusted.0.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                "a request came with `X-Forwarded-For`, and no proxy is trusted: if there is one before this site, everybody \
                 behind it is one address, whose limits and wrong passwords are everybody's; name it with `--trust-proxy`"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;
    use crate::callers::Password;

    fn is_told(access: &Access, limits_addresses: bool, header: &'static str) -> bool {
        let headers = [(HeaderName::from_static(header), HeaderValue::from_static("192.0.2.1"))];
        Untrusted::notice(access, limits_addresses, &HeaderMap::from_iter(headers));
        access.untrusted.0.load(Ordering::Relaxed)
    }

    #[test]
    fn a_proxy_is_told_of_where_it_matters_and_is_not_trusted() {
        let with_password = || Access { password: Password::new("correct horse").ok(), ..Access::default() };
        assert!(is_told(&Access::default(), true, "x-forwarded-for"));
        assert!(is_told(&with_password(), false, "x-forwarded-for"));
        assert!(!is_told(&Access::default(), false, "x-forwarded-for"), "nothing is counted by address");
        assert!(!is_told(&with_password(), true, "accept"), "nobody speaks of a proxy");
        let trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        let trusting = Access { trusted_proxies, ..with_password() };
        assert!(!is_told(&trusting, true, "x-forwarded-for"), "a proxy is trusted");
    }
}
