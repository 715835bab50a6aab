//! Unified predictor and corrector.

use candle_core::Tensor;

use super::{OnStep, blend, check_chain, relevel, report};
use crate::denoiser::Denoiser;
use crate::error::Result;
use crate::schedule::Step;

/// UniPC of order 2 (`bh2`, predicting the clean latent): deterministic, one model call per step.
///
/// Each estimate first corrects the step that led to it, then leads the next one. The first step and the last are first
/// order.
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
/// Zhao et al. 2023, arXiv:2302.04867, Algorithms 5 to 8 with B(h) = e^h − 1. Checked step by step against diffusers'
/// `UniPCMultistepScheduler` (`tests/reference/samplers.json`).
pub fn uni_pc(denoiser: &dyn Denoiser, mut x: Tensor, steps: &[Step], on_step: OnStep) -> Result<Tensor> {
    check_chain(steps)?;
    let mut previous: Option<Corrected> = None;
    let mut last_level = 0.0;
    for (index, &Step { timestep, sigma, sigma_next, .. }) in steps.iter().enumerate() {
        let clean = denoiser.denoise(&x, sigma, timestep)?;
        if let Some(before) = &previous {
            x = before.correct(&clean, sigma)?;
        }
        // The slope of the estimates over ln(1/σ), from the one before to this one.
        let slope = match &previous {
            Some(before) if index + 1 < steps.len() => {
                let length = (before.sigma / sigma).ln();
                Some((((&clean - &before.clean)? / length)?, length))
            }
            _ => None,
        };
        let from = Corrected { x, clean, sigma, slope };
        x = from.predict(sigma_next)?;
        report(on_step, steps, index, &x, &from.clean)?;
        previous = Some(from);
        last_level = sigma_next;
    }
    relevel(x, last_level, 0.0)
}

/// A place on the way, and all that is known there.
struct Corrected {
    x: Tensor,
    clean: Tensor,
    sigma: f64,
    /// How the estimates changed per unit of ln(1/σ), and over which length; `None` for a step of first order.
    slope: Option<(Tensor, f64)>,
}

impl Corrected {
    /// UniP: the latent at the next level.
    fn predict(&self, sigma_next: f64) -> Result<Tensor> {
        let keep = sigma_next / self.sigma;
        let next = blend(&self.x, &self.clean, keep)?;
        match &self.slope {
            Some((slope, _)) => {
                let h = -keep.ln();
                Ok((next + (slope * (0.5 * h * (1.0 - keep)))?)?)
            }
            None => Ok(next),
        }
    }

    /// UniC: the latent at the next level once more, now that its estimate is known.
    fn correct(&self, clean_next: &Tensor, sigma_next: f64) -> Result<Tensor> {
        let keep = sigma_next / self.sigma;
        let h = -keep.ln();
        let next = blend(&self.x, &self.clean, keep)?;
        let change = (clean_next - &self.clean)?;
        // A step of no length changes nothing, and has no weights.
        if h <= 0.0 {
            return Ok(next);
        }
        let Some((slope, length)) = &self.slope else {
            return Ok((next + (change * (0.5 * (1.0 - keep)))?)?);
        };
        let [of_slope, of_change] = corrector_weights(h, -length / h);
        let correction = ((slope * (of_slope * h))? + (change * of_change)?)?;
        Ok((next + (correction * (1.0 - keep))?)?)
    }
}

/// The weights for which a step is exact for estimates that are polynomials of the second degree in ln σ.
///
/// * `h`: length of the step in ln(1/σ).
/// * `r`: where the estimate before lies, in steps: negative.
fn corrector_weights(h: f64, r: f64) -> [f64; 2] {
    let phi_1 = (-h).exp_m1();
    let phi_2 = phi_1 / -h - 1.0;
    let phi_3 = phi_2 / -h - 0.5;
    let (b_1, b_2) = (phi_2 / phi_1, 2.0 * phi_3 / phi_1);
    let of_slope = (b_1 - b_2) / (1.0 - r);
    [of_slope, b_1 - of_slope]
}
