//! What the architecture forbids (`ARCHITECTURE.md`, Invariants), looked up.
//!
//! * [`arrows`]: which crate may depend on which, and what must be out of reach
//! * [`attacks`]: that every test is there which `docs/attacks.md` names
//! * [`comparisons`]: that secrets are compared in constant time
//! * [`secrets`]: keys and tokens that must not be in the repository
//! * [`words`]: what may be named in which folder only

mod arrows;
mod attacks;
mod comparisons;
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
    breaches.extend(comparisons::breaches()?);
    breaches.extend(attacks::breaches()?);
    if breaches.is_empty() {
        println!(
            "  every arrow and every word is where it may be, no secret is anywhere, and every attack has its tests"
        );
        return Ok(());
    }
    bail!("this must not be:\n  {}", breaches.join("\n  "));
}
