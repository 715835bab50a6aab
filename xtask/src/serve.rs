//! Build, then run.

use anyhow::Result;

use crate::{command, program};

/// Serves the site at `addr` until the program is stopped. `flags` go to `darkroom serve` as they are.
///
/// # Errors
/// The program does not build or cannot be started.
pub fn serve(addr: &str, flags: &[String]) -> Result<()> {
    let program = program::build(true)?;
    let mut darkroom = command::new(program);
    darkroom.args(["serve", "--addr", addr]).args(flags);
    become_program(&mut darkroom)
}

/// On Unix the program takes this one's place, so that Ctrl-C and the exit code are its own.
#[cfg(unix)]
fn become_program(program: &mut std::process::Command) -> Result<()> {
    use std::os::unix::process::CommandExt;
    Err(program.exec().into())
}

#[cfg(not(unix))]
fn become_program(program: &mut std::process::Command) -> Result<()> {
    command::run(program)
}
