//! What the architecture forbids (`ARCHITECTURE.md`, Invariants), looked up.
//!
//! * [`arrows`]: which crate may depend on which, and what must be out of reach
//! * [`words`]: what may be named in which folder only

mod arrows;
mod words;

use anyhow::{Result, bail};

/// Checks every rule.
///
/// # Errors
/// Each breach, with its place and the rule.
pub fn check() -> Result<()> {
    let mut breaches = arrows::breaches()?;
    breaches.extend(words::breaches()?);
    if breaches.is_empty() {
        println!("  every arrow and every word is where it may be");
        return Ok(());
    }
    bail!("the architecture forbids this:\n  {}", breaches.join("\n  "));
}
