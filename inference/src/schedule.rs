//! Noise levels: which ones a sampler walks, and by which timestep the network knows each.
//!
//! The measure is diffusers: for the same `scheduler_config.json` and number of steps the levels and
//! timesteps here are those of its scheduler for the sampler in question. The schedulers differ in
//! details that can be seen in a picture, so these are kept:
//!
//! | sampler | scheduler | normal | Karras |
//! | --- | --- | --- | --- |
//! | DPM++ 2M | `DPMSolverMultistepScheduler` | divides into one step more, whole timesteps | from the whole range of training levels, whole timesteps |
//! | Euler | `EulerDiscreteScheduler` | fractional timesteps | from the range that normal spacing has, fractional timesteps |
//! | Euler ancestral | `EulerAncestralDiscreteScheduler` | as Euler | as Euler (diffusers has none) |
//! | DDIM | `DDIMScheduler` | whole timesteps, constant stride | as DPM++ 2M, of which DDIM is the first-order case |
//!
//! k-diffusion (and with it the AUTOMATIC1111 web UI) starts Karras spacing from levels of its own and never
//! rounds a timestep: its pictures differ slightly from these, by design.

mod config;
mod spacing;
mod training;

pub use config::{BetaSchedule, PredictionType, SchedulerConfig, TimestepSpacing};
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
}

/// All steps of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct NoiseSchedule {
    /// The steps in order, falling. Each begins where the one before ends, and the last ends in zero; only
    /// with DDIM a step may begin elsewhere, and the last may end at the lowest training level.
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
        if n_steps == 0 || n_steps > config.num_train_timesteps {
            return Err(Error::Schedule(format!(
                "{n_steps} steps are asked for, and 1 to {} are possible",
                config.num_train_timesteps
            )));
        }
        let training = TrainingNoise::new(config);
        Ok(match (sampler, schedule) {
            (Sampler::Ddim, Schedule::Normal) => ddim(config, &training, n_steps),
            (Sampler::DpmPlusPlus2M, Schedule::Normal) => multistep(config, &training, n_steps),
            (Sampler::DpmPlusPlus2M | Sampler::Ddim, Schedule::Karras) => {
                multistep_karras(config, &training, n_steps)
            }
            (Sampler::Euler | Sampler::EulerAncestral, _) => euler(config, &training, schedule, n_steps),
        })
    }

    /// All noise levels: where each step begins, then where the last one ends.
    pub fn sigmas(&self) -> Vec<f64> {
        let last = self.steps.last().map(|step| step.sigma_next);
        self.steps.iter().map(|step| step.sigma).chain(last).collect()
    }

    /// Steps from level to level, and in the end to zero.
    fn chain(timesteps: &[f64], sigmas: &[f64], initial_scale: f64) -> Self {
        // diffusers keeps its levels in f32.
        let sigmas: Vec<f64> = sigmas.iter().map(|&sigma| f64::from(sigma as f32)).collect();
        let nexts = sigmas.iter().skip(1).copied().chain([0.0]);
        let steps = timesteps
            .iter()
            .zip(&sigmas)
            .zip(nexts)
            .map(|((&timestep, &sigma), sigma_next)| Step { timestep, sigma, sigma_next })
            .collect();
        Self { steps, initial_scale }
    }
}

/// The standard deviation of clean latent and noise together. Schedulers that keep it at 1 (DDIM, DPM++)
/// start from plain noise, which is noise times this in the terms used here.
fn total_deviation(sigma: f64) -> f64 {
    (sigma * sigma + 1.0).sqrt()
}

/// `DPMSolverMultistepScheduler.set_timesteps` without Karras.
fn multistep(config: &SchedulerConfig, training: &TrainingNoise, n_steps: usize) -> NoiseSchedule {
    let timesteps = spacing::multistep(config, training.n_above_lambda(config.lambda_min_clipped), n_steps);
    let sigmas: Vec<f64> = timesteps.iter().map(|&timestep| training.sigma(timestep)).collect();
    NoiseSchedule::chain(&timesteps, &sigmas, total_deviation(sigmas[0]))
}

/// `DPMSolverMultistepScheduler.set_timesteps` with `use_karras_sigmas`.
fn multistep_karras(config: &SchedulerConfig, training: &TrainingNoise, n_steps: usize) -> NoiseSchedule {
    let sigmas = spacing::karras(training.sigma_min(), training.sigma_max(), n_steps);
    let timesteps: Vec<f64> = sigmas
        .iter()
        .map(|&sigma| match config.beta_schedule {
            // diffusers leaves these unrounded, and then cuts them off as it makes integers of them.
            BetaSchedule::SquaredcosCapV2 => training.timestep(sigma).trunc(),
            BetaSchedule::Linear | BetaSchedule::ScaledLinear => training.timestep(sigma).round_ties_even(),
        })
        .collect();
    NoiseSchedule::chain(&timesteps, &sigmas, total_deviation(sigmas[0]))
}

/// `EulerDiscreteScheduler.set_timesteps`, and its `init_noise_sigma`.
fn euler(
    config: &SchedulerConfig,
    training: &TrainingNoise,
    schedule: Schedule,
    n_steps: usize,
) -> NoiseSchedule {
    let timesteps = spacing::euler(config, n_steps);
    let sigmas: Vec<f64> = timesteps.iter().map(|&timestep| training.sigma(timestep)).collect();
    let (timesteps, sigmas) = match schedule {
        Schedule::Normal => (timesteps, sigmas),
        Schedule::Karras => {
            let sigmas = spacing::karras(sigmas[n_steps - 1], sigmas[0], n_steps);
            let timesteps = sigmas.iter().map(|&sigma| f64::from(training.timestep(sigma) as f32));
            (timesteps.collect(), sigmas)
        }
    };
    let initial_scale = match config.spacing_or(TimestepSpacing::Linspace) {
        TimestepSpacing::Leading => total_deviation(sigmas[0]),
        // The largest of the levels, which diffusers keeps in f32.
        TimestepSpacing::Linspace | TimestepSpacing::Trailing => f64::from(sigmas[0] as f32),
    };
    NoiseSchedule::chain(&timesteps, &sigmas, initial_scale)
}

/// `DDIMScheduler.set_timesteps`, and which level its `step` goes to.
fn ddim(config: &SchedulerConfig, training: &TrainingNoise, n_steps: usize) -> NoiseSchedule {
    // The stride is the same for every step, whatever the spacing: a step may end a little beside where
    // the next one begins, and with `linspace` most do.
    let stride = (config.num_train_timesteps / n_steps) as f64;
    let last = if config.set_alpha_to_one { 0.0 } else { training.sigma(0.0) };
    let steps: Vec<Step> = spacing::ddim(config, n_steps)
        .into_iter()
        .map(|timestep| Step {
            timestep,
            sigma: training.sigma(timestep),
            sigma_next: if timestep < stride { last } else { training.sigma(timestep - stride) },
        })
        .collect();
    let initial_scale = total_deviation(steps[0].sigma);
    NoiseSchedule { steps, initial_scale }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACINGS: [Option<TimestepSpacing>; 4] = [
        None,
        Some(TimestepSpacing::Linspace),
        Some(TimestepSpacing::Leading),
        Some(TimestepSpacing::Trailing),
    ];

    fn for_every_schedule(check: impl Fn(&NoiseSchedule, Sampler, Schedule, usize)) {
        for timestep_spacing in SPACINGS {
            let config = SchedulerConfig { timestep_spacing, steps_offset: 1, ..SchedulerConfig::default() };
            for sampler in Sampler::ALL {
                for schedule in Schedule::ALL {
                    for n_steps in 1..=150 {
                        let made = NoiseSchedule::new(&config, sampler, schedule, n_steps).unwrap();
                        check(&made, sampler, schedule, n_steps);
                    }
                }
            }
        }
    }

    #[test]
    fn every_schedule_has_as_many_steps_as_asked_for() {
        for_every_schedule(|made, _, _, n_steps| assert_eq!(made.steps.len(), n_steps));
    }

    #[test]
    fn every_schedule_falls_strictly_and_ends_in_zero() {
        for_every_schedule(|made, sampler, schedule, n_steps| {
            let sigmas = made.sigmas();
            assert!(sigmas.is_sorted_by(|a, b| a > b), "{sampler} {schedule} {n_steps}: {sigmas:?}");
            // With trailing spacing DDIM's stride may lead to timestep 0 exactly, which has a level of its own.
            let lowest = TrainingNoise::new(&SchedulerConfig::default()).sigma_min();
            let ends_well =
                |last: f64| last.abs() < 1e-12 || (sampler == Sampler::Ddim && (last - lowest).abs() < 1e-12);
            assert!(sigmas.last().copied().is_some_and(ends_well), "{sampler} {schedule} {n_steps}");
        });
    }

    #[test]
    fn timesteps_fall_and_stay_in_the_training_range() {
        for_every_schedule(|made, sampler, schedule, n_steps| {
            let timesteps: Vec<f64> = made.steps.iter().map(|step| step.timestep).collect();
            // Karras levels may lie closer than the whole timesteps they are rounded to.
            assert!(timesteps.is_sorted_by(|a, b| a >= b), "{sampler} {schedule} {n_steps}: {timesteps:?}");
            assert!(timesteps.iter().all(|t| (0.0..=999.0).contains(t)), "{timesteps:?}");
        });
    }

    #[test]
    fn ddim_stops_at_the_lowest_training_level_when_the_config_says_so() {
        let config = SchedulerConfig { set_alpha_to_one: false, ..SchedulerConfig::default() };
        let made = NoiseSchedule::new(&config, Sampler::Ddim, Schedule::Normal, 10).unwrap();
        let lowest = TrainingNoise::new(&config).sigma_min();
        assert_eq!(made.sigmas().last(), Some(&lowest));
    }

    #[test]
    fn an_impossible_number_of_steps_is_refused_with_the_range() {
        for n_steps in [0, 1001] {
            let error =
                NoiseSchedule::new(&SchedulerConfig::default(), Sampler::Euler, Schedule::Normal, n_steps)
                    .unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "noise levels are unusable: {n_steps} steps are asked for, and 1 to 1000 are possible"
                )
            );
        }
    }
}
