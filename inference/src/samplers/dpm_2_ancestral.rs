//! DPM-Solver-2 with fresh noise.

use candle_core::Tensor;

use super::dpm_2::midpoint_step;
use super::{OnStep, ancestral_split, check_chain, report, with_noise};
use crate::denoiser::Denoiser;
use crate::error::Result;
use crate::noise::NoiseGenerator;
use crate::schedule::Step;

/// DPM2 ancestral: a midpoint step that goes too far, then as much fresh noise as is missing. Second-order, random, two
/// model calls per step but one for the step to zero.
///
/// * `denoiser`: estimates the clean latent from `x` at noise level σ.
/// * `x`: starting latent `(batch, channels, height, width)` with standard deviation about that of
///   the first level; device is kept, dtype is f32.
/// * `steps`: each beginning where the one before ends, falling, with a second level
///   halfway.
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
/// `sample_dpm_2_ancestral` of k-diffusion. Checked step by step against diffusers' `KDPM2AncestralDiscreteScheduler`
/// (`tests/reference/samplers.json`).
pub fn dpm_2_ancestral(
    denoiser: &dyn Denoiser,
    mut x: Tensor,
    steps: &[Step],
    noise: &mut NoiseGenerator,
    on_step: OnStep,
) -> Result<Tensor> {
    check_chain(steps)?;
    for (index, step) in steps.iter().enumerate() {
        let clean = denoiser.denoise(&x, step.sigma, step.timestep)?;
        let (sigma_down, sigma_up) = ancestral_split(step.sigma, step.sigma_next);
        x = midpoint_step(denoiser, x, &clean, step, sigma_down)?;
        x = with_noise(x, sigma_up, noise)?;
        report(on_step, steps, index, &x, &clean)?;
    }
    Ok(x)
}
