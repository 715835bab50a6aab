//! Euler's method with fresh noise.

use candle_core::Tensor;

use super::{OnStep, ancestral_split, check_chain, euler_step, report, with_noise};
use crate::denoiser::Denoiser;
use crate::error::Result;
use crate::noise::NoiseGenerator;
use crate::schedule::Step;

/// Euler ancestral: a step of Euler's method that goes too far, then as much fresh noise as is missing.
/// First-order, random, one model call per step; more steps never settle on one picture.
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
/// `sample_euler_ancestral` of k-diffusion; the split of noise is that of DDPM's posterior (Ho et al. 2020).
/// Checked step by step against diffusers' `EulerAncestralDiscreteScheduler`
/// (`tests/reference/samplers.json`).
pub fn euler_ancestral(
    denoiser: &dyn Denoiser,
    mut x: Tensor,
    steps: &[Step],
    noise: &mut NoiseGenerator,
    on_step: OnStep,
) -> Result<Tensor> {
    check_chain(steps)?;
    for (index, &Step { timestep, sigma, sigma_next, .. }) in steps.iter().enumerate() {
        let clean = denoiser.denoise(&x, sigma, timestep)?;
        let (sigma_down, sigma_up) = ancestral_split(sigma, sigma_next);
        x = euler_step(&x, &clean, sigma, sigma_down)?;
        x = with_noise(x, sigma_up, noise)?;
        report(on_step, steps, index, &x, &clean)?;
    }
    Ok(x)
}
