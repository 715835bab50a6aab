//! Properties that hold for every sampler; the numbers are in `tests/parity/samplers.rs`.

use candle_core::Device;
use types::noise::NoiseSource;
use types::sampler::Schedule;

use super::*;
use crate::schedule::{NoiseSchedule, SchedulerConfig};

/// Knows the clean latent, whatever it sees.
struct Oracle(Tensor);

impl Denoiser for Oracle {
    fn denoise(&self, _: &Tensor, _: f64, _: f64) -> Result<Tensor> {
        Ok(self.0.clone())
    }
}

fn clean_latent() -> Tensor {
    Tensor::arange(0f32, 32f32, &Device::Cpu)
        .unwrap()
        .affine(0.1, -1.5)
        .unwrap()
        .reshape((1, 2, 4, 4))
        .unwrap()
}

fn schedule(sampler: Sampler, schedule: Schedule) -> NoiseSchedule {
    NoiseSchedule::new(&SchedulerConfig::default(), sampler, schedule, 12).unwrap()
}

fn run(sampler: Sampler, steps: &[Step], initial_scale: f64, on_step: OnStep) -> Result<Tensor> {
    let mut noise = NoiseGenerator::new(NoiseSource::Cpu, 1);
    let x = (noise.randn((1, 2, 4, 4), &Device::Cpu)? * initial_scale)?;
    sample(sampler, &Oracle(clean_latent()), x, steps, &mut noise, on_step)
}

fn greatest_difference(a: &Tensor, b: &Tensor) -> f32 {
    (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar().unwrap()
}

#[test]
fn every_sampler_recovers_the_latent_that_its_denoiser_knows() {
    for sampler in Sampler::ALL {
        for spacing in Schedule::ALL {
            let made = schedule(sampler, spacing);
            let found =
                run(sampler, &made.steps, made.initial_scale, &mut |_| ControlFlow::Continue(())).unwrap();
            let difference = greatest_difference(&found, &clean_latent());
            // These leave the noise of the lowest training level, which is 0.01 here.
            let tolerance =
                if matches!(sampler, Sampler::Lcm | Sampler::Pndm | Sampler::Tcd) { 0.05 } else { 1e-4 };
            assert!(difference < tolerance, "{sampler} {spacing}: {difference}");
        }
    }
}

#[test]
fn every_step_is_reported_once_and_in_order_with_falling_noise() {
    for sampler in Sampler::ALL {
        let made = schedule(sampler, Schedule::Karras);
        let mut seen = Vec::new();
        run(sampler, &made.steps, made.initial_scale, &mut |done| {
            assert_eq!(done.n_steps, 12);
            assert!(done.sigma_next < done.sigma);
            assert!(greatest_difference(done.clean, &clean_latent()) < f32::EPSILON);
            seen.push(done.index);
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(seen, (0..12).collect::<Vec<_>>());
    }
}

#[test]
fn breaking_in_a_step_cancels_the_run_at_once() {
    for sampler in Sampler::ALL {
        let made = schedule(sampler, Schedule::Normal);
        let mut n_seen = 0;
        let result = run(sampler, &made.steps, made.initial_scale, &mut |done| {
            n_seen += 1;
            if done.index == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!(matches!(result, Err(Error::Cancelled)));
        assert_eq!(n_seen, 4);
    }
}

#[test]
fn levels_that_cannot_be_walked_are_refused_with_the_reason() {
    let step = |sigma, sigma_next| Step { timestep: 0.0, sigma, sigma_next, within: None };
    for (steps, reason) in [
        (vec![], "there are no steps, and at least 1 is needed"),
        (vec![step(1.0, 2.0)], "a step goes from 1 to 2, and has to fall from above 0 to 0 or more"),
        (vec![step(0.0, 0.0)], "a step goes from 0 to 0, and has to fall from above 0 to 0 or more"),
        (vec![step(f64::NAN, 0.0)], "a step goes from NaN to 0, and has to fall from above 0 to 0 or more"),
        (vec![step(2.0, 2.0), step(2.0, 0.0)], "2 is followed by 2, and they have to fall"),
    ] {
        for sampler in Sampler::ALL {
            let error = run(sampler, &steps, 1.0, &mut |_| ControlFlow::Continue(())).unwrap_err();
            assert_eq!(error.to_string(), format!("noise levels are unusable: {reason}"));
        }
    }
}

#[test]
fn only_samplers_of_whole_strides_may_jump_between_steps() {
    let step = |sigma, sigma_next| Step { timestep: 0.0, sigma, sigma_next, within: None };
    let steps = [step(2.0, 1.1), step(1.0, 0.0)];
    for sampler in Sampler::ALL {
        let result = run(sampler, &steps, 1.0, &mut |_| ControlFlow::Continue(()));
        match sampler {
            Sampler::Ddim | Sampler::Pndm => assert!(result.is_ok()),
            _ => assert_eq!(
                result.unwrap_err().to_string(),
                "noise levels are unusable: a step ends at 1.1 and the next one begins at 1"
            ),
        }
    }
}

#[test]
fn down_and_up_together_give_the_next_level() {
    let (down, up) = ancestral_split(3.0, 2.0);
    assert!((down.hypot(up) - 2.0).abs() < 1e-12);
    assert!(down < 2.0);
    assert_eq!(ancestral_split(0.03, 0.0), (0.0, 0.0));
}

#[test]
fn both_sources_of_noise_lead_every_sampler_to_a_finite_latent() {
    for sampler in Sampler::ALL {
        for source in NoiseSource::ALL {
            let made = schedule(sampler, Schedule::Normal);
            let mut noise = NoiseGenerator::new(source, 9);
            let x = (noise.randn((1, 2, 4, 4), &Device::Cpu).unwrap() * made.initial_scale).unwrap();
            let found = sample(sampler, &Oracle(clean_latent()), x, &made.steps, &mut noise, &mut |_| {
                ControlFlow::Continue(())
            });
            let sum = found.unwrap().sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
            assert!(sum.is_finite(), "{sampler} {source}");
        }
    }
}

#[test]
fn a_failing_network_ends_the_run_with_its_own_error() {
    struct Broken;
    impl Denoiser for Broken {
        fn denoise(&self, _: &Tensor, _: f64, _: f64) -> Result<Tensor> {
            Err(Error::Tokenizer("not a tokenizer".to_owned()))
        }
    }
    let made = schedule(Sampler::Euler, Schedule::Normal);
    let result = sample(
        Sampler::Euler,
        &Broken,
        clean_latent(),
        &made.steps,
        &mut NoiseGenerator::new(NoiseSource::Cpu, 0),
        &mut |_| ControlFlow::Continue(()),
    );
    assert!(matches!(result, Err(Error::Tokenizer(_))));
}
