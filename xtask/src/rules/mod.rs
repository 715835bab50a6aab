//! What the architecture forbids (`ARCHITECTURE.md`, Invariants), looked up.
//!
//! * [`arrows`]: which crate may depend on which, and what must be out of reach
//! * [`secrets`]: keys and tokens that must not be in the repository
//! * [`words`]: what may be named in which folder only

mod arrows;
mod secrets;
mod words;

use anyhow::{Result, bail};

/// Checks every rule.
///
/// # Errors
/// Each breach, with its place and the rule.
pub fn check() -> Result<()> {
    let mut breaches = arrows::breaches()?;
    breaches.extend(words::breaches()?);
    breaches.extend(secrets::breaches());
    if breaches.is_empty() {
        println!("  every arrow and every word is where it may be, and no secret is anywhere");
        return Ok(());
    }
    bail!("this must not be:\n  {}", breaches.join("\n  "));
}
