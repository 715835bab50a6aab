//! DPM-Solver++ (2M) as a stochastic equation.

use candle_core::Tensor;

use super::dpmpp_2m::target;
use super::{OnStep, blend, check_chain, relevel, report, with_noise};
use crate::denoiser::Denoiser;
use crate::error::Result;
use crate::noise::NoiseGenerator;
use crate::schedule::Step;

/// DPM-Solver++(2M) SDE: second-order, random, one model call per step.
///
/// Reuses the previous clean estimate for its second-order term, so the first step and the step to σ = 0 are first
/// order. The noise of each step is drawn afresh, as in diffusers; k-diffusion takes it from a Brownian tree, which
/// gives other pictures of the same kind.
///
/// * `denoiser`: estimates the clean latent from `x` at noise level σ.
/// * `x`: starting latent `(batch, channels, height, width)` with standard deviation about that of
///   the first level; device is kept, dtype is f32.
/// * `steps`: each beginning where the one before ends, falling.
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
/// Lu et al. 2022, arXiv:2211.01095, and its SDE form in diffusers, whose `DPMSolverMultistepScheduler` with
/// `algorithm_type="sde-dpmsolver++"` and the midpoint method it is checked against step by step
/// (`tests/reference/samplers.json`). `sample_dpmpp_2m_sde` of k-diffusion with `solver_type="midpoint"` takes the same
/// steps.
pub fn dpmpp_2m_sde(
    denoiser: &dyn Denoiser,
    mut x: Tensor,
    steps: &[Step],
    noise: &mut NoiseGenerator,
    on_step: OnStep,
) -> Result<Tensor> {
    check_chain(steps)?;
    // The previous clean estimate, and the length in ln σ of the step that it led.
    let mut previous: Option<(Tensor, f64)> = None;
    let mut last_level = 0.0;
    for (index, &Step { timestep, sigma, sigma_next, .. }) in steps.iter().enumerate() {
        let clean = denoiser.denoise(&x, sigma, timestep)?;
        // Infinite for the step to zero.
        let h = (sigma / sigma_next).ln();
        let goal = target(&clean, previous.as_ref(), steps, index)?;
        let keep = (sigma_next / sigma).powi(2);
        x = blend(&x, &goal, keep)?;
        x = with_noise(x, sigma_next * (1.0 - keep).sqrt(), noise)?;
        report(on_step, steps, index, &x, &clean)?;
        previous = Some((clean, h));
        last_level = sigma_next;
    }
    relevel(x, last_level, 0.0)
}
