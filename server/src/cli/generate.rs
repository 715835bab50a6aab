//! `darkroom generate`.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use backend::engine::candle::CandleEngine;
use backend::models::inspect;
use backend::{Engine, choose_seed, pictures};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use inference::model_files::ModelFiles;
use types::error::PublicError;
use types::request::{GenerationRequest, RawRequest, RequestContext};

use super::output::{Output, write_whole};
use super::settings::Settings;

/// Paint a picture into a file, without a server.
///
/// The same prompt, settings and seed give the same file, byte for byte, on the same kind of processor. The
/// settings are inside the file, in the form that the AUTOMATIC1111 web UI reads.
#[derive(Args)]
#[command(allow_negative_numbers = true)]
pub struct Generate {
    /// What to paint, 1 to 2000 characters
    prompt: String,
    /// File to write; its ending says the format (png, jpg or webp), and with --count it is numbered
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// What to keep away from [default: nothing]
    #[arg(long, value_name = "TEXT")]
    negative: Option<String>,
    /// An installed model's name, or the path of a folder in diffusers' layout or of a .safetensors checkpoint [default: demo]
    #[arg(long, value_name = "NAME|PATH")]
    model: Option<String>,
    /// Sampling steps, 1 to 150 [default: the model's own, 20 for demo]
    #[arg(long, value_name = "N")]
    steps: Option<i64>,
    /// Guidance scale (CFG), 0 to 30 [default: the model's own, 4 for demo]
    #[arg(long, value_name = "SCALE")]
    guidance: Option<f64>,
    /// `dpmpp_2m`, `euler`, `euler_ancestral` or `ddim` [default: the model's own, `dpmpp_2m` for demo]
    #[arg(long, value_name = "NAME")]
    sampler: Option<String>,
    /// Noise schedule, karras or normal [default: the model's own, karras for demo]
    #[arg(long, value_name = "NAME")]
    schedule: Option<String>,
    /// Seed of the first picture; the next one has the next seed [default: a random one]
    #[arg(long, value_name = "N")]
    seed: Option<i64>,
    /// Width in pixels [default: the model's own, 256 for demo]
    #[arg(long, value_name = "PIXELS")]
    width: Option<i64>,
    /// Height in pixels [default: the model's own, 256 for demo]
    #[arg(long, value_name = "PIXELS")]
    height: Option<i64>,
    /// How many pictures, 1 to 8 [default: 1]
    #[arg(long, value_name = "N")]
    count: Option<i64>,
}

impl Generate {
    /// Paints and writes.
    pub fn run(mut self, settings: Settings) -> anyhow::Result<()> {
        let output = Output::check(std::mem::take(&mut self.output))?;
        let mut config = settings.into_config();
        if let Some(folder) = self.model.as_deref().filter(|model| is_path(model)) {
            // The folder alone is offered, so it is the default.
            config.bundled = vec![picture_model(folder)?];
            (config.models_dir, config.default_model) = (None, None);
            self.model = None;
        }
        let engine = CandleEngine::open(&config)?;
        let context = RequestContext { models: &engine.picture_models(), ..RequestContext::default() };
        let request = self.into_raw().check(&context, choose_seed)?;

        let bar = progress_bar(&request);
        for index in 0..request.count {
            let path = output.name(index, request.count);
            let image = paint(&engine, &request, index, &bar)?;
            let bytes = pictures::encode(&image, &request, index, output.format)?;
            write_whole(&path, &bytes).with_context(|| format!("cannot write `{}`", path.display()))?;
            bar.suspend(|| {
                writeln!(std::io::stdout(), "{} seed {}", path.display(), request.seed_of(index))
            })?;
        }
        bar.finish_and_clear();
        Ok(())
    }

    fn into_raw(self) -> RawRequest {
        RawRequest {
            prompt: self.prompt,
            negative_prompt: self.negative,
            model: self.model,
            steps: self.steps,
            guidance_scale: self.guidance,
            sampler: self.sampler,
            schedule: self.schedule,
            seed: self.seed,
            width: self.width,
            height: self.height,
            count: self.count,
            ..RawRequest::default()
        }
    }
}

fn paint(
    engine: &dyn Engine,
    request: &GenerationRequest,
    index: u32,
    bar: &ProgressBar,
) -> anyhow::Result<backend::RgbImage> {
    let image = engine.generate(request, index, &mut |step| {
        bar.set_message(format!("picture {} of {}", index + 1, request.count));
        bar.set_position(u64::from(index) * u64::from(step.n_steps) + u64::from(step.step));
        ControlFlow::Continue(())
    })?;
    Ok(image)
}

/// Drawn on stderr, and only if that is a terminal.
fn progress_bar(request: &GenerationRequest) -> ProgressBar {
    let bar = ProgressBar::new(u64::from(request.count) * u64::from(request.steps));
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} step {pos} of {len}, {eta} left") {
        bar.set_style(style);
    }
    bar.set_message("loading the model");
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// A folder or a checkpoint that may hold a picture model. Whether every part is there and whole is told when it is
/// looked at.
///
/// # Errors
/// It is not there, or what is there is no picture model.
fn picture_model(path: &str) -> Result<ModelFiles, PublicError> {
    let refuse = |message| PublicError::invalid_field("model", message);
    if !Path::new(path).exists() {
        return Err(refuse(format!(
            "model `{path}` is not there; give a model's name, a folder in diffusers' layout or a .safetensors file"
        )));
    }
    inspect::open(Path::new(path)).map_err(refuse)
}

/// A name never holds a separator, and a folder of that name right here is meant only if it is written so.
fn is_path(model: &str) -> bool {
    model.contains(['/', '\\']) || Path::new(model).is_absolute() || model == "."
}
