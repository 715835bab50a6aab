//! What a listener puts up with, and for how long.

use std::time::Duration;

/// The bounds of connections, of bodies and of answers. What is said of none of them is the usual.
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
    /// How long a reader may take for a long answer, whatever its length is.
    pub answer: Duration,
    /// Bytes of a long answer for which a reader has one more second. A picture of two megabytes needs a hundred kilobits a
    /// second for the usual.
    pub answer_rate: u32,
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
            answer: Duration::from_mins(1),
            answer_rate: 16 << 10,
        }
    }
}

/// Files that are not connections: the database, pictures, models, the log, and those that a handler has open.
const OTHER_FILES: u64 = 256;

impl Patience {
    /// No more connections than leave files to be opened, of so many that may be open together.
    #[must_use]
    pub fn within(self, n_files: Option<u64>) -> Self {
        let most = n_files.map_or(u64::MAX, |n_files| n_files.saturating_sub(OTHER_FILES).max(1));
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        Self {
            most_connections: self.most_connections.min(most),
            most_per_address: self.most_per_address.min(most),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_to_be_opened() {
        let usual = Patience::default();
        assert_eq!(usual.within(None), usual);
        assert_eq!(usual.within(Some(1 << 20)), usual);
        let few = usual.within(Some(1024));
        assert_eq!((few.most_connections, few.most_per_address), (768, 768));
        assert_eq!(usual.within(Some(10)).most_connections, 1);
    }
}
