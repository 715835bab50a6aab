//! Denoising diffusion implicit models.

use candle_core::Tensor;

use super::{OnStep, blend, check_falling, relevel, report};
use crate::denoiser::Denoiser;
use crate::error::Result;
use crate::schedule::Step;

/// DDIM with η = 0: first-order, deterministic, one model call per step.
///
/// In the terms used here its step is the one of Euler's method; it differs in its levels. They follow
/// diffusers in two oddities: a step may end beside the level where the next one begins (the latent, scaled
/// to deviation 1, is then simply taken for one of that level), and the last step may end above zero.
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
/// [`crate::Error::Schedule`] if there are no steps or they do not fall; [`crate::Error::Cancelled`]
/// if `on_step` broke off; whatever `denoiser` returns, unchanged.
///
/// # Source
/// Song et al. 2020, arXiv:2010.02502, equation 12. Checked step by step against diffusers' `DDIMScheduler`
/// without clipping, and with other levels against `DPMSolverMultistepScheduler` of order 1, which is the
/// same method (`tests/reference/samplers.json`).
pub fn ddim(denoiser: &dyn Denoiser, mut x: Tensor, steps: &[Step], on_step: OnStep) -> Result<Tensor> {
    check_falling(steps)?;
    for (index, &Step { timestep, sigma, sigma_next, .. }) in steps.iter().enumerate() {
        let clean = denoiser.denoise(&x, sigma, timestep)?;
        x = blend(&x, &clean, sigma_next / sigma)?;
        report(on_step, steps, index, &x, &clean)?;
        // Where the result is final it is handed on as one of deviation 1, which is a level of zero here.
        let level_ahead = steps.get(index + 1).map_or(0.0, |step| step.sigma);
        x = relevel(x, sigma_next, level_ahead)?;
    }
    Ok(x)
}
