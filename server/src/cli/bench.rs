//! `darkroom bench`.

use std::fmt;
use std::io::Write;
use std::ops::ControlFlow;
use std::time::Instant;

use candle_core::{D, Device};
use clap::Args;
use inference::model_files::ModelFiles;
use inference::models::gpt2::Gpt2;
use inference::pipelines::prompt_writer::PromptWriter;
use inference::pipelines::stable_diffusion::{PictureRequest, StableDiffusion};
use serde::Serialize;

use crate::bundled;

/// Tokens that GPT-2 writes in one run; a prompt has about half as many.
const N_TOKENS: usize = 64;

/// Measure how fast the demo models are on this machine.
///
/// Every figure is the median of several runs after one that does not count. `scripts/bench_peers.py` runs
/// it beside diffusers and transformers and prints the ratios.
#[derive(Args)]
pub struct Bench {
    /// Runs of each kind
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=1000))]
    repetitions: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was measured.
#[derive(Serialize)]
struct Figures {
    n_threads: usize,
    repetitions: u32,
    width: usize,
    height: usize,
    n_steps: usize,
    n_tokens: usize,
    /// From nothing to a loaded picture model.
    picture_load_ms: f64,
    /// The U-Net with guidance, which is a batch of two.
    step_ms: f64,
    /// Latent to pixels.
    decode_ms: f64,
    /// Prompt to pixels, with the model's own steps.
    picture_ms: f64,
    /// From nothing to a loaded GPT-2.
    prompt_load_ms: f64,
    /// Greedy, one token after the other.
    tokens_per_second: f64,
}

impl Bench {
    /// Measures and prints.
    pub fn run(&self) -> anyhow::Result<()> {
        let [pictures, prompts] = bundled::models();
        let figures = self.measure(&pictures, &prompts)?;
        let mut stdout = std::io::stdout();
        if self.json {
            writeln!(stdout, "{}", serde_json::to_string_pretty(&figures)?)?;
        } else {
            write!(stdout, "{figures}")?;
        }
        Ok(())
    }

    fn measure(&self, pictures: &ModelFiles, prompts: &ModelFiles) -> anyhow::Result<Figures> {
        let device = Device::Cpu;
        let painter = StableDiffusion::load(pictures, &device)?;
        let (width, height) = (painter.constraints().default_width, painter.constraints().default_height);
        let request = example(&painter, width, height);
        let gpt2 = Gpt2::load(prompts, &device)?;

        let write_ms = self.median_ms(|| write_tokens(&gpt2, &device))?;
        Ok(Figures {
            n_threads: std::thread::available_parallelism().map_or(1, usize::from),
            repetitions: self.repetitions,
            width,
            height,
            n_steps: request.steps,
            n_tokens: N_TOKENS,
            picture_load_ms: self.median_ms(|| StableDiffusion::load(pictures, &device))?,
            step_ms: self.median_ms(|| painter.bench_step(width, height))?,
            decode_ms: self.median_ms(|| painter.bench_decode(width, height))?,
            picture_ms: self.median_ms(|| painter.generate(&request, &mut |_| ControlFlow::Continue(())))?,
            prompt_load_ms: self.median_ms(|| PromptWriter::load(prompts, &device))?,
            tokens_per_second: N_TOKENS as f64 / write_ms * 1e3,
        })
    }

    /// The median duration of `work`, after one run that fills the caches.
    fn median_ms<T>(&self, work: impl Fn() -> inference::Result<T>) -> anyhow::Result<f64> {
        work()?;
        let mut times = Vec::new();
        for _ in 0..self.repetitions {
            let start = Instant::now();
            work()?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        Ok(median(times))
    }
}

fn example(painter: &StableDiffusion, width: usize, height: usize) -> PictureRequest {
    use types::sampler::{Sampler, Schedule};
    let defaults = painter.info().defaults.as_ref();
    PictureRequest {
        steps: defaults.map_or(20, |defaults| defaults.steps),
        guidance_scale: defaults.map_or(4.0, |defaults| defaults.guidance_scale),
        sampler: Sampler::DpmPlusPlus2M,
        schedule: Schedule::Karras,
        seed: 7,
        ..PictureRequest::new("a red sailing boat on a calm sea at sunset", width, height)
    }
}

/// The likeliest token, again and again: nothing is measured but the model.
fn write_tokens(model: &Gpt2, device: &Device) -> inference::Result<()> {
    let mut memory = model.memory();
    let mut token = 0;
    for _ in 0..N_TOKENS {
        let scores = model.next_scores(&[token], &mut memory)?.to_device(device)?;
        token = scores.flatten_all()?.argmax(D::Minus1)?.to_scalar::<u32>()?;
    }
    Ok(())
}

/// The middle one, or the mean of the two in the middle.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { width, height, n_steps, n_tokens, repetitions, n_threads, .. } = self;
        writeln!(f, "medians of {repetitions} runs, {n_threads} threads, pictures of {width}x{height}")?;
        writeln!(f, "picture model")?;
        writeln!(f, "  load                  {:8.1} ms", self.picture_load_ms)?;
        writeln!(f, "  step with guidance    {:8.1} ms", self.step_ms)?;
        writeln!(f, "  decode                {:8.1} ms", self.decode_ms)?;
        writeln!(f, "  picture, {n_steps:3} steps    {:8.1} ms", self.picture_ms)?;
        writeln!(f, "prompt model")?;
        writeln!(f, "  load                  {:8.1} ms", self.prompt_load_ms)?;
        writeln!(f, "  {n_tokens} tokens, greedy   {:8.1} tokens/s", self.tokens_per_second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_is_between_the_two_in_the_middle() {
        let is = |value: f64, expected: f64| (value - expected).abs() < 1e-9;
        assert!(is(median(vec![3.0, 1.0, 2.0]), 2.0));
        assert!(is(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5));
    }
}
