//! A listener that only this machine reaches is called by its address or `localhost`, and by no other name.
//!
//! Another site could give itself a name that leads here (DNS rebinding): to a browser on this machine, the operator's
//! page would then be a page of that site, which its scripts may read.

use std::net::{Ipv4Addr, Ipv6Addr};

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Middleware that refuses requests for another name. One that names no host comes from no browser.
pub async fn only_this_machine(request: Request, next: Next) -> Response {
    if is_this_machine(request.headers()) {
        next.run(request).await
    } else {
        let sentence = "this listener answers to its address and to `localhost` alone\n";
        (StatusCode::MISDIRECTED_REQUEST, sentence).into_response()
    }
}

fn is_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST) else { return true };
    let Ok(host) = host.to_str() else { return false };
    let has_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(rest) = host.strip_prefix('[') {
        let address = rest
            .split_once(']')
            .filter(|(_, port)| port.is_empty() || port.strip_prefix(':').is_some_and(has_port));
        return address.is_some_and(|(address, _)| address.parse::<Ipv6Addr>().is_ok());
    }
    let name = host.rsplit_once(':').map_or(host, |(name, port)| if has_port(port) { name } else { host });
    name.eq_ignore_ascii_case("localhost") || name.parse::<Ipv4Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_localhost_are_this_machine_and_names_are_not() {
        let is_here = |host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            is_this_machine(&headers)
        };
        for host in ["127.0.0.1:3001", "127.0.0.1", "localhost:3001", "LOCALHOST", "[::1]:3001", "[::1]"] {
            assert!(is_here(host), "{host}");
        }
        for host in
            ["evil.example:3001", "evil.example", "localhost.evil.example", "[::1].evil:80", "", "[::1"]
        {
            assert!(!is_here(host), "{host}");
        }
        assert!(is_this_machine(&HeaderMap::new()));
    }
}
