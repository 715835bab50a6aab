//! DPM-Solver++ (2M).

use candle_core::Tensor;

use super::{OnStep, blend, check_chain, relevel, report};
use crate::denoiser::Denoiser;
use crate::error::Result;
use crate::schedule::Step;

/// DPM-Solver++(2M): second-order, deterministic, one model call per step.
///
/// Reuses the previous clean estimate for its second-order term, so the first step and the step
/// to σ = 0 are first order; so is the last of fewer than 15 steps, wherever it ends.
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
/// Lu et al. 2022, arXiv:2211.01095, Algorithm 2; λ there is −ln σ here. Checked step by step against
/// diffusers' `DPMSolverMultistepScheduler` (`tests/reference/samplers.json`).
pub fn dpmpp_2m(denoiser: &dyn Denoiser, mut x: Tensor, steps: &[Step], on_step: OnStep) -> Result<Tensor> {
    check_chain(steps)?;
    // The previous clean estimate, and the length in ln σ of the step that it led.
    let mut previous: Option<(Tensor, f64)> = None;
    let mut last_level = 0.0;
    for (index, &Step { timestep, sigma, sigma_next, .. }) in steps.iter().enumerate() {
        let clean = denoiser.denoise(&x, sigma, timestep)?;
        // Infinite for the step to zero.
        let h = (sigma / sigma_next).ln();
        let goal = target(&clean, previous.as_ref(), steps, index)?;
        x = blend(&x, &goal, sigma_next / sigma)?;
        report(on_step, steps, index, &x, &clean)?;
        previous = Some((clean, h));
        last_level = sigma_next;
    }
    relevel(x, last_level, 0.0)
}

/// Where a step of second order goes: the estimate, moved on as it moved since the step before. `previous` is that
/// step's estimate and its length in ln σ. Of first order, the estimate itself, are the first step, the one to zero,
/// and the last of few.
pub(super) fn target(
    clean: &Tensor,
    previous: Option<&(Tensor, f64)>,
    steps: &[Step],
    index: usize,
) -> Result<Tensor> {
    let Step { sigma, sigma_next, .. } = steps[index];
    match previous {
        Some((before, h_before)) if sigma_next > 0.0 && !is_last_of_few(steps, index) => {
            let r = h_before / (sigma / sigma_next).ln();
            Ok((clean + ((clean - before)? * (0.5 / r))?)?)
        }
        _ => Ok(clean.clone()),
    }
}

/// Where diffusers falls back to first order for the sake of stability.
fn is_last_of_few(steps: &[Step], index: usize) -> bool {
    index + 1 == steps.len() && steps.len() < 15
}
