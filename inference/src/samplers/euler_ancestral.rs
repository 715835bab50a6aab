//! Euler's method with fresh noise.

use candle_core::Tensor;

use super::{OnStep, check_chain, euler_step, report};
use crate::denoiser::Denoiser;
use crate::error::Result;
use crate::noise::TorchCpuGenerator;
use crate::schedule::Step;

/// Euler ancestral: a step of Euler's method that goes too far, then as much fresh noise as is missing.
/// First-order, random, one model call per step; more steps never settle on one picture.
///
/// * `denoiser`: estimates the clean latent from `x` at noise level σ.
/// * `x`: starting latent `(batch, channels, height, width)` with standard deviation about that of
///   the first level; device is kept, dtype is f32.
/// * `steps`: each beginning where the one before ends, falling to zero.
/// * `noise`: gives one tensor shaped like `x` for every step but the last, which needs none. With the
///   generator that `x` was drawn from, pictures are those of diffusers with one generator.
/// * `on_step`: sees step index, σ and clean estimate; returning `Break` stops the run.
///
/// Returns a latent shaped like `x`, still scaled (divide by the VAE's factor before decoding).
///
/// # Errors
/// [`crate::Error::Schedule`] if there are no steps or they do not fall to zero; [`crate::Error::Cancelled`]
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
    noise: &mut TorchCpuGenerator,
    on_step: OnStep,
) -> Result<Tensor> {
    check_chain(steps)?;
    for (index, &Step { timestep, sigma, sigma_next }) in steps.iter().enumerate() {
        let clean = denoiser.denoise(&x, sigma, timestep)?;
        let (sigma_down, sigma_up) = ancestral_split(sigma, sigma_next);
        x = euler_step(&x, &clean, sigma, sigma_down)?;
        if sigma_up > 0.0 {
            let fresh = noise.randn(x.shape(), x.device())?;
            x = (x + (fresh * sigma_up)?)?;
        }
        report(on_step, steps, index, &x, &clean)?;
    }
    Ok(x)
}

/// The level to step down to, and the deviation of the noise that leads from there up to `sigma_next`.
fn ancestral_split(sigma: f64, sigma_next: f64) -> (f64, f64) {
    let (from, to) = (sigma * sigma, sigma_next * sigma_next);
    let up = to * (from - to) / from;
    ((to - up).sqrt(), up.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn down_and_up_together_give_the_next_level() {
        let (down, up) = ancestral_split(3.0, 2.0);
        assert!((down.hypot(up) - 2.0).abs() < 1e-12);
        assert!(down < 2.0);
    }

    #[test]
    fn the_step_to_zero_adds_no_noise() {
        assert_eq!(ancestral_split(0.03, 0.0), (0.0, 0.0));
    }
}
