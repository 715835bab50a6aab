//! How many connections each address has.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use ipnet::IpNet;

use crate::callers::network_of;

/// Counts connections by address. A trusted proxy speaks for many, so its are not counted.
pub struct Addresses {
    most: u32,
    trusted: Vec<IpNet>,
    open: Arc<Mutex<HashMap<IpAddr, u32>>>,
}

/// A connection that counts until this is dropped.
pub struct Counted {
    network: Option<IpAddr>,
    open: Arc<Mutex<HashMap<IpAddr, u32>>>,
}

impl Addresses {
    /// So many each, but for those in these networks.
    pub fn new(most: u32, trusted: Vec<IpNet>) -> Self {
        Self { most, trusted, open: Arc::default() }
    }

    /// One more of this address; nothing if it has as many as it may.
    pub fn count(&self, address: IpAddr) -> Option<Counted> {
        let address = address.to_canonical();
        let open = Arc::clone(&self.open);
        if self.trusted.iter().any(|net| net.contains(&address)) {
            return Some(Counted { network: None, open });
        }
        let network = network_of(address);
        let mut n_open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let n = n_open.entry(network).or_default();
        if *n >= self.most {
            return None;
        }
        *n += 1;
        Some(Counted { network: Some(network), open })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let Some(network) = self.network else { return };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(n) = open.get_mut(&network) {
            *n -= 1;
            if *n == 0 {
                open.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_so_many_and_one_that_ends_makes_room() {
        let addresses = Addresses::new(2, Vec::new());
        let first = addresses.count(ip("192.0.2.1"));
        let second = addresses.count(ip("::ffff:192.0.2.1"));
        assert!(first.is_some() && second.is_some());
        assert!(addresses.count(ip("192.0.2.1")).is_none());
        assert!(addresses.count(ip("192.0.2.2")).is_some());
        drop(first);
        assert!(addresses.count(ip("192.0.2.1")).is_some());
        drop(second);
        assert!(addresses.open.lock().unwrap().is_empty(), "nobody who is gone is remembered");
    }

    #[test]
    fn a_network_of_version_6_is_one_address_and_a_trusted_proxy_has_as_many_as_it_likes() {
        let addresses = Addresses::new(1, vec!["10.0.0.0/8".parse().unwrap()]);
        let _one = addresses.count(ip("2001:db8:1:2::1")).unwrap();
        assert!(addresses.count(ip("2001:db8:1:2:ffff::9")).is_none());
        let proxied: Vec<_> = (0..9).filter_map(|_| addresses.count(ip("10.1.2.3"))).collect();
        assert_eq!(proxied.len(), 9);
    }
}
