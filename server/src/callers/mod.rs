//! Who calls, from where, and how much they may.
//!
//! # Layout
//! * [`Access`]: what the operator says of all this
//! * `address`: where a call comes from; `hosts`: which names this site answers to
//! * `identity`: a visitor's cookie, a program's key, or its address; `credentials` reads keys and passwords
//! * `limits`: what the caller may do, how often, and with how many open streams; `frequency`, `streams` count;
//!   `scopes` is the table of what a key that may only look is shown
//! * `bodies`: how much of what callers send is in memory; `answers`: the same of what they are answered
//! * `revoked`: streams whose key is valid no longer
//! * `entry`: the site's own password; `tries`: how often it may be guessed
//! * `untrusted`: a proxy that nobody said to trust
//! * `shape`: a refusal as the API that was called tells its errors
//!
//! Every request passes `arrive`, then `identify_*`, then `admit`, then `bound`, in that order, and its answer `hold`: see
//! `router.rs`. What nobody has to be known for passes `count` instead.

mod access;
mod address;
mod answers;
mod bodies;
mod credentials;
pub mod entry;
mod frequency;
mod hosts;
mod identity;
mod limits;
mod revoked;
mod scopes;
mod shape;
mod streams;
mod tries;
mod untrusted;

pub use access::{Access, Programs};
pub use address::{ByTunnel, ClientAddress, network_of};
pub use answers::hold;
pub use bodies::{Bodies, BodyLimits, bound, give_back_room};
pub use credentials::shown as shown_by;
pub use entry::Password;
pub use hosts::{Hosts, arrive};
pub use identity::{COOKIE, address_of, identify_program, identify_visitor, visitor_of_program};
pub use limits::{admit, allowed, count, count_address};
pub use revoked::until_revoked;
pub use shape::Shape;
pub use streams::{OpenStream, StreamLimits, Streams};
