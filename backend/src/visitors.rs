//! Who asks.

use std::hash::{Hash, Hasher};

use rand::RngCore;
use sha2::{Digest, Sha256};

use crate::access::Allowance;
use crate::hexadecimal::hexadecimal;

/// The owner of jobs and pictures.
///
/// Holds the SHA-256 of the token in the visitor's cookie: the database never sees the token, so nobody
/// who reads the database can act for a visitor.
///
/// Two are equal if they own the same, wherever they call from.
#[derive(Debug, Clone)]
pub struct Visitor {
    owner: String,
    address: String,
    allowance: Option<Allowance>,
    pass: Option<String>,
}

impl Visitor {
    /// The visitor who holds this token. Any text will do: a token that was never given out owns nothing.
    pub fn from_token(token: &str) -> Self {
        let owner = hexadecimal(&Sha256::digest(token.as_bytes()));
        Self { owner, address: String::new(), allowance: None, pass: None }
    }

    /// The same visitor, who calls from the address that this hash stands for: what is limited for an address is limited
    /// for everybody there together.
    #[must_use]
    pub fn at(mut self, address: String) -> Self {
        self.address = address;
        self
    }

    /// The same visitor, who may do what a key allows in place of what all may.
    #[must_use]
    pub fn allowed(mut self, allowance: Allowance) -> Self {
        self.allowance = Some(allowance);
        self
    }

    /// The same visitor, who shows what they were given to see a picture of somebody else's.
    #[must_use]
    pub fn with_pass(mut self, pass: String) -> Self {
        self.pass = Some(pass);
        self
    }

    /// A token for a new visitor: 256 random bits in hexadecimal.
    pub fn new_token() -> String {
        let mut bits = [0; 32];
        rand::rng().fill_bytes(&mut bits);
        hexadecimal(&bits)
    }

    /// A hash of where they call from; empty if that is not known.
    pub fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn pass(&self) -> Option<&str> {
        self.pass.as_deref()
    }

    /// What the visitor's key allows, if they showed one.
    pub fn allowance(&self) -> Option<&Allowance> {
        self.allowance.as_ref()
    }

    /// The name under which the database keeps what belongs to the visitor.
    pub fn owner_id(&self) -> &str {
        &self.owner
    }
}

impl PartialEq for Visitor {
    fn eq(&self, other: &Self) -> bool {
        self.owner == other.owner
    }
}

impl Eq for Visitor {}

impl Hash for Visitor {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.owner.hash(state);
    }
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
