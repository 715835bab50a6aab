//! `darkroom licences`.

use std::io::Write;

use clap::Args;

const NOTICE: &str = include_str!("../../../NOTICE");

/// The texts of the crates' licences, which `cargo xtask build` collects.
#[cfg(feature = "embed")]
const CRATES: &str = include_str!("../../../target/licences.txt");
#[cfg(not(feature = "embed"))]
const CRATES: &str = "This program was built without the texts of its crates' licences; \
                      `cargo xtask build` makes one that has them.\n";

/// Print the licences of Darkroom and of everything that is in this program.
#[derive(Args)]
pub struct Licences;

impl Licences {
    /// Prints.
    pub fn run() -> anyhow::Result<()> {
        write!(std::io::stdout(), "{NOTICE}\n{CRATES}")?;
        Ok(())
    }
}
