//! What a listener puts up with, and for how long.

use std::time::Duration;

/// The bounds of connections and of bodies. What is said of none of them is the usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Connections at a time; the next ones wait to be accepted.
    pub most_connections: u32,
    /// Connections of one address at a time, unless it is that of a trusted proxy; the next ones are hung up on.
    pub most_per_address: u32,
    /// How long the head of a request may take, and how long a connection may be idle between two requests.
    pub head: Duration,
    /// How long nothing of a body may come.
    pub body_pause: Duration,
    /// How long a body may take in all. The largest upload needs less than a megabit a second for the usual.
    pub body: Duration,
    /// How long a reader may take nothing of an answer that is there for them.
    pub unread: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            most_connections: 8192,
            most_per_address: 1024,
            head: Duration::from_secs(30),
            body_pause: Duration::from_secs(20),
            body: Duration::from_mins(5),
            unread: Duration::from_mins(1),
        }
    }
}
