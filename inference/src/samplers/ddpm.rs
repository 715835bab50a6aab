//! Denoising diffusion probabilistic models.

use candle_core::Tensor;

use super::{OnStep, blend, check_chain, report, with_noise};
use crate::denoiser::Denoiser;
use crate::error::Result;
use crate::noise::NoiseGenerator;
use crate::schedule::Step;

/// DDPM: draws each latent from what is known of it given the one before and the estimate. First-order, random, one
/// model call per step.
///
/// In the terms used here that is a step of Euler ancestral; it differs in its levels.
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
/// Ho et al. 2020, arXiv:2006.11239, equations 6 and 7, with the smaller of its two variances. Checked step by step
/// against diffusers' `DDPMScheduler` without clipping (`tests/reference/samplers.json`).
pub fn ddpm(
    denoiser: &dyn Denoiser,
    mut x: Tensor,
    steps: &[Step],
    noise: &mut NoiseGenerator,
    on_step: OnStep,
) -> Result<Tensor> {
    check_chain(steps)?;
    for (index, &Step { timestep, sigma, sigma_next, .. }) in steps.iter().enumerate() {
        let clean = denoiser.denoise(&x, sigma, timestep)?;
        let keep = (sigma_next / sigma).powi(2);
        x = blend(&x, &clean, keep)?;
        x = with_noise(x, sigma_next * (1.0 - keep).sqrt(), noise)?;
        report(on_step, steps, index, &x, &clean)?;
    }
    Ok(x)
}
