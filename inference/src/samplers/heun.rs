//! Heun's method.

use candle_core::Tensor;

use super::{OnStep, check_chain, derivative, euler_step, report};
use crate::denoiser::Denoiser;
use crate::error::Result;
use crate::schedule::Step;

/// Heun's method over the probability-flow equation: second-order, deterministic, two model calls per step but one for
/// the step to zero.
///
/// * `denoiser`: estimates the clean latent from `x` at noise level σ.
/// * `x`: starting latent `(batch, channels, height, width)` with standard deviation about that of
///   the first level; dtype and device are kept.
/// * `steps`: each beginning where the one before ends, falling, with the end of the step as
///   second level.
/// * `on_step`: sees step index, σ and clean estimate; returning `Break` stops the run.
///
/// Returns a latent shaped like `x`, still scaled (divide by the VAE's factor before decoding).
///
/// # Errors
/// [`crate::Error::Schedule`] if there are no steps or they do not follow one another; [`crate::Error::Cancelled`]
/// if `on_step` broke off; whatever `denoiser` returns, unchanged.
///
/// # Source
/// Karras et al. 2022, arXiv:2206.00364, Algorithm 1. Checked step by step against diffusers' `HeunDiscreteScheduler`
/// (`tests/reference/samplers.json`).
pub fn heun(denoiser: &dyn Denoiser, mut x: Tensor, steps: &[Step], on_step: OnStep) -> Result<Tensor> {
    check_chain(steps)?;
    for (index, &Step { timestep, sigma, sigma_next, within }) in steps.iter().enumerate() {
        let clean = denoiser.denoise(&x, sigma, timestep)?;
        x = match within {
            Some(end) => {
                let first = derivative(&x, &clean, sigma)?;
                let ahead = euler_step(&x, &clean, sigma, end.sigma)?;
                let clean_ahead = denoiser.denoise(&ahead, end.sigma, end.timestep)?;
                let second = derivative(&ahead, &clean_ahead, end.sigma)?;
                (x + ((first + second)? * (0.5 * (sigma_next - sigma)))?)?
            }
            None => euler_step(&x, &clean, sigma, sigma_next)?,
        };
        report(on_step, steps, index, &x, &clean)?;
    }
    Ok(x)
}
