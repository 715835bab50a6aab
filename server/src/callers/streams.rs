//! How many streams of events are open: each holds a connection for as long as a job takes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use types::error::PublicError;

/// Seconds after which one may try again: about as long as a quick picture takes.
const RETRY_S: u64 = 10;

/// Most streams that are open at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamLimits {
    /// Of one visitor or key.
    pub per_caller: u32,
    /// Of everybody at one address.
    pub per_address: u32,
    /// Of all.
    pub in_all: u32,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self { per_caller: 64, per_address: 512, in_all: 4096 }
    }
}

/// Counts open streams.
#[derive(Default)]
pub struct Streams {
    limits: StreamLimits,
    open: Arc<Mutex<Open>>,
}

#[derive(Default)]
struct Open {
    n_by_name: HashMap<String, u32>,
    n: u32,
}

/// A stream that counts as open until this is dropped.
pub struct OpenStream {
    names: [String; 2],
    open: Arc<Mutex<Open>>,
}

impl Streams {
    /// With these limits.
    pub fn new(limits: StreamLimits) -> Self {
        Self { limits, open: Arc::default() }
    }

    /// One more stream of this caller at this address.
    ///
    /// # Errors
    /// There are as many as are allowed.
    pub fn open(&self, caller: &str, address: &str) -> Result<OpenStream, PublicError> {
        let StreamLimits { per_caller, per_address, in_all } = self.limits;
        let names = [format!("caller {caller}"), format!("address {address}")];
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let n_of = |name: &String| open.n_by_name.get(name).copied().unwrap_or(0);
        let refused = if n_of(&names[0]) >= per_caller {
            Some(format!(
                "you have {per_caller} streams open, which is as many as are allowed; close one first"
            ))
        } else if n_of(&names[1]) >= per_address {
            Some(format!(
                "{per_address} streams are open from your address, which is as many as are allowed; close one first"
            ))
        } else if open.n >= in_all {
            Some(format!(
                "{in_all} streams are open, which is as many as this site has; try again in a moment"
            ))
        } else {
            None
        };
        if let Some(sentence) = refused {
            return Err(PublicError::limit_reached(sentence, RETRY_S));
        }
        for name in &names {
            *open.n_by_name.entry(name.clone()).or_default() += 1;
        }
        open.n += 1;
        drop(open);
        Ok(OpenStream { names, open: Arc::clone(&self.open) })
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.n -= 1;
        for name in &self.names {
            if let Some(n) = open.n_by_name.get_mut(name) {
                *n -= 1;
                if *n == 0 {
                    open.n_by_name.remove(name);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_streams_are_open_than_are_allowed_and_a_closed_one_makes_room() {
        let streams = Streams::new(StreamLimits { per_caller: 2, per_address: 3, in_all: 4 });
        let first = streams.open("anna", "a").ok();
        let _second = streams.open("anna", "a").ok();
        let refusal =
            |caller: &str, address: &str| streams.open(caller, address).err().map(|error| error.message);
        assert_eq!(
            refusal("anna", "a").unwrap(),
            "you have 2 streams open, which is as many as are allowed; close one first"
        );
        let _third = streams.open("bob", "a").ok();
        assert!(refusal("carol", "a").unwrap().starts_with("3 streams are open from your address"));
        let _fourth = streams.open("bob", "b").ok();
        assert!(refusal("carol", "c").unwrap().starts_with("4 streams are open, which"));
        drop(first);
        assert_eq!(refusal("carol", "c"), None);
        assert_eq!(refusal("anna", "a"), None);
    }
}
