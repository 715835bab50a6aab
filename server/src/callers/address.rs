//! Where a call comes from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, header};
use ipnet::IpNet;

/// Marks the requests that came by the program's own tunnel, in their extensions. Nobody else can put it there.
#[derive(Debug, Clone, Copy)]
pub struct ByTunnel;

/// The address that a call comes from, as far as it can be believed, and whether it came by TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress {
    /// The nearest machine that is no trusted proxy.
    pub ip: IpAddr,
    /// Whether a trusted proxy says that the caller came by TLS, as by the tunnel everybody does.
    pub is_tls: bool,
}

impl ClientAddress {
    /// Of a request. Each proxy adds the address that it was called from at the end of `X-Forwarded-For`; so the list is
    /// read from its end, for as long as it was a trusted proxy that wrote. What stands further left may be made up.
    pub fn of(request: &Request, trusted: &[IpNet]) -> Self {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer =
            peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip().to_canonical());
        if request.extensions().get::<ByTunnel>().is_some() {
            // A connection may carry the calls of several, so it is asked by call. Whoever runs the tunnel writes the last.
            let said = forwarded(request.headers()).pop().flatten();
            return Self { ip: said.unwrap_or(peer), is_tls: true };
        }
        let is_trusted = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
        if !is_trusted(&peer) {
            return Self { ip: peer, is_tls: false };
        }
        let mut ip = peer;
        for said in forwarded(request.headers()).into_iter().rev() {
            // What is no address was written by nobody who can be trusted; the one who passed it on is the nearest known.
            let Some(said) = said else { break };
            ip = said;
            if !is_trusted(&ip) {
                break;
            }
        }
        Self { ip, is_tls: says_tls(request.headers()) }
    }

    /// A hash that stands for the caller's network in the database: of the whole address for IPv4, and of its first 64 bits
    /// for IPv6, where everybody has as many addresses as they like.
    ///
    /// `sign` is the site's own signature, so that nobody who reads the database can try out addresses.
    pub fn hash(&self, sign: impl Fn(&str) -> String) -> String {
        sign(&format!("address {}", network_of(self.ip)))
    }
}

/// What counts as one caller's: the whole address for IPv4, and its first 64 bits for IPv6.
pub fn network_of(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => IpAddr::V4(ip),
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from(u128::from(ip) >> 64 << 64)),
    }
}

/// The addresses in `X-Forwarded-For`, over all its lines.
fn forwarded(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let lines = headers.get_all("x-forwarded-for").iter();
    let parse = |said: &str| {
        let said = said.trim();
        // Some proxies write the port too.
        let with_port = || said.parse::<SocketAddr>().ok().map(|address| address.ip());
        let bracketed = || said.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
        said.parse().ok().or_else(with_port).or_else(bracketed).map(|ip: IpAddr| ip.to_canonical())
    };
    lines.flat_map(|line| line.to_str().unwrap_or("").split(',').map(parse).collect::<Vec<_>>()).collect()
}

/// The proxy that is nearest to this server writes the last.
fn says_tls(headers: &HeaderMap) -> bool {
    let said = headers.get_all("x-forwarded-proto").iter().next_back().and_then(|said| said.to_str().ok());
    let said = said.and_then(|said| said.rsplit(',').next()).unwrap_or("").trim();
    said.eq_ignore_ascii_case("https")
}

/// What a request says as its host, if it says anything.
pub(super) fn host(request: &Request) -> Option<&str> {
    let header = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    header.or_else(|| request.uri().authority().map(axum::http::uri::Authority::as_str))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn address(peer: &str, headers: &[(&str, &str)], trusted: &[&str]) -> ClientAddress {
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
        ClientAddress::of(&request, &trusted.iter().map(|net| net.parse().unwrap()).collect::<Vec<_>>())
    }

    fn ip(peer: &str, forwarded: &str, trusted: &[&str]) -> String {
        address(peer, &[("x-forwarded-for", forwarded)], trusted).ip.to_string()
    }

    #[test]
    fn without_a_trusted_proxy_the_address_is_that_of_the_connection_whatever_is_said() {
        assert_eq!(ip("198.51.100.7:1", "192.0.2.1", &[]), "198.51.100.7");
        assert_eq!(ip("198.51.100.7:1", "192.0.2.1", &["10.0.0.0/8"]), "198.51.100.7");
        assert!(!address("198.51.100.7:1", &[("x-forwarded-proto", "https")], &["10.0.0.0/8"]).is_tls);
    }

    #[test]
    fn a_trusted_proxy_is_believed_and_what_the_caller_made_up_is_not() {
        let proxies = ["127.0.0.0/8", "10.0.0.0/8"];
        assert_eq!(ip("127.0.0.1:1", "192.0.2.1", &proxies), "192.0.2.1");
        assert_eq!(ip("127.0.0.1:1", "203.0.113.9, 192.0.2.1", &proxies), "192.0.2.1");
        assert_eq!(ip("127.0.0.1:1", "203.0.113.9, 192.0.2.1, 10.1.2.3", &proxies), "192.0.2.1");
        assert_eq!(ip("127.0.0.1:1", "192.0.2.1:4711", &proxies), "192.0.2.1");
        assert_eq!(ip("127.0.0.1:1", "nonsense", &proxies), "127.0.0.1");
        assert_eq!(ip("127.0.0.1:1", "203.0.113.9, nonsense, 10.1.2.3", &proxies), "10.1.2.3");
        assert_eq!(ip("[::ffff:127.0.0.1]:1", "[2001:db8::1]", &proxies), "2001:db8::1");
    }

    #[test]
    fn by_the_tunnel_the_last_address_is_that_of_the_caller_and_all_came_by_tls() {
        let by_tunnel = |headers: &[(&str, &str)]| {
            let mut request = Request::builder();
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let mut request = request.body(Body::empty()).unwrap();
            request.extensions_mut().insert(ConnectInfo("198.51.100.7:1".parse::<SocketAddr>().unwrap()));
            request.extensions_mut().insert(ByTunnel);
            ClientAddress::of(&request, &[])
        };
        let known = |ip: &str| ClientAddress { ip: ip.parse().unwrap(), is_tls: true };
        assert_eq!(by_tunnel(&[]), known("198.51.100.7"));
        let made_up = ("x-forwarded-for", "203.0.113.9");
        assert_eq!(by_tunnel(&[made_up, ("x-forwarded-for", "192.0.2.1")]), known("192.0.2.1"));
        assert_eq!(by_tunnel(&[("x-forwarded-for", "203.0.113.9, 2001:db8::1")]), known("2001:db8::1"));
        assert_eq!(by_tunnel(&[("x-forwarded-for", "203.0.113.9, nonsense")]), known("198.51.100.7"));
        assert_eq!(by_tunnel(&[("x-forwarded-proto", "http")]), known("198.51.100.7"));
    }

    #[test]
    fn two_lines_of_the_header_are_one_list() {
        let headers = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "192.0.2.1")];
        assert_eq!(address("127.0.0.1:1", &headers, &["127.0.0.1/32"]).ip.to_string(), "192.0.2.1");
    }

    #[test]
    fn tls_is_what_the_nearest_proxy_says() {
        let is_tls =
            |said: &str| address("127.0.0.1:1", &[("x-forwarded-proto", said)], &["127.0.0.1/32"]).is_tls;
        assert!(is_tls("https") && is_tls("http, HTTPS"));
        assert!(!is_tls("https, http") && !is_tls("gopher"));
    }

    #[test]
    fn a_network_of_version_6_is_one_caller() {
        let signed = |peer: &str| address(peer, &[], &[]).hash(|text| format!("signed {text}"));
        assert_eq!(signed("[2001:db8:1:2::1]:1"), signed("[2001:db8:1:2:ffff::9]:1"));
        assert_ne!(signed("[2001:db8:1:2::1]:1"), signed("[2001:db8:1:3::1]:1"));
        assert_eq!(signed("192.0.2.1:1"), "signed address 192.0.2.1");
    }
}
