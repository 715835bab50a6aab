//! What the operator says of who may call.

use ipnet::IpNet;

use super::entry::Password;
use super::frequency::Frequency;
use super::hosts::Hosts;
use super::streams::{StreamLimits, Streams};
use super::tries::Tries;

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
#[derive(Default)]
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
    /// How often everybody called lately.
    pub frequency: Frequency,
    /// Who said a wrong password lately.
    pub tries: Tries,
}

impl Access {
    /// The same with other limits for streams.
    #[must_use]
    pub fn with_stream_limits(self, limits: StreamLimits) -> Self {
        Self { streams: Streams::new(limits), ..self }
    }
}
