//! Who asks.

use std::fmt::Write;

use rand::RngCore;
use sha2::{Digest, Sha256};

/// The owner of jobs and pictures.
///
/// Holds the SHA-256 of the token in the visitor's cookie: the database never sees the token, so nobody
/// who reads the database can act for a visitor.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Visitor(String);

impl Visitor {
    /// The visitor who holds this token. Any text will do: a token that was never given out owns nothing.
    pub fn from_token(token: &str) -> Self {
        Self(hex(&Sha256::digest(token.as_bytes())))
    }

    /// A token for a new visitor: 256 random bits in hexadecimal.
    pub fn new_token() -> String {
        let mut bits = [0; 32];
        rand::rng().fill_bytes(&mut bits);
        hex(&bits)
    }

    /// The name under which the database keeps what belongs to the visitor.
    pub(crate) fn owner_id(&self) -> &str {
        &self.0
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_64_hexadecimal_digits_and_never_the_same_twice() {
        let token = Visitor::new_token();
        assert_eq!(token.len(), 64);
        assert!(token.chars().all(|c| c.is_ascii_hexdigit()));
        assert_ne!(token, Visitor::new_token());
    }

    #[test]
    fn the_owner_follows_from_the_token_and_does_not_show_it() {
        let visitor = Visitor::from_token("abc");
        assert_eq!(visitor, Visitor::from_token("abc"));
        assert_eq!(visitor.owner_id(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
