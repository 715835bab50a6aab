//! Pseudo numerical methods, as PLMS.

use std::collections::VecDeque;

use candle_core::Tensor;

use super::{OnStep, blend, check_falling, relevel, report};
use crate::denoiser::Denoiser;
use crate::error::Result;
use crate::schedule::{PredictionType, Step, Within};

/// PNDM: linear multistep of order 4 over what the network predicts. Deterministic, one model call per step, but two for
/// the first.
///
/// The first step is taken twice: from its end, the network's second prediction improves it. Where a step's second level
/// lies above its end it is a Runge-Kutta step of four calls instead; few configs ask for these. Levels follow
/// diffusers: as with DDIM a step may end beside the level where the next one begins, and the last may end above zero.
///
/// * `denoiser`: estimates the clean latent from `x` at noise level σ.
/// * `x`: starting latent `(batch, channels, height, width)` with standard deviation about that of
///   the first level; dtype and device are kept.
/// * `steps`: each beginning where the one before ends, falling, the first one with the end
///   of the step as second level.
/// * `on_step`: sees step index, σ and clean estimate; returning `Break` stops the run.
///
/// Returns a latent shaped like `x`, still scaled (divide by the VAE's factor before decoding).
///
/// # Errors
/// [`crate::Error::Schedule`] if there are no steps or they do not fall; [`crate::Error::Cancelled`]
/// if `on_step` broke off; whatever `denoiser` returns, unchanged.
///
/// # Source
/// Liu et al. 2022, arXiv:2202.09778, equations 9 to 13. Checked step by step against diffusers' `PNDMScheduler` with
/// and without `skip_prk_steps` (`tests/reference/samplers.json`).
pub fn pndm(denoiser: &dyn Denoiser, mut x: Tensor, steps: &[Step], on_step: OnStep) -> Result<Tensor> {
    check_falling(steps)?;
    let meaning = Meaning(denoiser.prediction());
    let ask = |x: &Tensor, sigma: f64, timestep: f64| -> Result<(Tensor, Tensor)> {
        let clean = denoiser.denoise(x, sigma, timestep)?;
        Ok((meaning.prediction(x, &clean, sigma)?, clean))
    };
    let mut history: VecDeque<Tensor> = VecDeque::with_capacity(MULTISTEP.len() + 1);
    for (index, &Step { timestep, sigma, sigma_next, within }) in steps.iter().enumerate() {
        let (prediction, clean) = ask(&x, sigma, timestep)?;
        history.push_front(prediction);
        history.truncate(MULTISTEP.len());
        x = match within {
            None => meaning.walk(&x, &multistep(&history)?, sigma, sigma_next)?,
            Some(middle) if middle.sigma > sigma_next => {
                let first = &history[0];
                let second =
                    ask(&meaning.walk(&x, first, sigma, middle.sigma)?, middle.sigma, middle.timestep)?.0;
                let third =
                    ask(&meaning.walk(&x, &second, sigma, middle.sigma)?, middle.sigma, middle.timestep)?.0;
                let end = steps.get(index + 1).map_or(0.0, |next| next.timestep);
                let fourth = ask(&meaning.walk(&x, &third, sigma, sigma_next)?, sigma_next, end)?.0;
                let inner = ((second + third)? / 3.0)?;
                let outer = ((first + fourth)? / 6.0)?;
                meaning.walk(&x, &(inner + outer)?, sigma, sigma_next)?
            }
            Some(Within { timestep, sigma: end, again_from }) => {
                let first = &history[0];
                let ahead = relevel(meaning.walk(&x, first, sigma, sigma_next)?, sigma_next, end)?;
                let (second, _) = ask(&ahead, end, timestep)?;
                let mean = ((first + second)? / 2.0)?;
                let again = relevel(x, sigma, again_from)?;
                relevel(meaning.walk(&again, &mean, again_from, end)?, end, sigma_next)?
            }
        };
        report(on_step, steps, index, &x, &clean)?;
        // Where the result is final it is handed on as one of deviation 1, which is a level of zero here.
        let level_ahead = steps.get(index + 1).map_or(0.0, |step| step.sigma);
        x = relevel(x, sigma_next, level_ahead)?;
    }
    Ok(x)
}

/// Weights of the newest prediction and of those before, by how many there are.
const MULTISTEP: [&[f64]; 4] = [
    &[1.0],
    &[3.0 / 2.0, -1.0 / 2.0],
    &[23.0 / 12.0, -16.0 / 12.0, 5.0 / 12.0],
    &[55.0 / 24.0, -59.0 / 24.0, 37.0 / 24.0, -9.0 / 24.0],
];

/// What the predictions so far, the newest first, say of the step ahead.
fn multistep(history: &VecDeque<Tensor>) -> Result<Tensor> {
    let weights = MULTISTEP[history.len() - 1];
    let mut sum = (&history[0] * weights[0])?;
    for (prediction, &weight) in history.iter().zip(weights).skip(1) {
        sum = (sum + (prediction * weight)?)?;
    }
    Ok(sum)
}

/// What the network's predictions mean: diffusers averages them as they come, and that of a velocity is not that of the
/// noise. (It knows no networks here that predict the clean latent; of these the noise is averaged.)
#[derive(Clone, Copy)]
struct Meaning(PredictionType);

impl Meaning {
    /// The prediction that stands behind an estimate.
    fn prediction(self, x: &Tensor, clean: &Tensor, sigma: f64) -> Result<Tensor> {
        let noise = ((x - clean)? / sigma)?;
        match self.0 {
            PredictionType::Epsilon | PredictionType::Sample => Ok(noise),
            PredictionType::VPrediction => Ok(((noise - (clean * sigma)?)? / (sigma * sigma + 1.0).sqrt())?),
        }
    }

    /// The step from one level to another that a prediction leads.
    fn walk(self, x: &Tensor, prediction: &Tensor, sigma: f64, sigma_to: f64) -> Result<Tensor> {
        let clean = match self.0 {
            PredictionType::Epsilon | PredictionType::Sample => (x - (prediction * sigma)?)?,
            PredictionType::VPrediction => {
                let variance = sigma * sigma + 1.0;
                ((x / variance)? - (prediction * (sigma / variance.sqrt()))?)?
            }
        };
        blend(x, &clean, sigma_to / sigma)
    }
}
