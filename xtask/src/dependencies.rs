//! What the program is linked from: licences, sources, forbidden crates, and the faults that are known of them.
//! `deny.toml` says what may be.

use std::process::Command;

use anyhow::Result;

use crate::{command, install, paths};

/// Checks all of it. The list of known faults is fetched; where that cannot be done, as on a machine that reaches the
/// registries alone, this says so and leaves that one check out.
///
/// # Errors
/// cargo-deny is missing and cannot be installed, or it finds something.
pub fn check() -> Result<()> {
    let program = install::cargo_tool("cargo-deny")?;
    let deny = || -> Command {
        let mut deny = command::new(&program);
        // Called without cargo, which would have put its own name there.
        deny.args(["--all-features", "--manifest-path"]).arg(paths::root().join("Cargo.toml"));
        deny
    };
    command::run(deny().args(["check", "bans", "licenses", "sources"]))?;
    if let Err(error) = command::output(deny().args(["fetch", "db"])) {
        println!("  known faults were not looked up, as their list cannot be fetched: {error:#}");
        return Ok(());
    }
    command::run(deny().args(["check", "advisories"]))
}
