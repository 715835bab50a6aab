//! Where samplers go within a step.

use types::sampler::Sampler;

use super::config::SchedulerConfig;
use super::{Step, TrainingNoise, Within};
use crate::samplers::{TCD_GAMMA, ancestral_split};

/// Gives each step its second level, if the sampler has one.
pub fn fill(steps: &mut [Step], config: &SchedulerConfig, sampler: Sampler) {
    let training = TrainingNoise::new(config);
    match sampler {
        Sampler::Heun => at_the_end(steps),
        Sampler::Pndm => {
            let n_first = steps.len().min(2);
            at_the_end(&mut steps[..n_first]);
        }
        Sampler::Dpm2 | Sampler::DpmPlusPlusSde => in_the_middle(steps, &training, |step| step.sigma_next),
        Sampler::Dpm2Ancestral | Sampler::DpmPlusPlus2SAncestral => {
            in_the_middle(steps, &training, |step| ancestral_split(step.sigma, step.sigma_next).0);
        }
        Sampler::Tcd => short_of_the_end(steps, &training),
        Sampler::Ddim
        | Sampler::Ddpm
        | Sampler::Lms
        | Sampler::Euler
        | Sampler::EulerAncestral
        | Sampler::DpmPlusPlus2M
        | Sampler::DpmPlusPlus2MSde
        | Sampler::DpmPlusPlus3MSde
        | Sampler::UniPc
        | Sampler::Lcm => {}
    }
}

/// Where the next step begins. The last step has no such place.
fn at_the_end(steps: &mut [Step]) {
    let nexts: Vec<Step> = steps.iter().skip(1).copied().collect();
    for (step, next) in steps.iter_mut().zip(nexts) {
        step.within = Some(Within { timestep: next.timestep, sigma: next.sigma, again_from: step.sigma });
    }
}

/// Halfway to a level in ln σ. There is no such place on the way to zero.
fn in_the_middle(steps: &mut [Step], training: &TrainingNoise, target: impl Fn(&Step) -> f64) {
    for step in steps {
        let sigma = (step.sigma * target(step)).sqrt();
        if sigma > 0.0 {
            step.within = Some(Within { timestep: training.timestep(sigma), sigma, again_from: step.sigma });
        }
    }
}

/// A share of the timesteps that are left, rounded down.
fn short_of_the_end(steps: &mut [Step], training: &TrainingNoise) {
    let nexts: Vec<f64> = steps.iter().skip(1).map(|step| step.timestep).chain([0.0]).collect();
    for (step, next) in steps.iter_mut().zip(nexts) {
        if step.sigma_next > 0.0 {
            // torch multiplies in f32 here, which decides what is rounded down.
            let timestep = f64::from(((1.0 - TCD_GAMMA) as f32 * next as f32).floor());
            let sigma = training.sigma(timestep).min(step.sigma_next);
            step.within = Some(Within { timestep, sigma, again_from: step.sigma });
        }
    }
}
