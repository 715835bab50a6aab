//! Which names this site answers to: a page of somebody else's whose name was made to lead here (DNS rebinding) is
//! turned away.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::address::{ByTunnel, ClientAddress, host};
use super::untrusted::Untrusted;
use crate::error::ApiError;
use crate::security;
use crate::state::AppState;

/// The names that a site answers to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Hosts {
    /// Addresses, `localhost`, and names that nobody on the internet can own.
    #[default]
    Local,
    /// These too.
    Named(Vec<String>),
    /// Any.
    Any,
}

/// Endings of names that are for private networks alone (RFC 6762, RFC 8375, and what is in use).
const PRIVATE_ENDINGS: [&str; 5] = ["localhost", "local", "lan", "internal", "home.arpa"];

impl Hosts {
    /// From a list in which `*` stands for any, and `*.example.com` for every name below that one.
    ///
    /// # Errors
    /// What is no host's name, in a sentence.
    pub fn from_list(names: &[String]) -> Result<Self, String> {
        if names.iter().any(|name| name == "*") {
            return Ok(Self::Any);
        }
        let is_name = |name: &str| {
            let plain = name.strip_prefix("*.").unwrap_or(name);
            let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
            !plain.is_empty() && plain.bytes().all(is_part)
        };
        match names.iter().find(|name| !is_name(name)) {
            Some(wrong) => Err(format!(
                "host `{wrong}` is no host's name; give one such as demo.example.com, without scheme and port"
            )),
            None if names.is_empty() => Ok(Self::Local),
            None => Ok(Self::Named(names.iter().map(|name| name.to_ascii_lowercase()).collect())),
        }
    }

    /// One name more, in addition to those that are known.
    pub fn add(&mut self, name: &str) {
        let name = name.to_ascii_lowercase();
        match self {
            Self::Any => {}
            Self::Local => *self = Self::Named(vec![name]),
            Self::Named(names) => names.push(name),
        }
    }

    /// Whether the site answers to what a request says as its host: a name or an address, perhaps with a port.
    pub fn knows(&self, host: &str) -> bool {
        let name = without_port(host).trim_end_matches('.').to_ascii_lowercase();
        match self {
            Self::Any => true,
            Self::Local => is_local(&name),
            Self::Named(names) => is_local(&name) || names.iter().any(|known| matches(known, &name)),
        }
    }
}

fn matches(known: &str, name: &str) -> bool {
    match known.strip_prefix("*.") {
        Some(parent) => name.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.')),
        None => known == name,
    }
}

fn is_local(name: &str) -> bool {
    let is_address = name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    let is_single = !name.is_empty() && !name.contains('.');
    let is_private = PRIVATE_ENDINGS
        .iter()
        .any(|ending| name.strip_suffix(ending).is_some_and(|rest| rest.ends_with('.')));
    is_address || is_single || is_private
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => {
            // An address of version 6 without brackets has no port.
            if name.contains(':') && !name.ends_with(']') { host } else { name }
        }
        _ => host,
    }
}

/// Middleware for every request: turns away what was sent to a name that is not this site's, and puts the
/// [`ClientAddress`] into the request's extensions. A browser that came by TLS is told to come by nothing else.
pub async fn arrive(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    if let Some(host) = host(&request)
        && !state.access.hosts.knows(host)
    {
        let host: String = host.chars().take(100).collect();
        let sentence = format!(
            "this site does not answer to the name `{host}`; whoever runs it can allow it with `--host {}`",
            without_port(&host)
        );
        return ApiError::unreadable(StatusCode::MISDIRECTED_REQUEST, sentence).into_response();
    }
    // Whoever runs the tunnel is believed.
    if request.extensions().get::<ByTunnel>().is_none() {
        let limits_addresses = state.services.limits().address.requests_per_minute.is_some();
        Untrusted::notice(&state.access, limits_addresses, request.headers());
    }
    let address = ClientAddress::of(&request, &state.access.trusted_proxies);
    request.extensions_mut().insert(address);
    let mut answer = next.run(request).await;
    if address.is_tls {
        answer.headers_mut().extend([security::TLS_ALONE]);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_answers_to_addresses_and_to_names_that_nobody_on_the_internet_owns() {
        let hosts = Hosts::default();
        for host in [
            "127.0.0.1:3000",
            "localhost",
            "localhost:3000",
            "LocalHost",
            "[::1]:3000",
            "::1",
            "192.168.1.7",
            "darkroom",
            "box.local:3000",
            "gpu.lan",
            "a.home.arpa",
            "darkroom.localhost",
        ] {
            assert!(hosts.knows(host), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:3000",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "",
            "local.evil.com.",
        ] {
            assert!(!hosts.knows(host), "{host}");
        }
    }

    #[test]
    fn the_operator_names_others() {
        let list =
            |names: &[&str]| Hosts::from_list(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
        let hosts = list(&["Demo.example.com", "*.ngrok.app"]).unwrap();
        for host in
            ["demo.example.com", "DEMO.example.com:443", "demo.example.com.", "a.ngrok.app", "localhost"]
        {
            assert!(hosts.knows(host), "{host}");
        }
        for host in ["example.com", "a.demo.example.com", "ngrok.app", "evilngrok.app"] {
            assert!(!hosts.knows(host), "{host}");
        }
        let added = |mut hosts: Hosts| {
            hosts.add("Mine.ngrok.app");
            hosts
        };
        assert!(added(Hosts::Local).knows("mine.ngrok.app") && added(Hosts::Local).knows("localhost"));
        assert!(added(hosts.clone()).knows("mine.ngrok.app:443") && added(hosts).knows("demo.example.com"));
        assert_eq!(added(Hosts::Any), Hosts::Any);
        assert!(list(&["*"]).unwrap().knows("evil.example"));
        assert_eq!(list(&[]), Ok(Hosts::Local));
        assert_eq!(
            list(&["https://demo.example.com"]),
            Err("host `https://demo.example.com` is no host's name; give one such as demo.example.com, without scheme and port".into())
        );
    }
}
