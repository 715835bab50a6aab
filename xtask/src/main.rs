//! `cargo xtask`: builds, serves and tests Darkroom, with whatever is missing installed first.
//!
//! Rust and a C compiler are needed to build and to serve; the tests want Node.js 20 or newer and Python 3.11 or
//! newer as well. Everything that is downloaded comes from the registries of Rust, npm, Python and Debian, and on
//! systems other than Debian the tests' browser from Playwright.
//!
//! # Layout
//! * [`front`]: the browser bundle, from the `frontend` crate to JavaScript and wasm
//! * [`site`]: the folder that the program carries: bundle, style sheet, `public/`, each compressed
//! * [`program`]: the program itself, with the site and the demo models inside
//! * [`licences`]: the texts of the licences of what it is linked from
//! * [`serve`]: build, then run
//! * [`tests`]: the checks and the tests, step by step
//! * [`rules`]: what the architecture forbids, looked up in the sources and the dependency graph
//! * [`dependencies`]: what the program is linked from, checked with cargo-deny
//! * [`fuzz`]: the readers of what strangers send, fed with anything
//! * [`bundle`]: the size that a browser downloads
//! * [`install`]: what is missing on this machine
//! * [`command`], [`paths`], [`fingerprint`]: small parts of the above

mod bundle;
mod command;
mod dependencies;
mod fingerprint;
mod front;
mod fuzz;
mod install;
mod licences;
mod paths;
mod program;
mod rules;
mod serve;
mod site;
mod tests;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Builds, serves and tests Darkroom; installs what is missing.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Build the browser bundle, the site and the program that carries them.
    Build {
        /// Optimise, as for use. Without it the build is quicker and the program slower.
        #[arg(long)]
        release: bool,
    },
    /// Build in release and serve the site, with the demo models, until Ctrl-C.
    Serve {
        /// Address to listen on.
        #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:3000")]
        addr: String,
        /// More flags for `darkroom serve`, after `--`.
        #[arg(last = true)]
        flags: Vec<String>,
    },
    /// Run the checks and the tests, and stop at the first step that fails.
    Test {
        /// Run this step alone, or these.
        #[arg(long, value_name = "STEP", value_delimiter = ',')]
        only: Vec<tests::Step>,
    },
    /// Feed the readers of what strangers send with anything, each for a while, and stop at the first that fails.
    Fuzz {
        /// Seconds for each reader.
        #[arg(long, default_value_t = 600)]
        seconds: u32,
        /// This reader alone, or these.
        #[arg(long, value_name = "TARGET", value_delimiter = ',')]
        only: Vec<String>,
    },
    /// Check what the architecture forbids: a step of `test` that is quick enough for every save.
    Rules,
}

fn main() -> ExitCode {
    match run(Arguments::parse().action) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The chain alone: a backtrace of this program helps nobody who waits for another one.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(action: Action) -> anyhow::Result<()> {
    match action {
        Action::Build { release } => {
            let program = program::build(release)?;
            println!("built {}", program.display());
            Ok(())
        }
        Action::Serve { addr, flags } => serve::serve(&addr, &flags),
        Action::Test { only } => tests::run(&only),
        Action::Fuzz { seconds, only } => fuzz::run(seconds, &only),
        Action::Rules => rules::check(),
    }
}
