//! Trajectory consistency distillation.

use candle_core::Tensor;

use super::{OnStep, blend, check_chain, relevel, report, with_noise};
use crate::denoiser::Denoiser;
use crate::error::Result;
use crate::noise::NoiseGenerator;
use crate::schedule::Step;

/// TCD with γ = 0.3: a step of DDIM that goes too far, then as much fresh noise as is missing. Random, one model call
/// per step.
///
/// * `denoiser`: estimates the clean latent from `x` at noise level σ.
/// * `x`: starting latent `(batch, channels, height, width)` with standard deviation about that of
///   the first level; device is kept, dtype is f32.
/// * `steps`: each beginning where the one before ends, falling, with the level that
///   is stepped down to as second one.
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
/// Zheng et al. 2024, arXiv:2402.19159, Algorithm 4. Checked step by step against diffusers' `TCDScheduler`, which ends
/// at the lowest training level (`tests/reference/samplers.json`).
pub fn tcd(
    denoiser: &dyn Denoiser,
    mut x: Tensor,
    steps: &[Step],
    noise: &mut NoiseGenerator,
    on_step: OnStep,
) -> Result<Tensor> {
    check_chain(steps)?;
    let mut last_level = 0.0;
    for (index, &Step { timestep, sigma, sigma_next, within }) in steps.iter().enumerate() {
        let clean = denoiser.denoise(&x, sigma, timestep)?;
        let down = within.map_or(sigma_next, |within| within.sigma);
        x = blend(&x, &clean, down / sigma)?;
        x = with_noise(x, (sigma_next * sigma_next - down * down).max(0.0).sqrt(), noise)?;
        report(on_step, steps, index, &x, &clean)?;
        last_level = sigma_next;
    }
    relevel(x, last_level, 0.0)
}
