//! The noise levels that a network was trained with.

use super::config::{BetaSchedule, SchedulerConfig};

/// The noise level of every training timestep, in rising order.
///
/// Computed in f32 where diffusers does so, since rounding decides which whole timestep a level gets.
#[derive(Debug, Clone)]
pub struct TrainingNoise {
    sigmas: Vec<f32>,
    log_sigmas: Vec<f32>,
}

impl TrainingNoise {
    /// Levels from the config's betas.
    ///
    /// # Source
    /// Ho et al. 2020 (linear), Rombach et al. 2022 (scaled linear), Nichol and Dhariwal 2021 (cosine), as
    /// in diffusers' schedulers; a published port divides integers in the last of them, and so gets it wrong.
    pub fn new(config: &SchedulerConfig) -> Self {
        // diffusers puts this for the level of pure noise, which is infinite.
        Self::with_pure_noise(config, f32::from_bits(0x3380_0000))
    }

    /// Levels as schedulers have them that count in latents of deviation 1, where pure noise is a number like any
    /// other: so far up that nothing of the signal is seen.
    pub(super) fn with_distant_end(config: &SchedulerConfig) -> Self {
        const SIGMA: f32 = 1_048_576.0;
        Self::with_pure_noise(config, 1.0 / (SIGMA * SIGMA + 1.0))
    }

    /// `alpha_bar` is the share of signal at the last timestep, if the config asks for none.
    fn with_pure_noise(config: &SchedulerConfig, alpha_bar: f32) -> Self {
        let betas = betas(config);
        let mut alphas_cumprod = products(&betas);
        if config.rescale_betas_zero_snr {
            alphas_cumprod = products(&rescaled(&alphas_cumprod));
            if let Some(last) = alphas_cumprod.last_mut() {
                *last = alpha_bar;
            }
        }
        let sigmas: Vec<f32> =
            alphas_cumprod.into_iter().map(|alpha_bar| ((1.0 - alpha_bar) / alpha_bar).sqrt()).collect();
        let log_sigmas = sigmas.iter().map(|&sigma| f64::from(sigma).ln() as f32).collect();
        Self { sigmas, log_sigmas }
    }

    /// The lowest level, at timestep 0.
    pub fn sigma_min(&self) -> f64 {
        f64::from(self.sigmas[0])
    }

    /// The highest level, at the last timestep.
    pub fn sigma_max(&self) -> f64 {
        f64::from(self.sigmas[self.last()])
    }

    /// The level at a timestep, linear in between; at the ends it stays.
    pub fn sigma(&self, timestep: f64) -> f64 {
        let at = timestep.clamp(0.0, self.last() as f64);
        let low = at as usize;
        let below = f64::from(self.sigmas[low]);
        match self.sigmas.get(low + 1) {
            Some(&above) => (f64::from(above) - below) * (at - low as f64) + below,
            None => below,
        }
    }

    /// The level at a timestep, linear in ln σ in between: how k-diffusion reads its table.
    pub(super) fn sigma_by_logarithm(&self, timestep: f64) -> f64 {
        let at = timestep.clamp(0.0, self.last() as f64);
        let low = at as usize;
        let (below, above) = (self.log_sigmas[low], self.log_sigmas[(low + 1).min(self.last())]);
        (f64::from(below) + (f64::from(above) - f64::from(below)) * (at - low as f64)).exp()
    }

    /// The timestep at a level, linear in ln σ; at the ends it stays.
    pub fn timestep(&self, sigma: f64) -> f64 {
        let log_sigma = sigma.max(1e-10).ln();
        let n_not_above = self.log_sigmas.partition_point(|&level| f64::from(level) <= log_sigma);
        let low = n_not_above.saturating_sub(1).min(self.last().saturating_sub(1));
        let (below, above) = (self.log_sigmas[low], self.log_sigmas[(low + 1).min(self.last())]);
        let weight = ((f64::from(below) - log_sigma) / f64::from(below - above)).clamp(0.0, 1.0);
        (1.0 - weight) * low as f64 + weight * (low + 1) as f64
    }

    /// How many training timesteps have ln(1/σ) of at least `lambda_min`: all if there is no such limit.
    pub fn n_above_lambda(&self, lambda_min: Option<f64>) -> usize {
        let limit = lambda_min.unwrap_or(f64::NEG_INFINITY);
        self.log_sigmas.iter().filter(|&&log_sigma| -f64::from(log_sigma) >= limit).count()
    }

    fn last(&self) -> usize {
        self.sigmas.len() - 1
    }
}

/// The share of signal that is left at each timestep.
fn products(betas: &[f32]) -> Vec<f32> {
    let mut product = 1.0;
    betas
        .iter()
        .map(|&beta| {
            // torch multiplies in f64 here and stores each product in f32.
            product *= f64::from(1.0 - beta);
            product as f32
        })
        .collect()
}

/// Betas that leave no signal at the last timestep, and as much as before at the first.
///
/// # Source
/// Lin et al. 2023, arXiv:2305.08891, Algorithm 1; in f32, as diffusers computes it.
fn rescaled(alphas_cumprod: &[f32]) -> Vec<f32> {
    let roots: Vec<f32> = alphas_cumprod.iter().map(|alpha_bar| alpha_bar.sqrt()).collect();
    let (Some(&first), Some(&last)) = (roots.first(), roots.last()) else { return Vec::new() };
    let scale = first / (first - last);
    let shifted: Vec<f32> = roots.iter().map(|root| (root - last) * scale).map(|root| root * root).collect();
    let before = [1.0].into_iter().chain(shifted.iter().copied());
    shifted.iter().zip(before).map(|(alpha_bar, before)| 1.0 - alpha_bar / before).collect()
}

/// The share of noise that each training timestep adds.
fn betas(config: &SchedulerConfig) -> Vec<f32> {
    let n = config.num_train_timesteps;
    match config.beta_schedule {
        BetaSchedule::Linear => linspace_f32(config.beta_start, config.beta_end, n),
        BetaSchedule::ScaledLinear => linspace_f32(config.beta_start.sqrt(), config.beta_end.sqrt(), n)
            .into_iter()
            .map(|root| root * root)
            .collect(),
        BetaSchedule::SquaredcosCapV2 => {
            let alpha_bar = |index: usize| {
                let time = index as f64 / n as f64;
                ((time + 0.008) / 1.008 * std::f64::consts::FRAC_PI_2).cos().powi(2)
            };
            (0..n).map(|i| (1.0 - alpha_bar(i + 1) / alpha_bar(i)).min(0.999) as f32).collect()
        }
    }
}

/// `torch.linspace` in f32, which counts from whichever end is nearer.
fn linspace_f32(start: f64, end: f64, n: usize) -> Vec<f32> {
    let (start, end) = (start as f32, end as f32);
    let stride = (end - start) / n.saturating_sub(1).max(1) as f32;
    (0..n)
        .map(|i| {
            if i < n / 2 {
                stride.mul_add(i as f32, start)
            } else {
                (-stride).mul_add((n - 1 - i) as f32, end)
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_beta_schedule_rises_all_the_way() {
        for beta_schedule in [BetaSchedule::Linear, BetaSchedule::ScaledLinear, BetaSchedule::SquaredcosCapV2]
        {
            let noise = TrainingNoise::new(&SchedulerConfig { beta_schedule, ..SchedulerConfig::default() });
            assert_eq!(noise.sigmas.len(), 1000);
            assert!(noise.sigmas.is_sorted_by(|a, b| a < b), "{beta_schedule:?}");
        }
    }

    #[test]
    fn stable_diffusions_levels_run_from_0_0292_to_14_6() {
        let noise = TrainingNoise::new(&SchedulerConfig {
            beta_start: 0.00085,
            beta_end: 0.012,
            beta_schedule: BetaSchedule::ScaledLinear,
            ..SchedulerConfig::default()
        });
        assert!((noise.sigma_min() - 0.029_167).abs() < 1e-6, "{}", noise.sigma_min());
        assert!((noise.sigma_max() - 14.614_6).abs() < 1e-3, "{}", noise.sigma_max());
    }

    #[test]
    fn rescaled_betas_end_in_noise_alone_and_begin_as_before() {
        let config = SchedulerConfig {
            beta_start: 0.00085,
            beta_end: 0.012,
            beta_schedule: BetaSchedule::ScaledLinear,
            ..SchedulerConfig::default()
        };
        let rescaled = SchedulerConfig { rescale_betas_zero_snr: true, ..config.clone() };
        let (plain, made) = (TrainingNoise::new(&config), TrainingNoise::new(&rescaled));
        assert!((made.sigma_min() - plain.sigma_min()).abs() < 1e-5);
        assert!((made.sigma_max() - 4096.0).abs() < 1e-3, "{}", made.sigma_max());
        assert!(TrainingNoise::with_distant_end(&rescaled).sigma_max() > 1e6);
        assert!(made.sigmas.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn a_level_leads_back_to_its_timestep() {
        let noise = TrainingNoise::new(&SchedulerConfig::default());
        for timestep in [0.0, 1.0, 17.0, 500.0, 998.0, 999.0] {
            assert!((noise.timestep(noise.sigma(timestep)) - timestep).abs() < 1e-3);
        }
    }

    #[test]
    fn levels_outside_the_training_range_get_the_nearest_timestep() {
        let noise = TrainingNoise::new(&SchedulerConfig::default());
        let pairs = [
            (noise.timestep(1e-5), 0.0),
            (noise.timestep(1e5), 999.0),
            (noise.sigma(-1.0), noise.sigma_min()),
            (noise.sigma(2000.0), noise.sigma_max()),
        ];
        for (found, expected) in pairs {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
    }
}
