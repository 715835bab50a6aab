//! Times the parts of a model: `time_parts MODEL_FOLDER WIDTH HEIGHT ROUNDS`.
//!
//! Prints seconds, the least of all rounds: loading, a guided U-Net step, and decoding. `benches/compare.py`
//! calls it in turn with diffusers.

use std::time::Instant;

use candle_core::Device;
use inference::model_files::ModelFiles;
use inference::pipelines::text_to_image::StableDiffusion;

fn main() -> inference::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| "models/demo".to_owned());
    let mut number = |usual: usize| arguments.next().and_then(|n| n.parse().ok()).unwrap_or(usual);
    let (width, height, rounds) = (number(256), number(256), number(5));

    let start = Instant::now();
    let model = StableDiffusion::load(&ModelFiles::folder(folder), &Device::Cpu)?;
    println!("load {:.4}", start.elapsed().as_secs_f64());
    println!("step {:.4}", least(rounds, || model.bench_step(width, height))?);
    println!("decode {:.4}", least(rounds, || model.bench_decode(width, height).map(drop))?);
    Ok(())
}

fn least(rounds: usize, mut work: impl FnMut() -> inference::Result<()>) -> inference::Result<f64> {
    let mut least = f64::INFINITY;
    for _ in 0..rounds {
        let start = Instant::now();
        work()?;
        least = least.min(start.elapsed().as_secs_f64());
    }
    Ok(least)
}
