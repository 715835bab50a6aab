//! Which timesteps and levels of all are visited.
//!
//! "linspace", "leading" and "trailing" are the rows of Table 2 in Lin et al. 2023, arXiv:2305.08891.

use super::config::{SchedulerConfig, TimestepSpacing};

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

/// Timesteps of `DDIMScheduler`: whole.
pub fn ddim(config: &SchedulerConfig, n_steps: usize) -> Vec<f64> {
    let n = config.num_train_timesteps;
    match config.spacing_or(TimestepSpacing::Leading) {
        TimestepSpacing::Linspace => {
            linspace((n - 1) as f64, n_steps).into_iter().rev().map(f64::round_ties_even).collect()
        }
        TimestepSpacing::Leading => leading(n / n_steps, n_steps, config.steps_offset),
        TimestepSpacing::Trailing => trailing(n, n, n_steps),
    }
}

/// Timesteps of `DPMSolverMultistepScheduler`: whole, and but for `trailing` from a division into one step
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
