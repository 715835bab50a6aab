//! Euler's method.

use candle_core::Tensor;

use super::{OnStep, check_chain, euler_step, report};
use crate::denoiser::Denoiser;
use crate::error::Result;
use crate::schedule::Step;

/// Euler's method over the probability-flow equation: first-order, deterministic, one model call per step.
///
/// * `denoiser`: estimates the clean latent from `x` at noise level σ.
/// * `x`: starting latent `(batch, channels, height, width)` with standard deviation about that of
///   the first level; dtype and device are kept.
/// * `steps`: each beginning where the one before ends, falling.
/// * `on_step`: sees step index, σ and clean estimate; returning `Break` stops the run.
///
/// Returns a latent shaped like `x`, still scaled (divide by the VAE's factor before decoding).
///
/// # Errors
/// [`crate::Error::Schedule`] if there are no steps or they do not follow one another; [`crate::Error::Cancelled`]
/// if `on_step` broke off; whatever `denoiser` returns, unchanged.
///
/// # Source
/// Karras et al. 2022, arXiv:2206.00364, Algorithm 1 without its correction. Checked step by step against
/// diffusers' `EulerDiscreteScheduler` (`tests/reference/samplers.json`).
pub fn euler(denoiser: &dyn Denoiser, mut x: Tensor, steps: &[Step], on_step: OnStep) -> Result<Tensor> {
    check_chain(steps)?;
    for (index, &Step { timestep, sigma, sigma_next, .. }) in steps.iter().enumerate() {
        let clean = denoiser.denoise(&x, sigma, timestep)?;
        x = euler_step(&x, &clean, sigma, sigma_next)?;
        report(on_step, steps, index, &x, &clean)?;
    }
    Ok(x)
}
