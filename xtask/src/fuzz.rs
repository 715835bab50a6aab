//! The readers of what strangers send, fed with anything; see `fuzz/README.md`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::{command, install, paths};

/// What one reader may take; one that takes more has failed.
const MOST_MEBIBYTES: u32 = 2048;

/// Runs each target, or those named, for so many seconds. New inputs worth keeping go to `target/fuzz`, beside the
/// one that failed.
///
/// # Errors
/// There is no target of that name, cargo-fuzz or a nightly compiler is missing and cannot be installed, or a target
/// fails.
pub fn run(seconds: u32, only: &[String]) -> Result<()> {
    let all = targets()?;
    if let Some(unknown) = only.iter().find(|name| !all.contains(name)) {
        bail!("there is no fuzz target `{unknown}`; there are {}", all.join(", "));
    }
    let tool = install::cargo_tool("cargo-fuzz")?;
    // The very versions that the program is linked from.
    fs::copy(paths::root().join("Cargo.lock"), paths::fuzz().join("Cargo.lock"))?;
    for target in all.iter().filter(|name| only.is_empty() || only.contains(name)) {
        println!("== {target}");
        let folder = |what: &str| paths::target().join("fuzz").join(what).join(target);
        let (found, failed) = (folder("corpus"), folder("failed"));
        for folder in [&found, &failed] {
            fs::create_dir_all(folder)?;
        }
        let mut fuzz = command::new(&tool);
        fuzz.current_dir(paths::fuzz())
            .env("RUSTUP_TOOLCHAIN", "nightly")
            .args(["run", "--target-dir"])
            .arg(paths::target().join("fuzz"))
            .arg(target)
            // New inputs go to the first folder.
            .args([&found, &paths::fuzz().join("corpus").join(target)])
            .arg("--")
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-rss_limit_mb={MOST_MEBIBYTES}"))
            .arg(format!("-artifact_prefix={}/", failed.display()))
            .arg("-print_final_stats=1");
        command::run(&mut fuzz).with_context(|| {
            format!("the fuzz target `{target}` failed; its input is in {}", failed.display())
        })?;
    }
    Ok(())
}

/// The names of all targets, in order.
fn targets() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(paths::fuzz().join("fuzz_targets"))? {
        names.extend(
            Path::new(&entry?.file_name()).file_stem().map(|stem| stem.to_string_lossy().into_owned()),
        );
    }
    names.sort();
    Ok(names)
}
