//! Keys, what they allow, and how much of it at a time.

mod keyring;
mod keys;
mod limits;
pub(crate) mod upload_account;

pub use keyring::Keyring;
pub use keys::{Allowance, KeyInfo, NewKey, Scope, looks_like_a_key};
pub use limits::{Limits, Ration};
