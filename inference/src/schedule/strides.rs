//! Schedulers of whole training timesteps: DDIM, PNDM, DDPM, LCM and TCD.

use super::config::SchedulerConfig;
use super::levels::steps;
use super::{NoiseSchedule, Step, TrainingNoise, Within, spacing, total_deviation};

/// `DDIMScheduler.set_timesteps`, and which level its `step` goes to.
pub fn ddim(config: &SchedulerConfig, n_steps: usize) -> NoiseSchedule {
    let stride = Stride::new(config, n_steps, true);
    let steps = spacing::whole(config, n_steps).into_iter().map(|timestep| stride.step(timestep)).collect();
    from_plain_noise(steps)
}

/// `PNDMScheduler.set_timesteps`, without what an image-to-image pipeline skips of it.
///
/// diffusers counts the two calls of the first step as two of its timesteps, and skips as many of these as it is told: a
/// run that begins later begins one step noisier than with other samplers, and leaves out a level on its way.
pub fn pndm(config: &SchedulerConfig, n_steps: usize, n_skipped: usize) -> NoiseSchedule {
    let stride = Stride::new(config, n_steps, false);
    let timesteps = spacing::whole(config, n_steps);
    if !config.skip_prk_steps && n_skipped == 0 && n_steps > N_RUNGE_KUTTA {
        return from_plain_noise(runge_kutta(&stride, &timesteps));
    }
    // The second timestep stands twice; what a later start skips is counted in this list.
    let repeated = timesteps.iter().skip(1).take(1);
    let calls: Vec<f64> =
        timesteps.iter().take(1).chain(repeated).chain(timesteps.iter().skip(1)).copied().collect();
    let calls = &calls[n_skipped..];
    let mut first = stride.step(calls[0]);
    first.within = calls.get(1).map(|&timestep| Within {
        timestep,
        sigma: stride.sigma(timestep),
        again_from: stride.sigma(timestep + stride.length),
    });
    let rest = calls.iter().skip(2).map(|&timestep| stride.step(timestep));
    from_plain_noise([first].into_iter().chain(rest).collect())
}

/// How many steps of the fourth order PNDM begins with where its config asks for them.
const N_RUNGE_KUTTA: usize = 3;

/// Steps that are crossed by way of their middle at first, for a history to begin with.
fn runge_kutta(stride: &Stride, timesteps: &[f64]) -> Vec<Step> {
    let half = (stride.length / 2.0).floor();
    let mut steps: Vec<Step> = timesteps.iter().map(|&timestep| stride.step(timestep)).collect();
    for step in steps.iter_mut().take(N_RUNGE_KUTTA) {
        let timestep = step.timestep - half;
        step.within = Some(Within { timestep, sigma: stride.sigma(timestep), again_from: step.sigma });
    }
    steps
}

/// `DDPMScheduler.set_timesteps`.
pub fn ddpm(config: &SchedulerConfig, n_steps: usize) -> NoiseSchedule {
    let timesteps = spacing::whole(config, n_steps);
    let training = TrainingNoise::with_distant_end(config);
    let sigmas: Vec<f64> = timesteps.iter().map(|&timestep| training.sigma(timestep)).collect();
    from_plain_noise(steps(&timesteps, &sigmas, 0.0))
}

/// `LCMScheduler.set_timesteps`.
pub fn lcm(config: &SchedulerConfig, n_steps: usize) -> NoiseSchedule {
    distilled(config, n_steps, 0.0)
}

/// `TCDScheduler.set_timesteps`: its last step ends at the lowest training level.
pub fn tcd(config: &SchedulerConfig, n_steps: usize) -> NoiseSchedule {
    distilled(config, n_steps, TrainingNoise::new(config).sigma_min())
}

fn distilled(config: &SchedulerConfig, n_steps: usize, last: f64) -> NoiseSchedule {
    let timesteps = spacing::distilled(config, n_steps);
    let training = TrainingNoise::with_distant_end(config);
    let sigmas: Vec<f64> = timesteps.iter().map(|&timestep| training.sigma(timestep)).collect();
    from_plain_noise(steps(&timesteps, &sigmas, last))
}

fn from_plain_noise(steps: Vec<Step>) -> NoiseSchedule {
    let initial_scale = total_deviation(steps[0].sigma);
    NoiseSchedule { steps, initial_scale }
}

/// The stride of DDIM and PNDM is the same for every step, whatever the spacing: a step may end a little beside where
/// the next one begins, and with `linspace` most do.
struct Stride {
    training: TrainingNoise,
    /// In timesteps.
    length: f64,
    /// Where a step ends that goes below timestep 0.
    last: f64,
}

impl Stride {
    fn new(config: &SchedulerConfig, n_steps: usize, set_alpha_to_one: bool) -> Self {
        let training = TrainingNoise::with_distant_end(config);
        let ends_clean = config.set_alpha_to_one.unwrap_or(set_alpha_to_one);
        let last = if ends_clean { 0.0 } else { training.sigma(0.0) };
        Self { training, length: (config.num_train_timesteps / n_steps) as f64, last }
    }

    fn sigma(&self, timestep: f64) -> f64 {
        self.training.sigma(timestep)
    }

    fn step(&self, timestep: f64) -> Step {
        let next = timestep - self.length;
        let sigma_next = if next < 0.0 { self.last } else { self.sigma(next) };
        Step { timestep, sigma: self.sigma(timestep), sigma_next, within: None }
    }
}
