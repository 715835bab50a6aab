//! `darkroom prompt`.

use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;

use backend::engine::candle::CandleEngine;
use backend::{Engine, choose_seed};
use clap::Args;
use types::error::PublicError;
use types::request::{MAX_SEED, check_prompt};

use super::settings::Settings;

/// Let GPT-2 write prompts, one a line.
///
/// On a terminal the words appear as they are written.
#[derive(Args)]
pub struct Prompt {
    /// The beginning of every prompt [default: none]
    #[arg(default_value = "", hide_default_value = true)]
    start: String,
    /// How many prompts
    #[arg(long, value_name = "N", default_value_t = 1)]
    count: u64,
    /// Seed of the first prompt; the next one has the next seed [default: a random one]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

impl Prompt {
    /// Writes.
    pub fn run(self, settings: Settings) -> anyhow::Result<()> {
        let start = check_prompt("prompt", &self.start)?;
        let seed = self.seed.unwrap_or_else(choose_seed);
        if seed > MAX_SEED {
            let message = format!("seed {seed} is out of range; allowed are 0 to {MAX_SEED}");
            return Err(PublicError::invalid_field("seed", message).into());
        }
        let engine = CandleEngine::open(&settings.into_config())?;
        (0..self.count).try_for_each(|index| write_line(&engine, &start, seed + index))
    }
}

/// One prompt on a line of its own.
fn write_line(engine: &dyn Engine, start: &str, seed: u64) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    let is_watched = stdout.is_terminal();
    let mut written = write!(stdout, "{start}");
    engine.write_prompt(start, seed, &mut |text| {
        written = write!(stdout, "{text}").and_then(|()| if is_watched { stdout.flush() } else { Ok(()) });
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    written?;
    writeln!(stdout)?;
    Ok(())
}
