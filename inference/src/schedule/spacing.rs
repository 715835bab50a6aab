//! Which timesteps and levels of all are visited.
//!
//! "linspace", "leading" and "trailing" are the rows of Table 2 in Lin et al. 2023, arXiv:2305.08891.

use super::beta_distribution;
use super::config::{AlignedFor, SchedulerConfig, TimestepSpacing};

/// Timesteps of `EulerDiscreteScheduler`: fractional with `linspace`.
pub fn euler(config: &SchedulerConfig, n_steps: usize) -> Vec<f64> {
    let n = config.num_train_timesteps;
    match config.spacing_or(TimestepSpacing::Linspace) {
        TimestepSpacing::Linspace => {
            linspace((n - 1) as f64, n_steps).into_iter().rev().map(|t| f64::from(t as f32)).collect()
        }
        TimestepSpacing::Leading => leading(n / n_steps, n_steps, config.steps_offset),
        TimestepSpacing::Trailing => trailing(n, n, n_steps),
    }
}

/// Timesteps of `DDIMScheduler`, `DDPMScheduler` and `PNDMScheduler`: whole.
pub fn whole(config: &SchedulerConfig, n_steps: usize) -> Vec<f64> {
    let n = config.num_train_timesteps;
    match config.spacing_or(TimestepSpacing::Leading) {
        TimestepSpacing::Linspace => {
            linspace((n - 1) as f64, n_steps).into_iter().rev().map(f64::round_ties_even).collect()
        }
        TimestepSpacing::Leading => leading(n / n_steps, n_steps, config.steps_offset),
        TimestepSpacing::Trailing => trailing(n, n, n_steps),
    }
}

/// Timesteps of `LCMScheduler` and `TCDScheduler`: evenly chosen of `original_inference_steps` even ones; of as many as
/// are asked for if these are more, which diffusers refuses.
pub fn distilled(config: &SchedulerConfig, n_steps: usize) -> Vec<f64> {
    let n_original = config.original_inference_steps.max(n_steps);
    let stride = config.num_train_timesteps / n_original;
    // `numpy.linspace` without its end, cut off.
    let skip = n_original as f64 / n_steps as f64;
    (0..n_steps).map(|i| ((n_original - (i as f64 * skip) as usize) * stride - 1) as f64).collect()
}

/// Timesteps of `DPMSolverMultistepScheduler` and `UniPCMultistepScheduler`: whole, and but for `trailing` from a division into one step
/// more, of which the lowest is left out. `n_usable` counts the timesteps that are not too noisy.
pub fn multistep(config: &SchedulerConfig, n_usable: usize, n_steps: usize) -> Vec<f64> {
    match config.spacing_or(TimestepSpacing::Linspace) {
        TimestepSpacing::Linspace => {
            let all = linspace(n_usable.saturating_sub(1) as f64, n_steps + 1);
            all.into_iter().rev().take(n_steps).map(f64::round_ties_even).collect()
        }
        TimestepSpacing::Leading => {
            let mut all = leading(n_usable / (n_steps + 1), n_steps + 1, config.steps_offset);
            all.truncate(n_steps);
            all
        }
        TimestepSpacing::Trailing => trailing(n_usable, config.num_train_timesteps, n_steps),
    }
}

/// Levels spaced evenly in σ^(1/7), from the highest to the lowest.
///
/// # Source
/// Karras et al. 2022, arXiv:2206.00364, equation 5 with ρ = 7, without its final zero.
pub fn karras(sigma_min: f64, sigma_max: f64, n_steps: usize) -> Vec<f64> {
    const RHO: f64 = 7.0;
    let (high, low) = (sigma_max.powf(1.0 / RHO), sigma_min.powf(1.0 / RHO));
    linspace(1.0, n_steps).into_iter().map(|ramp| (high + ramp * (low - high)).powf(RHO)).collect()
}

/// Levels of which each is the same share of the one before, from the highest to the lowest.
pub fn exponential(sigma_min: f64, sigma_max: f64, n_steps: usize) -> Vec<f64> {
    let (high, low) = (sigma_max.ln(), sigma_min.ln());
    linspace(1.0, n_steps).into_iter().map(|ramp| (high + ramp * (low - high)).exp()).collect()
}

/// Levels at evenly spaced quantiles of the beta distribution with α = β = 0.6, from the highest to the lowest.
///
/// # Source
/// Lee et al. 2024, arXiv:2407.12173, in the form that diffusers gives it; ComfyUI spaces timesteps, not levels.
pub fn beta(sigma_min: f64, sigma_max: f64, n_steps: usize) -> Vec<f64> {
    let quantiles = linspace(1.0, n_steps).into_iter().map(|share| beta_distribution::quantile(1.0 - share));
    quantiles.map(|quantile| sigma_min + quantile * (sigma_max - sigma_min)).collect()
}

/// Timesteps from the last towards the first, which is left out: fractional.
///
/// # Source
/// `normal_scheduler` with `sgm` in ComfyUI.
pub fn sgm_uniform(config: &SchedulerConfig, n_steps: usize) -> Vec<f64> {
    let last = (config.num_train_timesteps - 1) as f64;
    let mut all = linspace(last, n_steps + 1);
    all.reverse();
    all.truncate(n_steps);
    all
}

/// Every so many of the training timesteps, counted from the last: whole.
///
/// # Source
/// `simple_scheduler` in ComfyUI.
pub fn simple(config: &SchedulerConfig, n_steps: usize) -> Vec<f64> {
    let n = config.num_train_timesteps;
    let stride = n as f64 / n_steps as f64;
    (0..n_steps).map(|i| (n - 1) as f64 - (i as f64 * stride).floor()).collect()
}

/// Levels that were found by optimisation for ten steps, interpolated in ln σ for other numbers. They do not depend on
/// the training betas: both tables are for those of Stable Diffusion.
///
/// # Source
/// Sabour et al. 2024, arXiv:2404.14507; the tables with all their digits as ComfyUI has them.
pub fn align_your_steps(table: AlignedFor, n_steps: usize) -> Vec<f64> {
    let levels: [f64; 11] = match table {
        AlignedFor::StableDiffusion => [
            14.614_641_229_3,
            6.474_576_095_6,
            3.863_674_598_5,
            2.694_615_152_0,
            1.884_192_117_7,
            1.394_380_509_2,
            0.964_258_390_4,
            0.652_368_601_6,
            0.397_745_627_2,
            0.151_523_266_2,
            0.029_167_158_2,
        ],
        AlignedFor::StableDiffusionXl => [
            14.614_641_229_3,
            6.318_448_528_7,
            3.768_179_031_5,
            2.181_148_076_9,
            1.340_524_494_5,
            0.862_072_114_1,
            0.555_069_328_9,
            0.379_854_070_8,
            0.233_236_413_4,
            0.111_418_817_7,
            0.029_167_158_2,
        ],
    };
    let last = (levels.len() - 1) as f64;
    // The lowest of the interpolated levels makes room for zero.
    linspace(last, n_steps + 1)
        .into_iter()
        .take(n_steps)
        .map(|at| {
            let low = at as usize;
            let (above, below) = (levels[low].ln(), levels[(low + 1).min(levels.len() - 1)].ln());
            (above + (below - above) * (at - low as f64)).exp()
        })
        .collect()
}

/// `numpy.linspace(0, end, n)`.
fn linspace(end: f64, n: usize) -> Vec<f64> {
    let stride = end / n.saturating_sub(1).max(1) as f64;
    let mut values: Vec<f64> = (0..n).map(|i| i as f64 * stride).collect();
    if n > 1 {
        values[n - 1] = end;
    }
    values
}

/// Multiples of `stride` from 0 on, shifted by `offset`, falling.
fn leading(stride: usize, n: usize, offset: usize) -> Vec<f64> {
    (0..n).rev().map(|i| (i * stride + offset) as f64).collect()
}

/// From the last timestep down in equal strides.
///
/// For a few counts (61, 103, 121 and 122 of 1000) rounding makes diffusers add a step at timestep -1;
/// that one is left out here.
fn trailing(last: usize, n_train: usize, n_steps: usize) -> Vec<f64> {
    // `numpy.arange` measures its stride between its first two values.
    let last = last as f64;
    let stride = (last - n_train as f64 / n_steps as f64) - last;
    (0..n_steps).map(|i| (last + i as f64 * stride).round_ties_even() - 1.0).collect()
}
