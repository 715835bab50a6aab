//! The program, with the site, the demo models and the licences inside.

use std::path::PathBuf;

use anyhow::Result;

use crate::{command, licences, paths, site};

/// Builds it and returns where it is.
///
/// # Errors
/// A tool is missing and cannot be installed, or something does not build.
pub fn build(release: bool) -> Result<PathBuf> {
    site::build()?;
    licences::collect()?;
    let mut cargo = command::cargo();
    cargo.args(["build", "--package", "server", "--features", "embed"]);
    if release {
        cargo.arg("--release");
    }
    command::run(&mut cargo)?;
    Ok(paths::program(release))
}
