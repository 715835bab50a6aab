//! DPM-Solver++ (2S) with fresh noise.

use candle_core::Tensor;

use super::{OnStep, ancestral_split, blend, check_chain, report, with_noise};
use crate::denoiser::Denoiser;
use crate::error::Result;
use crate::noise::NoiseGenerator;
use crate::schedule::Step;

/// DPM-Solver++(2S) ancestral: a step with the estimate of its middle that goes too far, then as much fresh noise as is
/// missing. Second-order, random, two model calls per step but one for the step to zero.
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
/// Lu et al. 2022, arXiv:2211.01095, Algorithm 1, made ancestral in `sample_dpmpp_2s_ancestral` of k-diffusion, against
/// which it is checked step by step (`tests/reference/samplers.json`).
pub fn dpmpp_2s_ancestral(
    denoiser: &dyn Denoiser,
    mut x: Tensor,
    steps: &[Step],
    noise: &mut NoiseGenerator,
    on_step: OnStep,
) -> Result<Tensor> {
    check_chain(steps)?;
    for (index, &Step { timestep, sigma, sigma_next, within }) in steps.iter().enumerate() {
        let clean = denoiser.denoise(&x, sigma, timestep)?;
        let (sigma_down, sigma_up) = ancestral_split(sigma, sigma_next);
        let target = match within {
            Some(middle) => {
                let halfway = blend(&x, &clean, middle.sigma / sigma)?;
                denoiser.denoise(&halfway, middle.sigma, middle.timestep)?
            }
            None => clean.clone(),
        };
        x = blend(&x, &target, sigma_down / sigma)?;
        x = with_noise(x, sigma_up, noise)?;
        report(on_step, steps, index, &x, &clean)?;
    }
    Ok(x)
}
