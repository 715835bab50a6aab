//! What the operator says of who may call.

use std::time::Duration;

use ipnet::IpNet;

use super::bodies::Bodies;
use super::entry::Password;
use super::frequency::Frequency;
use super::hosts::Hosts;
use super::revoked::RECHECK;
use super::streams::{Held, StreamLimits, Streams};
use super::tries::Tries;
use super::untrusted::Untrusted;
use crate::patience::Patience;

/// Whether programs may call without saying who they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Programs {
    /// They may. Those at one address are one visitor.
    #[default]
    Open,
    /// They show a key, or a visitor's cookie.
    Keys,
}

/// Who may call, and how much.
pub struct Access {
    /// The names that this site answers to.
    pub hosts: Hosts,
    /// The proxies whose word is taken for where a call comes from.
    pub trusted_proxies: Vec<IpNet>,
    /// What everybody has to know who wants to see the site, if that is so.
    pub password: Option<Password>,
    /// Whether programs need a key.
    pub programs: Programs,
    /// How many streams of events may be open.
    pub streams: Streams,
    /// How many answers may wait for their pictures.
    pub waiting: Streams,
    /// How much of what callers send may be in memory.
    pub bodies: Bodies,
    /// How much of what callers are answered may be in memory.
    pub answers: Bodies,
    /// How long connections, bodies and answers may take, and how many connections there are.
    pub patience: Patience,
    /// How often it is looked whether the key of an open stream was revoked.
    pub recheck: Duration,
    /// How often everybody called lately.
    pub frequency: Frequency,
    /// Who said a wrong password lately.
    pub tries: Tries,
    /// Whether the log was told of a proxy that is not trusted.
    pub untrusted: Untrusted,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            hosts: Hosts::default(),
            trusted_proxies: Vec::new(),
            password: None,
            programs: Programs::default(),
            streams: Streams::new(Held::Streams, StreamLimits::default()),
            waiting: Streams::new(Held::Answers, StreamLimits::default()),
            bodies: Bodies::default(),
            answers: Bodies::default(),
            patience: Patience::default(),
            recheck: RECHECK,
            frequency: Frequency::default(),
            tries: Tries::default(),
            untrusted: Untrusted::default(),
        }
    }
}

impl Access {
    /// The same with other limits for streams.
    #[must_use]
    pub fn with_stream_limits(self, limits: StreamLimits) -> Self {
        Self { streams: Streams::new(Held::Streams, limits), ..self }
    }

    /// The same with other limits for answers that wait.
    #[must_use]
    pub fn with_waiting_limits(self, limits: StreamLimits) -> Self {
        Self { waiting: Streams::new(Held::Answers, limits), ..self }
    }
}
