//! Noise levels: which ones a sampler walks, and by which timestep the network knows each.
//!
//! The measure is diffusers: for the same `scheduler_config.json` and number of steps the levels and
//! timesteps here are those of its scheduler for the sampler in question. The schedulers differ in
//! details that can be seen in a picture, so these are kept:
//!
//! | sampler | scheduler | normal | Karras, exponential, beta |
//! | --- | --- | --- | --- |
//! | Euler, Heun, LMS | `EulerDiscreteScheduler`, `HeunDiscreteScheduler`, `LMSDiscreteScheduler` | fractional timesteps | from the range that normal spacing has, fractional timesteps |
//! | DPM2, DPM2 a, DPM++ SDE | `KDPM2DiscreteScheduler`, `KDPM2AncestralDiscreteScheduler`, `DPMSolverSDEScheduler` | as Euler | as Euler, but DPM2's Karras timesteps are whole |
//! | Euler a | `EulerAncestralDiscreteScheduler` | as Euler | as Euler (diffusers has none) |
//! | DPM++ 2S a | k-diffusion (diffusers has none) | as Euler | as Euler |
//! | DPM++ 2M, DPM++ 2M SDE | `DPMSolverMultistepScheduler` | divides into one step more, whole timesteps | from the whole range of training levels, whole timesteps |
//! | DPM++ 3M SDE | k-diffusion | as DPM++ 2M | as DPM++ 2M |
//! | UniPC | `UniPCMultistepScheduler` | as DPM++ 2M | as DPM++ 2M |
//! | DDIM, PNDM | `DDIMScheduler`, `PNDMScheduler` | whole timesteps, constant stride | as DPM++ 2M (diffusers has none) |
//! | DDPM | `DDPMScheduler` | whole timesteps | as DPM++ 2M (diffusers has none) |
//! | LCM, TCD | `LCMScheduler`, `TCDScheduler` | chosen of 50 whole timesteps | as DPM++ 2M (diffusers has none) |
//!
//! The other schedules are the same for every sampler:
//!
//! | schedule | whose |
//! | --- | --- |
//! | SGM uniform, simple | ComfyUI's levels (diffusers' nearest is `timestep_spacing="trailing"`, which a config can ask for) |
//! | align your steps | the published tables, interpolated and ended as ComfyUI does; for ten steps equal to diffusers' `AysSchedules` |
//!
//! k-diffusion (and with it the AUTOMATIC1111 web UI) starts Karras spacing from levels of its own and never
//! rounds a timestep: its pictures differ slightly from these, by design.

mod beta_distribution;
mod config;
mod config_file;
mod levels;
mod spacing;
mod strides;
mod training;
mod within;

use candle_core::Tensor;
pub use config::{AlignedFor, BetaSchedule, FinalSigma, PredictionType, SchedulerConfig, TimestepSpacing};
pub use training::TrainingNoise;
use types::sampler::{Sampler, Schedule};

use crate::error::{Error, Result};

/// One step of a sampler, from one noise level to the next.
///
/// Levels are standard deviations of added noise, where clean scaled latents have about 1: σ of
/// k-diffusion, `((1 - alphas_cumprod) / alphas_cumprod) ** 0.5` in diffusers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The training timestep that the network is told, `0 ..= num_train_timesteps - 1`; whole for some
    /// samplers.
    pub timestep: f64,
    /// The level at which the step begins and the network is asked; above zero.
    pub sigma: f64,
    /// The level at which the step ends.
    pub sigma_next: f64,
    /// Where else the sampler goes within the step; `None` if it goes straight to the end.
    pub within: Option<Within>,
}

/// A second level within a step.
///
/// Heun, DPM2, DPM++ 2S a and DPM++ SDE go there, ask the network again, and take the whole step with what they
/// learnt. So does PNDM in its first step. TCD goes there without asking, and adds noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Within {
    /// The training timestep that the network is told there; may be fractional.
    pub timestep: f64,
    /// The level.
    pub sigma: f64,
    /// The level from which the step is taken once more: its own beginning, and with PNDM a little beside it if the
    /// timesteps have no constant stride.
    pub again_from: f64,
}

/// All steps of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct NoiseSchedule {
    /// The steps in order, falling. Each begins where the one before ends, and the last ends in zero, unless the
    /// config says that it ends at the lowest training level. TCD ends at that level always. With DDIM and
    /// PNDM a step may begin beside where the one before ended.
    pub steps: Vec<Step>,
    /// What standard normal noise is multiplied by to become the starting latent.
    pub initial_scale: f64,
}

impl NoiseSchedule {
    /// The steps that diffusers' scheduler for this sampler takes with this config.
    ///
    /// * `n_steps`: 1 to the number of training timesteps. Few are legal and useless: one step with
    ///   `linspace` spacing starts from almost no noise, in diffusers as well.
    ///
    /// # Errors
    /// [`Error::Schedule`] if `n_steps` is out of range.
    pub fn new(
        config: &SchedulerConfig,
        sampler: Sampler,
        schedule: Schedule,
        n_steps: usize,
    ) -> Result<Self> {
        Self::after(config, sampler, schedule, n_steps, 0)
    }

    /// The steps that are left of a run that starts from a picture.
    ///
    /// * `strength`: the share of the steps that is walked, above 0 and up to 1, rounded down to whole steps. At 1 all
    ///   are walked, and still from the picture under noise rather than from noise alone.
    ///
    /// The starting latent is [`NoiseSchedule::noised`]; `initial_scale` is what its noise is multiplied by.
    ///
    /// # Errors
    /// [`Error::Schedule`] if `n_steps` or `strength` is out of range, or no whole step is left.
    ///
    /// # Source
    /// `get_timesteps` of diffusers' image-to-image pipelines.
    pub fn with_strength(
        config: &SchedulerConfig,
        sampler: Sampler,
        schedule: Schedule,
        n_steps: usize,
        strength: f64,
    ) -> Result<Self> {
        if !(strength > 0.0 && strength <= 1.0) {
            return Err(Error::Schedule(format!(
                "strength is {strength}, and has to be above 0 and up to 1"
            )));
        }
        let n_walked = ((n_steps as f64 * strength) as usize).min(n_steps);
        if n_walked == 0 && n_steps > 0 {
            return Err(Error::Schedule(format!(
                "strength {strength} leaves none of {n_steps} steps, and at least 1 is needed"
            )));
        }
        let mut made = Self::after(config, sampler, schedule, n_steps, n_steps - n_walked)?;
        made.initial_scale = made.steps[0].sigma;
        Ok(made)
    }

    /// A clean latent under the noise of the first step: `clean + sigma · noise`.
    ///
    /// * `clean`: scaled latent `(batch, channels, height, width)`.
    /// * `noise`: standard normal, of the same shape.
    ///
    /// # Errors
    /// [`Error::Candle`] if the two do not fit.
    ///
    /// # Source
    /// `add_noise` of diffusers' schedulers, in the terms used here.
    pub fn noised(&self, clean: &Tensor, noise: &Tensor) -> Result<Tensor> {
        Ok((clean + (noise * self.steps[0].sigma)?)?)
    }

    /// All noise levels: where each step begins, then where the last one ends.
    pub fn sigmas(&self) -> Vec<f64> {
        let last = self.steps.last().map(|step| step.sigma_next);
        self.steps.iter().map(|step| step.sigma).chain(last).collect()
    }

    /// All but the first `n_skipped` steps.
    fn after(
        config: &SchedulerConfig,
        sampler: Sampler,
        schedule: Schedule,
        n_steps: usize,
        n_skipped: usize,
    ) -> Result<Self> {
        if n_steps == 0 || n_steps > config.num_train_timesteps {
            return Err(Error::Schedule(format!(
                "{n_steps} steps are asked for, and 1 to {} are possible",
                config.num_train_timesteps
            )));
        }
        let mut made = match (sampler, schedule) {
            (Sampler::Ddim, Schedule::Normal) => strides::ddim(config, n_steps),
            // Its first step is of a kind of its own, wherever the run begins.
            (Sampler::Pndm, Schedule::Normal) => return Ok(strides::pndm(config, n_steps, n_skipped)),
            (Sampler::Ddpm, Schedule::Normal) => strides::ddpm(config, n_steps),
            (Sampler::Lcm, Schedule::Normal) => strides::lcm(config, n_steps),
            (Sampler::Tcd, Schedule::Normal) => strides::tcd(config, n_steps),
            _ => levels::chain(config, sampler, schedule, n_steps),
        };
        made.steps.drain(..n_skipped);
        within::fill(&mut made.steps, config, sampler);
        Ok(made)
    }
}

/// The standard deviation of clean latent and noise together. Schedulers that keep it at 1 (DDIM, DPM++)
/// start from plain noise, which is noise times this in the terms used here.
fn total_deviation(sigma: f64) -> f64 {
    (sigma * sigma + 1.0).sqrt()
}

#[cfg(test)]
mod tests;
