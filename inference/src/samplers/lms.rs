//! Linear multistep.

use std::collections::VecDeque;

use candle_core::Tensor;

use super::{OnStep, check_chain, report};
use crate::denoiser::Denoiser;
use crate::error::Result;
use crate::schedule::Step;

/// How many derivatives are remembered.
const ORDER: usize = 4;

/// Linear multistep (Adams-Bashforth over uneven levels): fourth-order, deterministic, one model call per step.
///
/// The first three steps have fewer derivatives to go by, and a lower order.
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
/// `sample_lms` of k-diffusion. Checked step by step against diffusers' `LMSDiscreteScheduler`
/// (`tests/reference/samplers.json`), which integrates the same polynomials numerically. A run from a picture begins
/// with order 1, as in k-diffusion; there diffusers takes weights of a higher order than it has derivatives for.
pub fn lms(denoiser: &dyn Denoiser, mut x: Tensor, steps: &[Step], on_step: OnStep) -> Result<Tensor> {
    check_chain(steps)?;
    // With their levels, the newest first.
    let mut derivatives: VecDeque<(Tensor, f64)> = VecDeque::with_capacity(ORDER + 1);
    for (index, &Step { timestep, sigma, sigma_next, .. }) in steps.iter().enumerate() {
        let clean = denoiser.denoise(&x, sigma, timestep)?;
        derivatives.push_front((((&x - &clean)? / sigma)?, sigma));
        derivatives.truncate(ORDER);
        let levels: Vec<f64> = derivatives.iter().map(|(_, level)| *level).collect();
        for (which, (derivative, _)) in derivatives.iter().enumerate() {
            x = (x + (derivative * weight(&levels, which, sigma, sigma_next))?)?;
        }
        report(on_step, steps, index, &x, &clean)?;
    }
    Ok(x)
}

/// The integral from `from` to `to` of the polynomial that is 1 at `levels[which]` and 0 at the others.
///
/// Gauss's rule with two points is exact up to the third degree, and there are four levels at most.
fn weight(levels: &[f64], which: usize, from: f64, to: f64) -> f64 {
    let polynomial = |at: f64| -> f64 {
        let others = levels.iter().enumerate().filter(|(other, _)| *other != which);
        others.map(|(_, level)| (at - level) / (levels[which] - level)).product()
    };
    let (middle, half) = (0.5 * (from + to), 0.5 * (to - from));
    let offset = half / 3.0_f64.sqrt();
    half * (polynomial(middle - offset) + polynomial(middle + offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_integrate_polynomials_of_the_third_degree_exactly() {
        let levels = [2.0, 3.0, 5.0, 9.0];
        let cubic = |at: f64| at.powi(3) - 4.0 * at;
        let integral = |at: f64| at.powi(4) / 4.0 - 2.0 * at * at;
        let found: f64 = levels
            .iter()
            .enumerate()
            .map(|(which, &level)| weight(&levels, which, 2.0, 1.0) * cubic(level))
            .sum();
        assert!((found - (integral(1.0) - integral(2.0))).abs() < 1e-12, "{found}");
    }
}
