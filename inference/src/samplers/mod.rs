//! Samplers: from noise to a latent, one function a file.
//!
//! Each walks the [`Step`]s of a [`NoiseSchedule`](crate::schedule::NoiseSchedule) over a [`Denoiser`], and
//! calls back after every step.

mod ddim;
mod ddpm;
mod dpm_2;
mod dpm_2_ancestral;
mod dpmpp_2m;
mod dpmpp_2m_sde;
mod dpmpp_2s_ancestral;
mod dpmpp_3m_sde;
mod dpmpp_sde;
mod euler;
mod euler_ancestral;
mod heun;
mod lcm;
mod lms;
mod pndm;
mod tcd;
mod uni_pc;

use std::ops::ControlFlow;

use candle_core::Tensor;
pub use ddim::ddim;
pub use ddpm::ddpm;
pub use dpm_2::dpm_2;
pub use dpm_2_ancestral::dpm_2_ancestral;
pub use dpmpp_2m::dpmpp_2m;
pub use dpmpp_2m_sde::dpmpp_2m_sde;
pub use dpmpp_2s_ancestral::dpmpp_2s_ancestral;
pub use dpmpp_3m_sde::dpmpp_3m_sde;
pub use dpmpp_sde::dpmpp_sde;
pub use euler::euler;
pub use euler_ancestral::euler_ancestral;
pub use heun::heun;
pub use lcm::lcm;
pub use lms::lms;
pub use pndm::pndm;
pub use tcd::tcd;
use types::sampler::Sampler;
pub use uni_pc::uni_pc;

use crate::denoiser::Denoiser;
use crate::error::{Error, Result};
use crate::noise::NoiseGenerator;
use crate::schedule::Step;

/// How far LCM's networks stretch their timesteps: `timestep_scaling` in their configs.
pub(crate) const TIMESTEP_SCALING: f64 = 10.0;

/// The share of the timesteps ahead that TCD makes up for with fresh noise: γ in its paper, `eta` in diffusers.
pub(crate) const TCD_GAMMA: f64 = 0.3;

/// What a sampler tells after each step.
#[derive(Debug, Clone, Copy)]
pub struct StepDone<'a> {
    /// Which step it was, from 0 on.
    pub index: usize,
    /// How many there are in all.
    pub n_steps: usize,
    /// The noise level at which the step began and `clean` was estimated.
    pub sigma: f64,
    /// The noise level that `x` has now.
    pub sigma_next: f64,
    /// The latent after the step: `clean + sigma_next · noise`.
    pub x: &'a Tensor,
    /// The network's estimate of the clean latent: what a preview shows.
    pub clean: &'a Tensor,
}

/// Called after every step; breaking ends the run with [`Error::Cancelled`].
pub type OnStep<'a> = &'a mut dyn FnMut(StepDone) -> ControlFlow<()>;

/// Runs a sampler by name.
///
/// * `x`: starting latent, `(batch, channels, height, width)`: standard normal noise times the schedule's
///   `initial_scale`.
/// * `noise`: where samplers that add noise draw it, best the generator that `x` came from; others leave it
///   alone.
///
/// Returns a latent shaped like `x`, still scaled (divide by the VAE's factor before decoding).
///
/// # Errors
/// [`Error::Schedule`] if `steps` cannot be walked, [`Error::Cancelled`] if `on_step` broke off, and
/// whatever `denoiser` returns.
pub fn sample(
    sampler: Sampler,
    denoiser: &dyn Denoiser,
    x: Tensor,
    steps: &[Step],
    noise: &mut NoiseGenerator,
    on_step: OnStep,
) -> Result<Tensor> {
    match sampler {
        Sampler::Ddim => ddim(denoiser, x, steps, on_step),
        Sampler::Ddpm => ddpm(denoiser, x, steps, noise, on_step),
        Sampler::Pndm => pndm(denoiser, x, steps, on_step),
        Sampler::Lms => lms(denoiser, x, steps, on_step),
        Sampler::Euler => euler(denoiser, x, steps, on_step),
        Sampler::EulerAncestral => euler_ancestral(denoiser, x, steps, noise, on_step),
        Sampler::Heun => heun(denoiser, x, steps, on_step),
        Sampler::Dpm2 => dpm_2(denoiser, x, steps, on_step),
        Sampler::Dpm2Ancestral => dpm_2_ancestral(denoiser, x, steps, noise, on_step),
        Sampler::DpmPlusPlus2SAncestral => dpmpp_2s_ancestral(denoiser, x, steps, noise, on_step),
        Sampler::DpmPlusPlus2M => dpmpp_2m(denoiser, x, steps, on_step),
        Sampler::DpmPlusPlusSde => dpmpp_sde(denoiser, x, steps, noise, on_step),
        Sampler::DpmPlusPlus2MSde => dpmpp_2m_sde(denoiser, x, steps, noise, on_step),
        Sampler::DpmPlusPlus3MSde => dpmpp_3m_sde(denoiser, x, steps, noise, on_step),
        Sampler::UniPc => uni_pc(denoiser, x, steps, on_step),
        Sampler::Lcm => lcm(denoiser, x, steps, noise, on_step),
        Sampler::Tcd => tcd(denoiser, x, steps, noise, on_step),
    }
}

/// Tells the caller about a step, and turns its wish to stop into an error.
fn report(on_step: OnStep, steps: &[Step], index: usize, x: &Tensor, clean: &Tensor) -> Result<()> {
    let Step { sigma, sigma_next, .. } = steps[index];
    match on_step(StepDone { index, n_steps: steps.len(), sigma, sigma_next, x, clean }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Cancelled),
    }
}

/// The direction of the probability-flow equation, per unit of noise level.
fn derivative(x: &Tensor, clean: &Tensor, sigma: f64) -> Result<Tensor> {
    Ok(((x - clean)? / sigma)?)
}

/// The step of Euler's method from `sigma` to `sigma_to`: along the line through `x` and its estimate.
fn euler_step(x: &Tensor, clean: &Tensor, sigma: f64, sigma_to: f64) -> Result<Tensor> {
    blend(x, clean, sigma_to / sigma)
}

/// A share of `x`, and of `target` the rest. Where levels are high this keeps digits that are lost if a multiple of the
/// derivative is added to `x`.
fn blend(x: &Tensor, target: &Tensor, share: f64) -> Result<Tensor> {
    Ok(((x * share)? + (target * (1.0 - share))?)?)
}

/// Fresh noise on top; none is drawn where there would be none to see.
fn with_noise(x: Tensor, deviation: f64, noise: &mut NoiseGenerator) -> Result<Tensor> {
    if deviation > 0.0 {
        let fresh = noise.randn(x.shape(), x.device())?;
        return Ok((x + (fresh * deviation)?)?);
    }
    Ok(x)
}

/// Takes a latent of one level for one of another: what schedulers do that keep their latents at deviation 1. A level of
/// 0 stands for the latent as they keep it.
fn relevel(x: Tensor, sigma: f64, sigma_to: f64) -> Result<Tensor> {
    if differ(sigma, sigma_to) {
        let variance = |sigma: f64| sigma * sigma + 1.0;
        return Ok((x * (variance(sigma_to) / variance(sigma)).sqrt())?);
    }
    Ok(x)
}

/// The level to step down to, and the deviation of the noise that leads from there up to `sigma_next`.
pub(crate) fn ancestral_split(sigma: f64, sigma_next: f64) -> (f64, f64) {
    let (from, to) = (sigma * sigma, sigma_next * sigma_next);
    let up = to * (from - to) / from;
    ((to - up).sqrt(), up.sqrt())
}

/// Steps must fall, each from where the one before ended.
fn check_chain(steps: &[Step]) -> Result<()> {
    check_falling(steps)?;
    match steps.windows(2).find(|pair| differ(pair[0].sigma_next, pair[1].sigma)) {
        Some(pair) => Err(Error::Schedule(format!(
            "a step ends at {} and the next one begins at {}",
            pair[0].sigma_next, pair[1].sigma
        ))),
        None => Ok(()),
    }
}

/// Whether two levels are not the same number; levels are copied, never computed twice.
fn differ(one: f64, two: f64) -> bool {
    one.total_cmp(&two).is_ne()
}

/// Steps must begin above zero, and go down, though not all the way.
fn check_falling(steps: &[Step]) -> Result<()> {
    if steps.is_empty() {
        return Err(Error::Schedule("there are no steps, and at least 1 is needed".to_owned()));
    }
    for Step { sigma, sigma_next, .. } in steps {
        if !(sigma.is_finite() && *sigma > 0.0 && *sigma_next >= 0.0 && sigma_next <= sigma) {
            return Err(Error::Schedule(format!(
                "a step goes from {sigma} to {sigma_next}, and has to fall from above 0 to 0 or more"
            )));
        }
    }
    match steps.windows(2).find(|pair| pair[1].sigma >= pair[0].sigma) {
        Some(pair) => Err(Error::Schedule(format!(
            "{} is followed by {}, and they have to fall",
            pair[0].sigma, pair[1].sigma
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
