//! What a program shows to say who it is.

use std::fmt;
use std::str::FromStr;

use rand::RngCore;
use serde::Serialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use time::OffsetDateTime;

use super::Ration;
use crate::hexadecimal::hexadecimal;

/// What every key begins with, so that people and scanners for secrets know one when they see it.
const MARK: &str = "dk_";

/// Bytes by which a key is found: they are no secret.
const PREFIX_BYTES: usize = 6;

/// Bytes of the secret.
const SECRET_BYTES: usize = 32;

/// What a key allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// To look at what is the key's own, and at what is installed.
    Read,
    /// To ask for pictures and prompts, to cancel, to delete.
    Generate,
    /// To see the operator's page.
    Operator,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Read, Self::Generate, Self::Operator];

    /// Its name on the command line and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Generate => "generate",
            Self::Operator => "operator",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|scope| scope.as_str() == name);
        found.ok_or_else(|| format!("scope `{name}` is unknown; known are read, generate, operator"))
    }
}

/// What the holder of a key may do, and how much of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// Its own limits; where it has none, those of all visitors hold.
    pub ration: Ration,
}

impl Allowance {
    /// Whether it allows that. Who may ask for pictures may look at them as well.
    pub fn allows(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope) || (scope == Scope::Read && self.scopes.contains(&Scope::Generate))
    }
}

/// A key as the operator sees it: without its secret, which nobody has but its holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyInfo {
    /// Its first characters.
    pub prefix: String,
    /// What the operator calls it.
    pub name: String,
    /// What it allows, and how much of it.
    pub allowance: Allowance,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// Since when it is not valid any more, if it was revoked.
    pub revoked_at: Option<OffsetDateTime>,
}

/// A key that was made just now. Its text is shown once, and kept nowhere.
pub struct NewKey {
    /// The key.
    pub text: String,
    /// What is known of it.
    pub info: KeyInfo,
}

/// A key's two parts.
pub(crate) struct Parts {
    /// By which it is found: the mark and some digits.
    pub(crate) prefix: String,
    /// The whole key.
    pub(crate) text: String,
}

impl Parts {
    /// A new key, from the system's random numbers.
    pub(crate) fn new_random() -> Self {
        let mut bits = [0; PREFIX_BYTES + SECRET_BYTES];
        rand::rng().fill_bytes(&mut bits);
        let (prefix, secret) = bits.split_at(PREFIX_BYTES);
        let prefix = format!("{MARK}{}", hexadecimal(prefix));
        Self { text: format!("{prefix}_{}", hexadecimal(secret)), prefix }
    }

    /// The parts of a text that has a key's form.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let (prefix, secret) = text.strip_prefix(MARK)?.split_once('_')?;
        let is_digits = |part: &str, n_bytes: usize| {
            part.len() == 2 * n_bytes && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        (is_digits(prefix, PREFIX_BYTES) && is_digits(secret, SECRET_BYTES))
            .then(|| Self { prefix: format!("{MARK}{prefix}"), text: text.to_owned() })
    }
}

/// Whether a text means to be one of our keys, whole or half typed. Others may be what a client sends that has to send
/// something.
pub fn looks_like_a_key(text: &str) -> bool {
    text.starts_with(MARK)
}

/// What the database keeps of a key. Its 256 random bits cannot be tried out, so a quick hash will do.
pub(crate) fn hash_of(text: &str) -> String {
    hexadecimal(&Sha256::digest(text.as_bytes()))
}

/// Whether that is the text's hash. Takes as long for a wrong text as for the right one.
pub(crate) fn is_hash_of(hash: &str, text: &str) -> bool {
    hash_of(text).as_bytes().ct_eq(hash.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_is_read_back_and_no_two_are_the_same() {
        let key = Parts::new_random();
        assert_eq!(key.text.len(), 3 + 12 + 1 + 64);
        assert_eq!(Parts::of(&key.text).unwrap().prefix, key.prefix);
        assert_ne!(Parts::new_random().prefix, key.prefix);
        assert!(looks_like_a_key(&key.text));
    }

    #[test]
    fn half_a_key_is_none() {
        let key = Parts::new_random().text;
        for text in [&key[..40], &key[..key.len() - 1], &key.to_uppercase(), "dk_", "", "sk-something"] {
            assert!(Parts::of(text).is_none(), "{text}");
        }
        assert!(Parts::of(&format!("{key}0")).is_none());
    }

    #[test]
    fn the_hash_of_a_key_is_its_own_alone() {
        let (one, other) = (Parts::new_random().text, Parts::new_random().text);
        assert!(is_hash_of(&hash_of(&one), &one));
        assert!(!is_hash_of(&hash_of(&one), &other));
        assert!(!is_hash_of("", &one));
    }

    #[test]
    fn who_may_generate_may_read_and_nobody_but_the_operator_sees_the_operators_page() {
        let allowance = |scopes: &[Scope]| Allowance { scopes: scopes.to_vec(), ration: Ration::default() };
        assert!(allowance(&[Scope::Generate]).allows(Scope::Read));
        assert!(!allowance(&[Scope::Read]).allows(Scope::Generate));
        assert!(!allowance(&[Scope::Generate]).allows(Scope::Operator));
        assert!(!allowance(&[Scope::Operator]).allows(Scope::Generate));
    }

    #[test]
    fn a_scope_is_known_by_its_name() {
        assert!(Scope::ALL.into_iter().all(|scope| scope.as_str().parse() == Ok(scope)));
        assert_eq!(
            "admin".parse::<Scope>(),
            Err("scope `admin` is unknown; known are read, generate, operator".into())
        );
    }
}
