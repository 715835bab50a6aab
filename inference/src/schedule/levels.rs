//! Levels that follow one another: each step begins where the one before ended.

use types::sampler::{Sampler, Schedule};

use super::config::{BetaSchedule, FinalSigma, SchedulerConfig, TimestepSpacing};
use super::{NoiseSchedule, Step, TrainingNoise, spacing, total_deviation};

/// The steps of every sampler and schedule but those in `strides`.
pub fn chain(
    config: &SchedulerConfig,
    sampler: Sampler,
    schedule: Schedule,
    n_steps: usize,
) -> NoiseSchedule {
    let training = TrainingNoise::new(config);
    let is_fractional = is_fractional(sampler);
    let (timesteps, sigmas) = match schedule {
        Schedule::Normal => {
            let timesteps = if is_fractional {
                spacing::euler(config, n_steps)
            } else {
                let limit = config.lambda_min_clipped.filter(|_| sampler != Sampler::UniPc);
                spacing::multistep(config, training.n_above_lambda(limit), n_steps)
            };
            at_timesteps(timesteps, |timestep| training.sigma(timestep))
        }
        Schedule::Karras | Schedule::Exponential | Schedule::Beta => {
            let (low, high) = if is_fractional {
                let timesteps = spacing::euler(config, n_steps);
                (training.sigma(timesteps[n_steps - 1]), training.sigma(timesteps[0]))
            } else {
                (training.sigma_min(), training.sigma_max())
            };
            let sigmas = match schedule {
                Schedule::Karras => spacing::karras(low, high, n_steps),
                Schedule::Exponential => spacing::exponential(low, high, n_steps),
                _ => spacing::beta(low, high, n_steps),
            };
            let whole = rounding(config, sampler, schedule);
            (sigmas.iter().map(|&sigma| whole(training.timestep(sigma))).collect(), sigmas)
        }
        Schedule::SgmUniform => at_timesteps(spacing::sgm_uniform(config, n_steps), |timestep| {
            training.sigma_by_logarithm(timestep)
        }),
        Schedule::Simple => {
            at_timesteps(spacing::simple(config, n_steps), |timestep| training.sigma(timestep))
        }
        Schedule::AlignYourSteps => {
            let sigmas = spacing::align_your_steps(config.aligned_for, n_steps);
            (sigmas.iter().map(|&sigma| training.timestep(sigma)).collect(), sigmas)
        }
    };
    let last = match config.final_sigma {
        FinalSigma::SigmaMin if ends_as_configured(sampler) => training.sigma_min(),
        _ => 0.0,
    };
    let initial_scale = match config.spacing_or(TimestepSpacing::Linspace) {
        // The largest of the levels, which diffusers keeps in f32.
        TimestepSpacing::Linspace | TimestepSpacing::Trailing if is_fractional => f64::from(sigmas[0] as f32),
        _ => total_deviation(sigmas[0]),
    };
    NoiseSchedule { steps: steps(&timesteps, &sigmas, last), initial_scale }
}

/// Steps from level to level, and in the end to `last` or where the lowest is lower still.
pub fn steps(timesteps: &[f64], sigmas: &[f64], last: f64) -> Vec<Step> {
    // diffusers keeps its levels in f32.
    let sigmas: Vec<f64> = sigmas.iter().map(|&sigma| f64::from(sigma as f32)).collect();
    let last = sigmas.last().map_or(last, |&lowest| last.min(lowest));
    let nexts = sigmas.iter().skip(1).copied().chain([last]);
    timesteps
        .iter()
        .zip(&sigmas)
        .zip(nexts)
        .map(|((&timestep, &sigma), sigma_next)| Step { timestep, sigma, sigma_next, within: None })
        .collect()
}

fn at_timesteps(timesteps: Vec<f64>, sigma: impl Fn(f64) -> f64) -> (Vec<f64>, Vec<f64>) {
    let sigmas = timesteps.iter().map(|&timestep| sigma(timestep)).collect();
    (timesteps, sigmas)
}

/// Samplers whose schedulers in diffusers are built like Euler's: fractional timesteps, and a latent that is not kept at
/// deviation 1.
fn is_fractional(sampler: Sampler) -> bool {
    match sampler {
        Sampler::Euler
        | Sampler::EulerAncestral
        | Sampler::Heun
        | Sampler::Lms
        | Sampler::Dpm2
        | Sampler::Dpm2Ancestral
        | Sampler::DpmPlusPlus2SAncestral
        | Sampler::DpmPlusPlusSde => true,
        Sampler::Ddim
        | Sampler::Ddpm
        | Sampler::Pndm
        | Sampler::DpmPlusPlus2M
        | Sampler::DpmPlusPlus2MSde
        | Sampler::DpmPlusPlus3MSde
        | Sampler::UniPc
        | Sampler::Lcm
        | Sampler::Tcd => false,
    }
}

/// Samplers whose schedulers know `final_sigmas_type`.
fn ends_as_configured(sampler: Sampler) -> bool {
    matches!(
        sampler,
        Sampler::Euler
            | Sampler::DpmPlusPlus2M
            | Sampler::DpmPlusPlus2MSde
            | Sampler::DpmPlusPlus3MSde
            | Sampler::UniPc
    )
}

/// What diffusers makes of the timestep that it finds for a level.
fn rounding(config: &SchedulerConfig, sampler: Sampler, schedule: Schedule) -> fn(f64) -> f64 {
    let is_cosine = config.beta_schedule == BetaSchedule::SquaredcosCapV2;
    match (sampler, schedule) {
        (Sampler::Dpm2 | Sampler::Dpm2Ancestral | Sampler::UniPc, Schedule::Karras) => f64::round_ties_even,
        _ if is_fractional(sampler) => |timestep| f64::from(timestep as f32),
        (_, Schedule::Karras) if !is_cosine => f64::round_ties_even,
        // Left unrounded, and then cut off as integers are made of them.
        _ => f64::trunc,
    }
}
