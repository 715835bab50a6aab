//! The program's log: on stderr, so that stdout holds only what was asked for.

use anyhow::Context;
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts logging. `filter` is a level or a list as in `warn,server=debug`.
///
/// # Errors
/// `filter` is neither.
pub fn start(filter: &str) -> anyhow::Result<()> {
    let parsed = EnvFilter::try_new(filter).with_context(|| {
        format!("log filter `{filter}` cannot be read; allowed are error, warn, info, debug, trace, or a list such as warn,server=debug")
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(parsed)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    Ok(())
}
