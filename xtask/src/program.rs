//! The program, with the site, the demo models and the licences inside.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::{command, licences, paths, site};

/// Builds it and returns where it is.
///
/// # Errors
/// A tool is missing and cannot be installed, or something does not build.
pub fn build(release: bool) -> Result<PathBuf> {
    inside()?;
    let mut cargo = command::cargo();
    cargo.args(["build", "--package", "server", "--features", "embed"]);
    if release {
        cargo.arg("--release");
    }
    command::run(&mut cargo)?;
    Ok(paths::program(release))
}

/// Builds it as the tests of the crates do, and returns where it is: after them nothing is left to build. What
/// computes is optimised in it as in release, and its arithmetic is checked for overflow besides.
///
/// # Errors
/// As [`build`].
pub fn of_the_tests() -> Result<PathBuf> {
    inside()?;
    command::run(with_everything("test").args(["--no-run", "--quiet"]))?;
    Ok(paths::program(false))
}

/// Makes what the program carries. It has to be there before anything is compiled with it inside.
///
/// # Errors
/// As [`build`].
pub fn inside() -> Result<()> {
    site::build()?;
    licences::collect()
}

/// A cargo command over all crates but the browser's, which would switch `app/hydrate` on for the server.
pub fn server_side(subcommand: &str) -> Command {
    let mut cargo = command::cargo();
    cargo.args(subcommand.split(' ')).args(["--workspace", "--exclude", "frontend"]);
    cargo
}

/// The same, with everything inside the program. Checks and tests all ask for it in these words, as any others
/// would have the dependencies built once more.
pub fn with_everything(subcommand: &str) -> Command {
    let mut cargo = server_side(subcommand);
    cargo.args(["--features", "server/embed"]);
    cargo
}
