//! DPM-Solver++ as a stochastic equation.

use candle_core::Tensor;

use super::{OnStep, ancestral_split, blend, check_chain, report};
use crate::denoiser::Denoiser;
use crate::error::Result;
use crate::noise::NoiseGenerator;
use crate::schedule::Step;

/// DPM-Solver++ (stochastic): a noisy step to the middle, then the whole noisy step with the estimate that was made
/// there. Second-order, random, two model calls per step but one for the step to zero.
///
/// The noise of both is from one Brownian motion, so that what the first saw is part of the second.
///
/// * `denoiser`: estimates the clean latent from `x` at noise level σ.
/// * `x`: starting latent `(batch, channels, height, width)` with standard deviation about that of
///   the first level; device is kept, dtype is f32.
/// * `steps`: each beginning where the one before ends, falling, with a second level
///   halfway.
/// * `noise`: its seed gives a [Brownian tree](crate::noise::BrownianTree) over the levels of `steps`. What else it
///   draws makes no difference.
/// * `on_step`: sees step index, σ and clean estimate; returning `Break` stops the run.
///
/// Returns a latent shaped like `x`, still scaled (divide by the VAE's factor before decoding).
///
/// # Errors
/// [`crate::Error::Schedule`] if there are no steps or they do not follow one another; [`crate::Error::Cancelled`]
/// if `on_step` broke off; whatever `denoiser` returns, unchanged.
///
/// # Source
/// `sample_dpmpp_sde` of k-diffusion with r = 1/2. Checked step by step against diffusers' `DPMSolverSDEScheduler` whose
/// `noise_sampler_seed` is the generator's (`tests/reference/samplers.json`). ComfyUI and the AUTOMATIC1111 web UI seed
/// their trees in the same way; a run from a picture has a tree over its own levels, as in ComfyUI.
/// The tree is so fine that a level's last bit changes the noise by about 1e-3. torch has that bit wrong now and then, in
/// square roots on processors with AVX-512 and in logarithms, so the reference has roots, logarithms and exponentials
/// that are rounded correctly.
pub fn dpmpp_sde(
    denoiser: &dyn Denoiser,
    mut x: Tensor,
    steps: &[Step],
    noise: &mut NoiseGenerator,
    on_step: OnStep,
) -> Result<Tensor> {
    check_chain(steps)?;
    let highest = steps[0].sigma;
    let lowest = steps[steps.len() - 1].sigma;
    let tree = noise.brownian_tree(x.shape(), x.device(), lowest, highest)?;
    for (index, &Step { timestep, sigma, sigma_next, within }) in steps.iter().enumerate() {
        let clean = denoiser.denoise(&x, sigma, timestep)?;
        x = match within {
            Some(middle) => {
                let [from, halfway_to, to] = tree_levels(sigma, sigma_next);
                let (down, up) = ancestral_split(sigma, middle.sigma);
                let halfway = (blend(&x, &clean, down / sigma)? + (tree.noise(from, halfway_to)? * up)?)?;
                let target = denoiser.denoise(&halfway, middle.sigma, middle.timestep)?;
                let (down, up) = ancestral_split(sigma, sigma_next);
                (blend(&x, &target, down / sigma)? + (tree.noise(from, to)? * up)?)?
            }
            None => blend(&x, &clean, sigma_next / sigma)?,
        };
        report(on_step, steps, index, &x, &clean)?;
    }
    Ok(x)
}

/// Beginning, middle and end of a step by way of their logarithms in f32, as the reference computes them: the tree is so
/// fine that a rounding shows. Computed in f64 and then rounded, they are the same on every platform.
fn tree_levels(sigma: f64, sigma_next: f64) -> [f64; 3] {
    let time = |sigma: f64| -(f64::from(sigma as f32).ln() as f32);
    let (from, to) = (time(sigma), time(sigma_next));
    [from, from + (to - from) * 0.5, to].map(|time| f64::from((-f64::from(time)).exp() as f32))
}
