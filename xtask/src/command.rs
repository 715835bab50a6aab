//! Other programs, run in the repository's root.

use std::ffi::OsStr;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::paths;

/// `cargo`, as if a person had called it.
///
/// `cargo run` tells a program about its own package in variables that the builds started from here would
/// take for theirs, and some build scripts run again when those change.
pub fn cargo() -> Command {
    let mut cargo = new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let of_this_package = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name == "CARGO"
        });
        if of_this_package {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Any program.
pub fn new(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(paths::root());
    command
}

/// Runs it to its end, with its output going where ours goes.
///
/// # Errors
/// It cannot be started, or it ends with a code other than 0.
pub fn run(command: &mut Command) -> Result<()> {
    println!("  $ {}", words(command));
    let status =
        command.status().with_context(|| format!("{} cannot be started", words_of_program(command)))?;
    if !status.success() {
        bail!("`{}` failed: {status}", words(command));
    }
    Ok(())
}

/// Runs it to its end and returns what it wrote.
///
/// # Errors
/// As [`run`]; and if what it wrote is not UTF-8.
pub fn output(command: &mut Command) -> Result<String> {
    let output =
        command.output().with_context(|| format!("{} cannot be started", words_of_program(command)))?;
    if !output.status.success() {
        bail!("`{}` failed: {}\n{}", words(command), output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Whether a program of that name can be started.
pub fn exists(program: &str) -> bool {
    new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// The first two numbers of a program's version; `None` if it cannot be started or tells none.
pub fn version(program: &str) -> Option<(u32, u32)> {
    version_in(&output(new(program).arg("--version")).ok()?)
}

/// The version in a line such as `v20.11.1` or `Python 3.11.2`.
fn version_in(line: &str) -> Option<(u32, u32)> {
    let start = line.find(|c: char| c.is_ascii_digit())?;
    let numbers = line[start..].split(|c: char| !c.is_ascii_digit());
    let mut numbers = numbers.map_while(|number| number.parse().ok());
    Some((numbers.next()?, numbers.next().unwrap_or(0)))
}

fn words(command: &Command) -> String {
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once(words_of_program(command)).chain(arguments).collect::<Vec<_>>().join(" ")
}

fn words_of_program(command: &Command) -> String {
    // The full path of cargo says nothing that its name does not.
    std::path::Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_however_the_program_puts_it() {
        assert_eq!(version_in("v20.11.1\n"), Some((20, 11)));
        assert_eq!(version_in("Python 3.11.2\n"), Some((3, 11)));
        assert_eq!(version_in("Python 3.15.0rc1"), Some((3, 15)));
        assert_eq!(version_in("tool 4\n"), Some((4, 0)));
        assert_eq!(version_in("unknown"), None);
    }
}
