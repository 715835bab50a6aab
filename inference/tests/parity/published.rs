//! The results that diffusers' own scheduler tests state (`tests/schedulers/`): ten steps over a toy network.

use std::cell::RefCell;
use std::ops::ControlFlow;

use candle_core::{Device, Tensor};
use inference::Result;
use inference::denoiser::{Denoiser, denoiser};
use inference::noise::NoiseGenerator;
use inference::samplers::sample;
use inference::schedule::{FinalSigma, NoiseSchedule, PredictionType, SchedulerConfig, Step};
use types::noise::NoiseSource;
use types::sampler::{Sampler, Schedule};

fn network(x: &Tensor, timestep: f64) -> Result<Tensor> {
    Ok((x * (timestep / (timestep + 1.0)))?)
}

/// The loop of those tests for samplers whose scheduler scales the network's input: it goes on with the
/// scaled sample in place of the sample, which no pipeline does.
///
/// What these samplers add in a step depends on derivatives alone. So this one answers with the derivative of that
/// loop, and keeps book of where the loop stands.
struct ScaledSample {
    prediction: PredictionType,
    /// Where the sampler was at the last step, and what sample the loop had there.
    last: RefCell<Option<(Tensor, Tensor)>>,
}

impl ScaledSample {
    /// Where the loop is when the sampler is at `x`.
    fn place(&self, x: &Tensor) -> Result<Tensor> {
        match &*self.last.borrow() {
            Some((before, scaled)) => Ok(((x - before)? + scaled)?),
            None => Ok(x.clone()),
        }
    }
}

impl Denoiser for ScaledSample {
    fn denoise(&self, x: &Tensor, sigma: f64, timestep: f64) -> Result<Tensor> {
        let variance = sigma * sigma + 1.0;
        let scaled = (self.place(x)? / variance.sqrt())?;
        let prediction = network(&scaled, timestep)?;
        let derivative = match self.prediction {
            PredictionType::Epsilon => prediction,
            PredictionType::VPrediction => {
                let clean = ((&scaled / variance)? - (prediction * (sigma / variance.sqrt()))?)?;
                ((&scaled - clean)? / sigma)?
            }
            PredictionType::Sample => ((&scaled - prediction)? / sigma)?,
        };
        *self.last.borrow_mut() = Some((x.clone(), scaled));
        Ok((x - (derivative * sigma)?)?)
    }
}

/// The multistep solver runs there without its fall-back to first order in the last step, which ends at the lowest
/// training level. As that step must not be the last here, one more hands its latent of deviation 1 on.
struct EndsAtLowestLevel<'a> {
    inner: &'a dyn Denoiser,
    lowest: f64,
}

impl EndsAtLowestLevel<'_> {
    fn steps(steps: &[Step], lowest: f64) -> Vec<Step> {
        let handing_on = Step { timestep: 0.0, sigma: lowest, sigma_next: 0.0, within: None };
        steps.iter().copied().chain([handing_on]).collect()
    }
}

impl Denoiser for EndsAtLowestLevel<'_> {
    fn denoise(&self, x: &Tensor, sigma: f64, timestep: f64) -> Result<Tensor> {
        if sigma > self.lowest {
            self.inner.denoise(x, sigma, timestep)
        } else {
            Ok((x / (sigma * sigma + 1.0).sqrt())?)
        }
    }
}

/// Sum of the absolute values of the result.
fn full_loop(config: &SchedulerConfig, sampler: Sampler, schedule: Schedule) -> f64 {
    let NoiseSchedule { steps, initial_scale } = NoiseSchedule::new(config, sampler, schedule, 10).unwrap();
    let start = (Tensor::arange(0f32, 768f32, &Device::Cpu).unwrap() / 768.0).unwrap();
    let start = start.reshape((3, 8, 8, 4)).unwrap().permute((3, 0, 1, 2)).unwrap().contiguous().unwrap();
    let x = (start * initial_scale).unwrap();
    let mut noise = NoiseGenerator::new(NoiseSource::Cpu, 0);
    let mut walk = |network: &dyn Denoiser, steps: &[Step]| {
        sample(sampler, network, x.clone(), steps, &mut noise, &mut |_| ControlFlow::Continue(())).unwrap()
    };
    let plain = denoiser(config.prediction_type, network);
    let found = match sampler {
        Sampler::Euler | Sampler::EulerAncestral | Sampler::Lms => {
            let scaled = ScaledSample { prediction: config.prediction_type, last: RefCell::new(None) };
            let last = walk(&scaled, &steps);
            scaled.place(&last).unwrap()
        }
        Sampler::DpmPlusPlus2M => {
            let lowest = steps[steps.len() - 1].sigma_next;
            let longer = EndsAtLowestLevel::steps(&steps, lowest);
            walk(&EndsAtLowestLevel { inner: &*plain, lowest }, &longer)
        }
        _ => walk(&*plain, &steps),
    };
    f64::from(found.abs().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap())
}

#[test]
fn the_published_full_loops_of_diffusers_come_out() {
    let n_1000 = SchedulerConfig::default();
    let n_1100 = SchedulerConfig { num_train_timesteps: 1100, ..n_1000.clone() };
    // Those tests end the multistep solvers at the lowest training level.
    let low = SchedulerConfig { final_sigma: FinalSigma::SigmaMin, ..n_1000.clone() };
    let runge_kutta = SchedulerConfig { skip_prk_steps: false, ..n_1000.clone() };
    let velocity = |config: &SchedulerConfig| SchedulerConfig {
        prediction_type: PredictionType::VPrediction,
        ..config.clone()
    };
    // Sums of absolute values and tolerances, as the tests there state them; means times 768 for the
    // multistep solvers.
    for (config, sampler, schedule, expected, tolerance) in [
        (n_1000.clone(), Sampler::Ddim, Schedule::Normal, 172.0067, 1e-2),
        (velocity(&n_1000), Sampler::Ddim, Schedule::Normal, 52.5302, 1e-2),
        (n_1100.clone(), Sampler::Euler, Schedule::Normal, 10.0807, 1e-2),
        (velocity(&n_1100), Sampler::Euler, Schedule::Normal, 0.0002, 1e-2),
        (n_1100.clone(), Sampler::Euler, Schedule::Karras, 124.5230, 1e-2),
        (n_1100.clone(), Sampler::Lms, Schedule::Normal, 1006.388, 1e-2),
        (runge_kutta, Sampler::Pndm, Schedule::Normal, 198.1318, 1e-2),
        (low.clone(), Sampler::UniPc, Schedule::Normal, 0.2464 * 768.0, 1e-3 * 768.0),
        (low.clone(), Sampler::UniPc, Schedule::Karras, 0.2925 * 768.0, 1e-3 * 768.0),
        (n_1100.clone(), Sampler::EulerAncestral, Schedule::Normal, 152.3192, 1e-2),
        (low.clone(), Sampler::DpmPlusPlus2M, Schedule::Normal, 0.3301 * 768.0, 1e-3 * 768.0),
        (velocity(&low), Sampler::DpmPlusPlus2M, Schedule::Normal, 0.2251 * 768.0, 1e-3 * 768.0),
    ] {
        let found = full_loop(&config, sampler, schedule);
        println!("{sampler} {schedule} {:?}: {found:.4}, published {expected:.4}", config.prediction_type);
        assert!((found - expected).abs() < tolerance, "{sampler} {schedule}: {found} {expected}");
    }
}
