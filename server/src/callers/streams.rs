//! How many streams of events are open, and how many answers wait for their pictures: each holds a connection for as long
//! as a job takes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use types::error::PublicError;

/// Seconds after which one may try again: about as long as a quick picture takes.
const RETRY_S: u64 = 10;

/// Most streams, or answers that wait, at a time.
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

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Streams of events, and sockets.
    Streams,
    /// Answers that come once there is a picture or a prompt.
    Answers,
}

impl Held {
    fn sentence(self, reached: Reached, most: u32) -> String {
        let (they, remedy) = match self {
            Self::Streams => ("streams are open", "close one first"),
            Self::Answers => ("answers are waited for", "wait for one first"),
        };
        match (reached, self) {
            (Reached::Caller, Self::Streams) => {
                format!("you have {most} streams open, which is as many as are allowed; {remedy}")
            }
            (Reached::Caller, Self::Answers) => {
                format!("you wait for {most} answers, which is as many as are allowed; {remedy}")
            }
            (Reached::Address, _) => {
                format!("{most} {they} from your address, which is as many as are allowed; {remedy}")
            }
            (Reached::All, _) => {
                format!("{most} {they}, which is as many as this site has; try again in a moment")
            }
        }
    }
}

/// Which limit is reached.
#[derive(Clone, Copy)]
enum Reached {
    Caller,
    Address,
    All,
}

/// Counts open streams, or answers that wait.
pub struct Streams {
    held: Held,
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
    pub fn new(held: Held, limits: StreamLimits) -> Self {
        Self { held, limits, open: Arc::default() }
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
        let reached = if n_of(&names[0]) >= per_caller {
            Some((Reached::Caller, per_caller))
        } else if n_of(&names[1]) >= per_address {
            Some((Reached::Address, per_address))
        } else if open.n >= in_all {
            Some((Reached::All, in_all))
        } else {
            None
        };
        if let Some((reached, most)) = reached {
            return Err(PublicError::limit_reached(self.held.sentence(reached, most), RETRY_S));
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
        let streams = Streams::new(Held::Streams, StreamLimits { per_caller: 2, per_address: 3, in_all: 4 });
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

    #[test]
    fn answers_that_wait_are_told_as_such() {
        let limits = StreamLimits { per_caller: 1, per_address: 2, in_all: 3 };
        let answers = Streams::new(Held::Answers, limits);
        let _open: Vec<_> = [("anna", "a"), ("ben", "a"), ("carol", "c")]
            .into_iter()
            .map(|(caller, address)| answers.open(caller, address).ok())
            .collect();
        let refusal = |caller: &str, address: &str| {
            answers.open(caller, address).err().map(|error| error.message).unwrap()
        };
        assert_eq!(
            refusal("anna", "a"),
            "you wait for 1 answers, which is as many as are allowed; wait for one first"
        );
        assert!(refusal("dora", "a").starts_with("2 answers are waited for from your address"));
        assert!(refusal("dora", "d").starts_with("3 answers are waited for, which"));
    }
}
