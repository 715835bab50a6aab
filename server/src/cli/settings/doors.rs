//! What all callers together may hold: the tables `streams`, `waiting`, `bodies` and `connections` of `[limits]`.

use std::num::NonZeroU32;

use serde::Deserialize;

use crate::callers::{BodyLimits, StreamLimits};
use crate::multipart::MAX_FORM_BYTES;
use crate::patience::Patience;

/// How many streams of events may be open, or how many answers may wait.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StreamsTable {
    visitor: Option<NonZeroU32>,
    address: Option<NonZeroU32>,
    all: Option<NonZeroU32>,
}

/// How many megabytes of bodies may be in memory, and how many of answers.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BodiesTable {
    address: Option<u32>,
    all: Option<u32>,
}

/// How many connections may be open.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConnectionsTable {
    address: Option<NonZeroU32>,
    all: Option<NonZeroU32>,
}

impl StreamsTable {
    /// The limits, with the usual ones where nothing is said.
    pub fn limits(&self) -> StreamLimits {
        let usual = StreamLimits::default();
        StreamLimits {
            per_caller: self.visitor.map_or(usual.per_caller, NonZeroU32::get),
            per_address: self.address.map_or(usual.per_address, NonZeroU32::get),
            in_all: self.all.map_or(usual.in_all, NonZeroU32::get),
        }
    }
}

impl BodiesTable {
    /// The limits, with the usual ones where nothing is said.
    ///
    /// # Errors
    /// The largest form would never have room, in a sentence.
    pub fn limits(&self) -> Result<BodyLimits, String> {
        let usual = BodyLimits::default();
        let bytes = |megabytes: Option<u32>, usual| megabytes.map_or(usual, |n| u64::from(n) << 20);
        let limits = BodyLimits {
            per_address: bytes(self.address, usual.per_address),
            in_all: bytes(self.all, usual.in_all),
        };
        let least = (MAX_FORM_BYTES as u64 >> 20) + 1;
        let smallest = limits.per_address.min(limits.in_all) >> 20;
        if smallest < least {
            return Err(format!(
                "{smallest} megabytes are too few for the largest form; at least {least} are needed"
            ));
        }
        Ok(limits)
    }
}

impl ConnectionsTable {
    /// The usual patience with so many connections.
    pub fn patience(&self) -> Patience {
        let usual = Patience::default();
        Patience {
            most_per_address: self.address.map_or(usual.most_per_address, NonZeroU32::get),
            most_connections: self.all.map_or(usual.most_connections, NonZeroU32::get),
            ..usual
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_the_usual() {
        let streams: StreamsTable = toml::from_str("visitor = 1").unwrap();
        assert_eq!(streams.limits(), StreamLimits { per_caller: 1, ..StreamLimits::default() });
        let connections: ConnectionsTable = toml::from_str("address = 7").unwrap();
        assert_eq!(connections.patience(), Patience { most_per_address: 7, ..Patience::default() });
    }

    #[test]
    fn none_at_all_is_no_limit_that_anybody_means() {
        assert!(toml::from_str::<StreamsTable>("all = 0").is_err());
        assert!(toml::from_str::<ConnectionsTable>("address = 0").is_err());
    }

    #[test]
    fn room_for_bodies_is_said_in_megabytes_and_holds_the_largest_form() {
        let limits = |text: &str| toml::from_str::<BodiesTable>(text).unwrap().limits();
        let expected = BodyLimits { per_address: 80 << 20, ..BodyLimits::default() };
        assert_eq!(limits("address = 80"), Ok(expected));
        assert_eq!(
            limits("all = 10"),
            Err("10 megabytes are too few for the largest form; at least 66 are needed".to_owned())
        );
    }
}
