//! Samplers: from noise to a latent, one function a file.
//!
//! Each walks the [`Step`]s of a [`NoiseSchedule`](crate::schedule::NoiseSchedule) over a [`Denoiser`], and
//! calls back after every step.

mod ddim;
mod dpmpp_2m;
mod euler;
mod euler_ancestral;

use std::ops::ControlFlow;

use candle_core::Tensor;
pub use ddim::ddim;
pub use dpmpp_2m::dpmpp_2m;
pub use euler::euler;
pub use euler_ancestral::euler_ancestral;
use types::sampler::Sampler;

use crate::denoiser::Denoiser;
use crate::error::{Error, Result};
use crate::noise::TorchCpuGenerator;
use crate::schedule::Step;

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
    noise: &mut TorchCpuGenerator,
    on_step: OnStep,
) -> Result<Tensor> {
    match sampler {
        Sampler::Ddim => ddim(denoiser, x, steps, on_step),
        Sampler::Euler => euler(denoiser, x, steps, on_step),
        Sampler::EulerAncestral => euler_ancestral(denoiser, x, steps, noise, on_step),
        Sampler::DpmPlusPlus2M => dpmpp_2m(denoiser, x, steps, on_step),
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

/// The step of Euler's method from `sigma` to `sigma_to`: along the line through `x` and its estimate.
fn euler_step(x: &Tensor, clean: &Tensor, sigma: f64, sigma_to: f64) -> Result<Tensor> {
    let derivative = ((x - clean)? / sigma)?;
    Ok((x + (derivative * (sigma_to - sigma))?)?)
}

/// Steps must fall, each from where the one before ended, down to zero.
fn check_chain(steps: &[Step]) -> Result<()> {
    check_falling(steps)?;
    if let Some(pair) = steps.windows(2).find(|pair| differ(pair[0].sigma_next, pair[1].sigma)) {
        return Err(Error::Schedule(format!(
            "a step ends at {} and the next one begins at {}",
            pair[0].sigma_next, pair[1].sigma
        )));
    }
    match steps.last() {
        Some(last) if last.sigma_next > 0.0 => {
            Err(Error::Schedule(format!("the last one is {}, and has to be 0", last.sigma_next)))
        }
        _ => Ok(()),
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
