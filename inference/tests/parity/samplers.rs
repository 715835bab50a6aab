//! Our schedules and samplers are those of diffusers, level by level and step by step.

use std::ops::ControlFlow;

use candle_core::{Device, Tensor};
use inference::Result;
use inference::denoiser::{Denoiser, denoiser};
use inference::model_files::ModelFiles;
use inference::noise::TorchCpuGenerator;
use inference::samplers::sample;
use inference::schedule::{NoiseSchedule, PredictionType, SchedulerConfig, Step, TrainingNoise};
use serde::Deserialize;
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
    initial_scale: f64,
}

#[derive(Deserialize)]
struct Run {
    config: serde_json::Value,
    sampler: Sampler,
    schedule: Schedule,
    /// The latent after each step, as diffusers has it.
    steps: Vec<Vec<f64>>,
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

#[test]
fn every_schedule_has_the_timesteps_and_levels_of_diffusers() {
    let mut worst = 0.0f64;
    for case in reference::<Vec<Levels>>("schedule.json") {
        let name = format!("{} {} {} {}", case.sampler, case.schedule, case.n_steps, case.config);
        let made =
            NoiseSchedule::new(&load(&case.config), case.sampler, case.schedule, case.n_steps).unwrap();
        assert_eq!(made.steps.len(), case.timesteps.len(), "{name}");
        for (step, (&timestep, &sigma)) in made.steps.iter().zip(case.timesteps.iter().zip(&case.sigmas)) {
            // Whole timesteps have to be the same ones; others were rounded to f32.
            let tolerance = if timestep.fract().abs() < 1e-12 { 1e-12 } else { 1e-3 };
            let error = (step.timestep - timestep).abs();
            assert!(error < tolerance, "{name}: {} {timestep}", step.timestep);
            worst = worst.max(relative(step.sigma, sigma));
            assert!(relative(step.sigma, sigma) < 1e-6, "{name}: {} {sigma}", step.sigma);
        }
        assert!(relative(made.initial_scale, case.initial_scale) < 1e-6, "{name}");
    }
    println!("noise levels: greatest relative error {worst:.1e}");
}

/// Its counterpart is `predict` in `make_samplers.py`.
fn toy_network(x: &Tensor, timestep: f64) -> Result<Tensor> {
    Ok(((x * 0.6)? + (x.tanh()? * (0.3 * (timestep / 150.0).cos()))?)?)
}

#[test]
fn every_sampler_takes_the_steps_of_diffusers() {
    let mut worst = 0.0f64;
    for case in reference::<Vec<Run>>("samplers.json") {
        let name = format!("{} {} {}", case.sampler, case.schedule, case.config);
        let config = load(&case.config);
        let made = NoiseSchedule::new(&config, case.sampler, case.schedule, case.steps.len()).unwrap();
        let mut noise = TorchCpuGenerator::new(5);
        let x = (noise.randn((1, 1, 4, 4), &Device::Cpu).unwrap() * made.initial_scale).unwrap();
        let network = denoiser(config.prediction_type, toy_network);
        // diffusers keeps the latents of these two at deviation 1.
        let is_scaled = matches!(case.sampler, Sampler::Ddim | Sampler::DpmPlusPlus2M);
        let last = sample(case.sampler, &*network, x, &made.steps, &mut noise, &mut |done| {
            let scale = if is_scaled { (done.sigma_next.powi(2) + 1.0).sqrt() } else { 1.0 };
            let error = relative_error(&(done.x / scale).unwrap(), &case.steps[done.index]);
            worst = worst.max(error);
            assert!(error < 1e-5, "{name}, step {}: {error:.1e}", done.index);
            ControlFlow::Continue(())
        });
        let error = relative_error(&last.unwrap(), &case.steps[case.steps.len() - 1]);
        assert!(error < 1e-5, "{name}, result: {error:.1e}");
    }
    println!("samplers: greatest relative error {worst:.1e}");
}

/// Length of the difference over length of the reference.
fn relative_error(found: &Tensor, expected: &[f64]) -> f64 {
    let found: Vec<f32> = found.flatten_all().unwrap().to_vec1().unwrap();
    let square = |x: f64| x * x;
    let difference: f64 = found.iter().zip(expected).map(|(&a, &b)| square(f64::from(a) - b)).sum();
    (difference / expected.iter().copied().map(square).sum::<f64>()).sqrt()
}

/// The network of diffusers' own scheduler tests (`tests/schedulers/`).
fn published_network(x: &Tensor, timestep: f64) -> Result<Tensor> {
    Ok((x * (timestep / (timestep + 1.0)))?)
}

/// The loop of those tests for samplers whose scheduler scales the network's input: it goes on with the
/// scaled sample in place of the sample, which no pipeline does.
struct ScaledSample<'a> {
    config: &'a SchedulerConfig,
    steps: Vec<Step>,
    /// The level that the sampler's line leads to, from a step's two levels.
    target: fn(f64, f64) -> f64,
}

impl Denoiser for ScaledSample<'_> {
    fn denoise(&self, x: &Tensor, sigma: f64, timestep: f64) -> Result<Tensor> {
        let variance = sigma * sigma + 1.0;
        let scaled = (x / variance.sqrt())?;
        let prediction = published_network(&scaled, timestep)?;
        let clean = match self.config.prediction_type {
            PredictionType::Epsilon => (&scaled - (prediction * sigma)?)?,
            PredictionType::VPrediction => {
                ((&scaled / variance)? - (prediction * (sigma / variance.sqrt()))?)?
            }
        };
        // A step from x with this estimate ends where a step from the scaled sample with its own would.
        let sigma_next =
            self.steps.iter().find(|step| (step.timestep - timestep).abs() < 1e-9).unwrap().sigma_next;
        let share = ((self.target)(sigma, sigma_next) - sigma) / sigma;
        Ok((clean + ((x - scaled)? * (1.0 + 1.0 / share))?)?)
    }
}

/// The multistep solver runs there with `final_sigmas_type="sigma_min"`: it ends at the lowest training
/// level, with a latent of deviation 1. As the samplers here end in zero, one more step hands that latent on.
struct EndsAtLowestLevel<'a> {
    config: &'a SchedulerConfig,
    lowest: f64,
}

impl EndsAtLowestLevel<'_> {
    fn steps(&self, steps: &[Step]) -> Vec<Step> {
        let mut steps = steps.to_vec();
        steps.last_mut().unwrap().sigma_next = self.lowest;
        steps.push(Step { timestep: 0.0, sigma: self.lowest, sigma_next: 0.0 });
        steps
    }
}

impl Denoiser for EndsAtLowestLevel<'_> {
    fn denoise(&self, x: &Tensor, sigma: f64, timestep: f64) -> Result<Tensor> {
        if sigma > self.lowest {
            denoiser(self.config.prediction_type, published_network).denoise(x, sigma, timestep)
        } else {
            Ok((x / (sigma * sigma + 1.0).sqrt())?)
        }
    }
}

fn ancestral_target(sigma: f64, sigma_next: f64) -> f64 {
    let up = sigma_next.powi(2) * (sigma.powi(2) - sigma_next.powi(2)) / sigma.powi(2);
    (sigma_next.powi(2) - up).sqrt()
}

fn full_loop(config: &SchedulerConfig, sampler: Sampler, schedule: Schedule) -> f64 {
    let NoiseSchedule { mut steps, initial_scale } =
        NoiseSchedule::new(config, sampler, schedule, 10).unwrap();
    let network: Box<dyn Denoiser> = match sampler {
        Sampler::Ddim => denoiser(config.prediction_type, published_network),
        Sampler::Euler => {
            Box::new(ScaledSample { config, steps: steps.clone(), target: |_, sigma_next| sigma_next })
        }
        Sampler::EulerAncestral => {
            Box::new(ScaledSample { config, steps: steps.clone(), target: ancestral_target })
        }
        Sampler::DpmPlusPlus2M => {
            let network = EndsAtLowestLevel { config, lowest: TrainingNoise::new(config).sigma_min() };
            steps = network.steps(&steps);
            Box::new(network)
        }
    };
    let start = (Tensor::arange(0f32, 768f32, &Device::Cpu).unwrap() / 768.0).unwrap();
    let start = start.reshape((3, 8, 8, 4)).unwrap().permute((3, 0, 1, 2)).unwrap().contiguous().unwrap();
    let x = (start * initial_scale).unwrap();
    let mut noise = TorchCpuGenerator::new(0);
    let x = sample(sampler, &*network, x, &steps, &mut noise, &mut |_| ControlFlow::Continue(())).unwrap();
    f64::from(x.abs().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap())
}

#[test]
fn the_published_full_loops_of_diffusers_come_out() {
    let n_1000 = SchedulerConfig::default();
    let n_1100 = SchedulerConfig { num_train_timesteps: 1100, ..n_1000.clone() };
    let velocity = |config: &SchedulerConfig| SchedulerConfig {
        prediction_type: PredictionType::VPrediction,
        ..config.clone()
    };
    // Sums of absolute values and tolerances, as the tests there state them; means times 768 for the
    // multistep solver.
    for (config, sampler, schedule, expected, tolerance) in [
        (n_1000.clone(), Sampler::Ddim, Schedule::Normal, 172.0067, 1e-2),
        (velocity(&n_1000), Sampler::Ddim, Schedule::Normal, 52.5302, 1e-2),
        (n_1100.clone(), Sampler::Euler, Schedule::Normal, 10.0807, 1e-2),
        (velocity(&n_1100), Sampler::Euler, Schedule::Normal, 0.0002, 1e-2),
        (n_1100.clone(), Sampler::Euler, Schedule::Karras, 124.5230, 1e-2),
        (n_1100.clone(), Sampler::EulerAncestral, Schedule::Normal, 152.3192, 1e-2),
        (n_1000.clone(), Sampler::DpmPlusPlus2M, Schedule::Normal, 0.3301 * 768.0, 1e-3 * 768.0),
        (velocity(&n_1000), Sampler::DpmPlusPlus2M, Schedule::Normal, 0.2251 * 768.0, 1e-3 * 768.0),
    ] {
        let found = full_loop(&config, sampler, schedule);
        println!("{sampler} {schedule} {:?}: {found:.4}, published {expected:.4}", config.prediction_type);
        assert!((found - expected).abs() < tolerance, "{sampler} {schedule}: {found} {expected}");
    }
}
