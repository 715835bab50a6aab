//! Latent consistency models.

use candle_core::Tensor;

use super::{OnStep, TIMESTEP_SCALING, check_chain, report, with_noise};
use crate::denoiser::Denoiser;
use crate::error::Result;
use crate::noise::NoiseGenerator;
use crate::schedule::Step;

/// LCM: takes each estimate for the answer, and adds noise of the next level to it. Random, one model call per step.
///
/// * `denoiser`: estimates the clean latent from `x` at noise level σ.
/// * `x`: starting latent `(batch, channels, height, width)` with standard deviation about that of
///   the first level; device is kept, dtype is f32.
/// * `steps`: each beginning where the one before ends, falling.
/// * `noise`: gives one tensor shaped like `x` for every step but one to zero, which needs none. With the
///   generator that `x` was drawn from, pictures are those of diffusers with one generator.
/// * `on_step`: sees step index, σ and clean estimate; returning `Break` stops the run.
///
/// Returns a latent shaped like `x`, still scaled (divide by the VAE's factor before decoding).
///
/// # Errors
/// [`crate::Error::Schedule`] if there are no steps or they do not follow one another; [`crate::Error::Cancelled`]
/// if `on_step` broke off; whatever `denoiser` returns, unchanged.
///
/// # Source
/// Luo et al. 2023, arXiv:2310.04378, Algorithm 3. Checked step by step against diffusers' `LCMScheduler`
/// (`tests/reference/samplers.json`).
pub fn lcm(
    denoiser: &dyn Denoiser,
    mut x: Tensor,
    steps: &[Step],
    noise: &mut NoiseGenerator,
    on_step: OnStep,
) -> Result<Tensor> {
    check_chain(steps)?;
    for (index, &Step { timestep, sigma, sigma_next, .. }) in steps.iter().enumerate() {
        let clean = denoiser.denoise(&x, sigma, timestep)?;
        let (of_input, of_estimate) = boundary(timestep);
        let input = (x / (sigma * sigma + 1.0).sqrt())?;
        x = ((&clean * of_estimate)? + (input * of_input)?)?;
        x = with_noise(x, sigma_next, noise)?;
        report(on_step, steps, index, &x, &clean)?;
    }
    Ok(x)
}

/// How much of the network's input and of its estimate the answer has: at timestep 0 the input is the answer.
fn boundary(timestep: f64) -> (f64, f64) {
    const DATA_DEVIATION: f64 = 0.5;
    let scaled = timestep * TIMESTEP_SCALING;
    let square = scaled.powi(2) + DATA_DEVIATION.powi(2);
    (DATA_DEVIATION.powi(2) / square, scaled / square.sqrt())
}
