//! `darkroom models`.

mod download;
mod hub;
mod import;
mod inspect;
mod place;
mod pull;

use std::io::Write;

use backend::engine::candle::CandleEngine;
use backend::{Config, Engine, EngineError};
use clap::Subcommand;
use types::lora::LoraInfo;
use types::model::ModelInfo;

use super::settings::Settings;
use super::table::table;

/// Show, check and install models.
#[derive(Subcommand)]
pub enum Models {
    /// List the installed models, the default one first
    List,
    Inspect(inspect::Inspect),
    Import(import::Import),
    Pull(pull::Pull),
}

impl Models {
    /// Runs the subcommand.
    pub fn run(self, settings: Settings) -> anyhow::Result<()> {
        match self {
            Self::List => list(&open(settings.into_config())?),
            Self::Inspect(inspect) => inspect.run(),
            Self::Import(import) => import.run(&settings.into_config()),
            Self::Pull(pull) => pull.run(&settings.into_config()),
        }
    }
}

/// A default model that is not installed is a reason to look at the list, and none to hide it.
fn open(mut config: Config) -> anyhow::Result<CandleEngine> {
    match CandleEngine::open(&config) {
        Err(error @ EngineError::UnknownModel { .. }) if config.default_model.take().is_some() => {
            writeln!(std::io::stderr(), "warning: the default {error}")?;
            Ok(CandleEngine::open(&config)?)
        }
        opened => Ok(opened?),
    }
}

fn list(engine: &dyn Engine) -> anyhow::Result<()> {
    let models = engine.picture_models();
    let mut rows = vec![
        ["NAME", "WHAT", "FAMILY", "SIZE", "STEPS", "WEIGHTS", "MEMORY", "FROM", "STATE"].map(str::to_owned),
    ];
    rows.extend(models.iter().map(picture_row));
    rows.extend(engine.prompt_models().iter().map(|name| prompt_row(name)));
    rows.extend(engine.loras().iter().map(lora_row));
    write!(std::io::stdout(), "{}", table(&rows))?;
    Ok(())
}

fn picture_row(model: &ModelInfo) -> [String; 9] {
    let [(width, height), ..] = model.sizes;
    [
        model.name.clone(),
        "pictures".to_owned(),
        model.family.title().to_owned(),
        format!("{width}x{height}"),
        model.defaults.steps.to_string(),
        format!("{:.1} M", model.n_parameters as f64 / 1e6),
        format!("{} MiB", model.memory_bytes >> 20),
        if model.bundled { "this program" } else { "models folder" }.to_owned(),
        model.problem.clone().unwrap_or_else(|| "ready".to_owned()),
    ]
}

fn prompt_row(name: &str) -> [String; 9] {
    [name, "prompts", "-", "-", "-", "-", "-", "-", "ready"].map(str::to_owned)
}

fn lora_row(lora: &LoraInfo) -> [String; 9] {
    let state = lora.problem.as_deref().unwrap_or("ready");
    let size = format!("{:.1} MB", lora.size_bytes as f64 / 1e6);
    [&*lora.name, "LoRA", lora.family.title(), "-", "-", &*size, "-", "models folder", state]
        .map(str::to_owned)
}
