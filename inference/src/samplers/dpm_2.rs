//! DPM-Solver-2.

use candle_core::Tensor;

use super::{OnStep, check_chain, derivative, euler_step, report};
use crate::denoiser::Denoiser;
use crate::error::Result;
use crate::schedule::{Step, Within};

/// DPM-Solver-2: the midpoint method in ln σ. Second-order, deterministic, two model calls per step but one for the step
/// to zero.
///
/// * `denoiser`: estimates the clean latent from `x` at noise level σ.
/// * `x`: starting latent `(batch, channels, height, width)` with standard deviation about that of
///   the first level; dtype and device are kept.
/// * `steps`: each beginning where the one before ends, falling, with a second level
///   halfway.
/// * `on_step`: sees step index, σ and clean estimate; returning `Break` stops the run.
///
/// Returns a latent shaped like `x`, still scaled (divide by the VAE's factor before decoding).
///
/// # Errors
/// [`crate::Error::Schedule`] if there are no steps or they do not follow one another; [`crate::Error::Cancelled`]
/// if `on_step` broke off; whatever `denoiser` returns, unchanged.
///
/// # Source
/// `sample_dpm_2` of k-diffusion, inspired by Lu et al. 2022, arXiv:2206.00927. Checked step by step against diffusers'
/// `KDPM2DiscreteScheduler` (`tests/reference/samplers.json`).
pub fn dpm_2(denoiser: &dyn Denoiser, mut x: Tensor, steps: &[Step], on_step: OnStep) -> Result<Tensor> {
    check_chain(steps)?;
    for (index, step) in steps.iter().enumerate() {
        let clean = denoiser.denoise(&x, step.sigma, step.timestep)?;
        x = midpoint_step(denoiser, x, &clean, step, step.sigma_next)?;
        report(on_step, steps, index, &x, &clean)?;
    }
    Ok(x)
}

/// From the beginning of the step to `sigma_to`, with the derivative of the step's second level.
pub(super) fn midpoint_step(
    denoiser: &dyn Denoiser,
    x: Tensor,
    clean: &Tensor,
    step: &Step,
    sigma_to: f64,
) -> Result<Tensor> {
    let Some(Within { timestep, sigma, .. }) = step.within else {
        return euler_step(&x, clean, step.sigma, sigma_to);
    };
    let halfway = euler_step(&x, clean, step.sigma, sigma)?;
    let clean_halfway = denoiser.denoise(&halfway, sigma, timestep)?;
    let slope = derivative(&halfway, &clean_halfway, sigma)?;
    Ok((x + (slope * (sigma_to - step.sigma))?)?)
}
