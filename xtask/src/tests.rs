//! The checks and the tests, step by step, quick ones first.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::{bundle, command, dependencies, install, paths, program, rules, site};

/// One step. Each is complete in itself: `--only` runs it on a fresh clone as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Step {
    /// The sources are formatted.
    Format,
    /// What the architecture forbids is not there.
    Rules,
    /// What is linked has licences, sources and no known faults that forbid it.
    Dependencies,
    /// The site builds, and its bundle is small enough.
    Site,
    /// clippy has nothing to say, to the server's crates and to the browser's.
    Lints,
    /// The documentation builds without a warning.
    Docs,
    /// The tests of every crate.
    Crates,
    /// The tests of the painter and the captions, in Python.
    Painter,
    /// The tests in a real browser, on the program.
    Browser,
    /// Other programs' clients, in Python and Node.js, on the program.
    Clients,
}

/// Runs the steps named, or all of them, and stops at the first that fails.
///
/// # Errors
/// The name of the step that failed, and why.
pub fn run(only: &[Step]) -> Result<()> {
    let steps: Vec<Step> = if only.is_empty() { Step::value_variants().to_vec() } else { only.to_vec() };
    let begin = Instant::now();
    let mut times = Vec::new();
    for step in steps {
        println!("== {}", step.name());
        let begin = Instant::now();
        step.run().with_context(|| format!("the step `{}` failed", step.name()))?;
        println!("== {}: passed in {}", step.name(), minutes(begin.elapsed()));
        times.push(format!("{} {}", step.name(), minutes(begin.elapsed())));
    }
    println!("== every step passed in {} ({})", minutes(begin.elapsed()), times.join(", "));
    Ok(())
}

impl Step {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    fn run(self) -> Result<()> {
        match self {
            Self::Format => command::run(command::cargo().args(["fmt", "--all", "--check"])),
            Self::Rules => rules::check(),
            Self::Dependencies => dependencies::check(),
            Self::Site => {
                site::build()?;
                bundle::check_size()
            }
            Self::Lints => lints(),
            Self::Docs => docs(),
            Self::Crates => crates(),
            Self::Painter => painter(),
            Self::Browser => browser(),
            Self::Clients => clients(),
        }
    }
}

fn lints() -> Result<()> {
    program::inside()?;
    command::run(program::with_everything("clippy").args(["--all-targets", "--", "--deny", "warnings"]))?;
    command::run(
        command::cargo()
            .args(["clippy", "--package", "frontend", "--target", "wasm32-unknown-unknown"])
            // The profile of the bundle, so that the macros built for it are used again.
            .args(["--profile", "wasm-release", "--target-dir"])
            .arg(paths::front_target())
            .args(["--", "--deny", "warnings"]),
    )
}

fn docs() -> Result<()> {
    program::inside()?;
    command::run(
        program::server_side("doc")
            // The dependencies as they were checked for clippy, which looks at the tests as well.
            .args(["--features", "server/embed,server/test-clock", "--no-deps"])
            .env("RUSTDOCFLAGS", "--deny warnings"),
    )
}

fn crates() -> Result<()> {
    program::inside()?;
    if command::output(command::cargo().args(["nextest", "--version"])).is_ok() {
        command::run(&mut program::with_everything("nextest run"))?;
        // nextest leaves the examples in the documentation to cargo.
        command::run(program::with_everything("test").args(["--doc", "--quiet"]))
    } else {
        command::run(&mut program::with_everything("test"))
    }
}

fn painter() -> Result<()> {
    let python = install::python()?;
    command::run(command::new(python).args(["-m", "pytest", "--quiet", "training/tests"]))
}

fn browser() -> Result<()> {
    let program = program::of_the_tests()?;
    install::npm_packages()?;
    install::chromium()?;
    // The code that a job's page gives for Python clients is run there.
    install::clients()?;
    let npm = |script: &[&str]| {
        command::run(command::new("npm").args(script).current_dir(paths::end2end()).env("DARKROOM", &program))
    };
    npm(&["run", "--silent", "types"])?;
    npm(&["run", "--silent", "test"])
}

fn clients() -> Result<()> {
    let program = program::of_the_tests()?;
    install::npm_packages()?;
    let python = install::clients()?;
    command::run(
        command::new(python)
            .args(["-m", "pytest"])
            .arg(paths::clients())
            .env("DARKROOM", &program)
            // Folders of bytecode in the sources are in the way of whoever looks there.
            .env("PYTHONDONTWRITEBYTECODE", "1"),
    )
}

fn minutes(time: Duration) -> String {
    format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_minutes_and_seconds() {
        assert_eq!(minutes(Duration::from_secs(754)), "12:34");
        assert_eq!(minutes(Duration::from_secs(5)), "0:05");
    }
}
