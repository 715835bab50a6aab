//! DPM-Solver++ (3M) as a stochastic equation.

use candle_core::Tensor;

use super::{OnStep, blend, check_chain, relevel, report, with_noise};
use crate::denoiser::Denoiser;
use crate::error::Result;
use crate::noise::NoiseGenerator;
use crate::schedule::Step;

/// DPM-Solver++(3M) SDE: third-order, random, one model call per step.
///
/// Reuses the two clean estimates before, so the first two steps are of lower order, and the step to σ = 0 is first
/// order. The noise of each step is drawn afresh; with a noise sampler of its own choosing k-diffusion takes it from a
/// Brownian tree, which gives other pictures of the same kind.
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
/// `sample_dpmpp_3m_sde` of k-diffusion with η = 1, against which it is checked step by step with independent noise
/// (`tests/reference/samplers.json`).
pub fn dpmpp_3m_sde(
    denoiser: &dyn Denoiser,
    mut x: Tensor,
    steps: &[Step],
    noise: &mut NoiseGenerator,
    on_step: OnStep,
) -> Result<Tensor> {
    check_chain(steps)?;
    // The clean estimates before, the newest first, each with the length in ln σ of the step that it led.
    let mut before: Vec<(Tensor, f64)> = Vec::new();
    let mut last_level = 0.0;
    for (index, &Step { timestep, sigma, sigma_next, .. }) in steps.iter().enumerate() {
        let clean = denoiser.denoise(&x, sigma, timestep)?;
        // Infinite for the step to zero.
        let h = (sigma / sigma_next).ln();
        let keep = (sigma_next / sigma).powi(2);
        x = blend(&x, &clean, keep)?;
        if sigma_next > 0.0 {
            let phi_2 = (-2.0 * h).exp_m1() / (2.0 * h) + 1.0;
            let phi_3 = phi_2 / (2.0 * h) - 0.5;
            match before.as_slice() {
                [] => {}
                [(clean_1, h_1)] => x = (x + ((&clean - clean_1)? * (phi_2 * h / h_1))?)?,
                [(clean_1, h_1), (clean_2, h_2), ..] => {
                    let (r_0, r_1) = (h_1 / h, h_2 / h);
                    let d_0 = ((&clean - clean_1)? / r_0)?;
                    let d_1 = ((clean_1 - clean_2)? / r_1)?;
                    let bend = ((&d_0 - d_1)? / (r_0 + r_1))?;
                    let slope = (d_0 + (&bend * r_0)?)?;
                    x = ((x + (slope * phi_2)?)? - (bend * phi_3)?)?;
                }
            }
        }
        x = with_noise(x, sigma_next * (1.0 - keep).sqrt(), noise)?;
        report(on_step, steps, index, &x, &clean)?;
        before.insert(0, (clean, h));
        before.truncate(2);
        last_level = sigma_next;
    }
    relevel(x, last_level, 0.0)
}
