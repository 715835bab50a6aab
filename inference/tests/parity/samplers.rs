//! Our schedules and samplers are those of diffusers and k-diffusion, level by level and step by step.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use candle_core::{Device, Tensor};
use inference::Result;
use inference::denoiser::denoiser;
use inference::model_files::ModelFiles;
use inference::noise::NoiseGenerator;
use inference::samplers::sample;
use inference::schedule::{NoiseSchedule, SchedulerConfig};
use serde::Deserialize;
use types::noise::NoiseSource;
use types::sampler::{Sampler, Schedule};

use crate::reference::reference;

#[derive(Deserialize)]
struct Levels {
    config: serde_json::Value,
    sampler: Sampler,
    schedule: Schedule,
    n_steps: usize,
    timesteps: Vec<f64>,
    sigmas: Vec<f64>,
    /// The timesteps of second calls within a step.
    within: Vec<f64>,
    initial_scale: f64,
}

#[derive(Deserialize)]
struct Run {
    config: serde_json::Value,
    sampler: Sampler,
    schedule: Schedule,
    n_steps: usize,
    /// Whether the reference keeps its latents at deviation 1.
    is_scaled: bool,
    /// The latent after each step, or after the last alone.
    steps: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct FromPicture {
    config: serde_json::Value,
    sampler: Sampler,
    schedule: Schedule,
    n_steps: usize,
    strength: f64,
    is_scaled: bool,
    /// The clean latent under noise.
    start: Vec<f64>,
    end: Vec<f64>,
}

/// The config as a model's folder would bring it.
fn load(config: &serde_json::Value) -> SchedulerConfig {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("scheduler")).unwrap();
    std::fs::write(folder.path().join(SchedulerConfig::FILE), config.to_string()).unwrap();
    SchedulerConfig::load(&ModelFiles::folder(folder.path())).unwrap()
}

fn relative(found: f64, expected: f64) -> f64 {
    (found - expected).abs() / expected.abs().max(1e-9)
}

/// Whole timesteps have to be the same ones; others were rounded to f32.
fn assert_timestep(name: &str, found: f64, expected: f64) {
    let tolerance = if expected.fract().abs() < 1e-12 && found.fract().abs() < 1e-12 { 1e-12 } else { 1e-3 };
    assert!((found - expected).abs() < tolerance, "{name}: timestep {found} {expected}");
}

#[test]
fn every_schedule_has_the_timesteps_and_levels_of_diffusers() {
    let mut worst = 0.0f64;
    for case in reference::<Vec<Levels>>("schedule.json") {
        let name = format!("{} {} {} {}", case.sampler, case.schedule, case.n_steps, case.config);
        let made =
            NoiseSchedule::new(&load(&case.config), case.sampler, case.schedule, case.n_steps).unwrap();
        assert_eq!(made.steps.len(), case.timesteps.len(), "{name}");
        for (step, (&timestep, &sigma)) in made.steps.iter().zip(case.timesteps.iter().zip(&case.sigmas)) {
            assert_timestep(&name, step.timestep, timestep);
            worst = worst.max(relative(step.sigma, sigma));
            assert!(relative(step.sigma, sigma) < 1e-6, "{name}: {} {sigma}", step.sigma);
        }
        for (step, &timestep) in made.steps.iter().zip(&case.within) {
            assert_timestep(&name, step.within.unwrap().timestep, timestep);
        }
        assert!(relative(made.initial_scale, case.initial_scale) < 1e-6, "{name}");
    }
    println!("noise levels: greatest relative error {worst:.1e}");
}

/// Its counterpart is `predict` in `make_samplers.py`.
fn toy_network(x: &Tensor, timestep: f64) -> Result<Tensor> {
    Ok(((x * 0.6)? + (x.tanh()? * (0.3 * (timestep / 150.0).cos()))?)?)
}

/// The most that a latent may be off: in samplers that add no noise, and with torch's noise in those that do (Euler a,
/// DPM2 a, DPM++ 2S a, DPM++ SDE, DPM++ 2M SDE, DPM++ 3M SDE, DDPM, LCM, TCD).
const TOLERANCE: f64 = 1e-5;

#[test]
fn every_sampler_takes_the_steps_of_its_reference() {
    let mut worst: BTreeMap<&str, f64> = BTreeMap::new();
    for case in reference::<Vec<Run>>("samplers.json") {
        let name = format!("{} {} {} {}", case.sampler, case.schedule, case.n_steps, case.config);
        let config = load(&case.config);
        let made = NoiseSchedule::new(&config, case.sampler, case.schedule, case.n_steps).unwrap();
        let mut noise = NoiseGenerator::new(NoiseSource::Cpu, 5);
        let x = (noise.randn((1, 1, 4, 4), &Device::Cpu).unwrap() * made.initial_scale).unwrap();
        let network = denoiser(config.prediction_type, toy_network);
        let worst = worst.entry(case.sampler.as_str()).or_default();
        let last = sample(case.sampler, &*network, x, &made.steps, &mut noise, &mut |done| {
            assert_eq!(done.n_steps, case.n_steps);
            if case.steps.len() == case.n_steps {
                let scale = if case.is_scaled { done.sigma_next.hypot(1.0) } else { 1.0 };
                let error = relative_error(&(done.x / scale).unwrap(), &case.steps[done.index]);
                *worst = worst.max(error);
                assert!(error <= TOLERANCE, "{name}, step {}: {error:.1e}", done.index);
            }
            ControlFlow::Continue(())
        });
        let error = relative_error(&last.unwrap(), &case.steps[case.steps.len() - 1]);
        *worst = worst.max(error);
        assert!(error <= TOLERANCE, "{name}, result: {error:.1e}");
    }
    for sampler in Sampler::ALL {
        println!("{sampler}: greatest relative error {:.1e}", worst[sampler.as_str()]);
    }
}

#[test]
fn a_run_from_a_picture_begins_and_ends_where_that_of_diffusers_does() {
    for case in reference::<Vec<FromPicture>>("strengths.json") {
        let name = format!("{} {} {} {}", case.sampler, case.schedule, case.n_steps, case.strength);
        let config = load(&case.config);
        let made =
            NoiseSchedule::with_strength(&config, case.sampler, case.schedule, case.n_steps, case.strength)
                .unwrap();
        let clean: Vec<f32> = (0..16u8).map(|i| f32::from(i) * 0.2 - 1.5).collect();
        let clean = Tensor::from_vec(clean, (1, 1, 4, 4), &Device::Cpu).unwrap();
        let mut noise = NoiseGenerator::new(NoiseSource::Cpu, 5);
        let x = made.noised(&clean, &noise.randn((1, 1, 4, 4), &Device::Cpu).unwrap()).unwrap();
        let scale = if case.is_scaled { made.steps[0].sigma.hypot(1.0) } else { 1.0 };
        let error = relative_error(&(&x / scale).unwrap(), &case.start);
        assert!(error < 1e-6, "{name}, start: {error:.1e}");
        let network = denoiser(config.prediction_type, toy_network);
        let found =
            sample(case.sampler, &*network, x, &made.steps, &mut noise, &mut |_| ControlFlow::Continue(()));
        let error = relative_error(&found.unwrap(), &case.end);
        assert!(error <= TOLERANCE, "{name}, end: {error:.1e}");
    }
}

/// Length of the difference over length of the reference.
fn relative_error(found: &Tensor, expected: &[f64]) -> f64 {
    let found: Vec<f32> = found.flatten_all().unwrap().to_vec1().unwrap();
    let square = |x: f64| x * x;
    let difference: f64 = found.iter().zip(expected).map(|(&a, &b)| square(f64::from(a) - b)).sum();
    (difference / expected.iter().copied().map(square).sum::<f64>()).sqrt()
}
