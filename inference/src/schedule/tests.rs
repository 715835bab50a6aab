//! Properties that hold for every sampler and schedule; the numbers are in `tests/parity/samplers.rs`.

use super::*;

const SPACINGS: [Option<TimestepSpacing>; 4] =
    [None, Some(TimestepSpacing::Linspace), Some(TimestepSpacing::Leading), Some(TimestepSpacing::Trailing)];

fn for_every_schedule(check: impl Fn(&NoiseSchedule, Sampler, Schedule, usize)) {
    for timestep_spacing in SPACINGS {
        let config = SchedulerConfig { timestep_spacing, steps_offset: 1, ..SchedulerConfig::default() };
        for sampler in Sampler::ALL {
            for schedule in Schedule::ALL {
                for n_steps in [1, 2, 3, 5, 10, 20, 33, 50, 61, 100, 150] {
                    let made = NoiseSchedule::new(&config, sampler, schedule, n_steps).unwrap();
                    check(&made, sampler, schedule, n_steps);
                }
            }
        }
    }
}

#[test]
fn every_schedule_has_as_many_steps_as_asked_for() {
    for_every_schedule(|made, _, _, n_steps| assert_eq!(made.steps.len(), n_steps));
}

#[test]
fn every_schedule_falls_strictly_and_ends_in_zero() {
    let lowest = TrainingNoise::new(&SchedulerConfig::default()).sigma_min();
    for_every_schedule(|made, sampler, schedule, n_steps| {
        let mut sigmas = made.sigmas();
        let last = sigmas.pop();
        assert!(sigmas.is_sorted_by(|a, b| a > b), "{sampler} {schedule} {n_steps}: {sigmas:?}");
        // PNDM and TCD end at the lowest training level. With trailing spacing DDIM's stride may lead to timestep
        // 0 exactly, which is that level.
        let ends_low = matches!(sampler, Sampler::Ddim | Sampler::Pndm | Sampler::Tcd);
        let ends_well = |last: f64| last.abs() < 1e-12 || (ends_low && (last - lowest).abs() < 1e-12);
        assert!(last.is_some_and(ends_well), "{sampler} {schedule} {n_steps}");
    });
}

#[test]
fn second_levels_lie_within_their_step_and_in_the_training_range() {
    for_every_schedule(|made, sampler, schedule, n_steps| {
        for step in &made.steps {
            let Some(within) = step.within else { continue };
            let is_between = within.sigma < step.sigma && within.sigma > 0.0;
            assert!(is_between, "{sampler} {schedule} {n_steps}: {step:?}");
            assert!((0.0..=999.0).contains(&within.timestep), "{sampler} {schedule} {n_steps}: {step:?}");
        }
    });
}

#[test]
fn timesteps_fall_and_stay_in_the_training_range() {
    for_every_schedule(|made, sampler, schedule, n_steps| {
        let timesteps: Vec<f64> = made.steps.iter().map(|step| step.timestep).collect();
        // Karras levels may lie closer than the whole timesteps they are rounded to.
        assert!(timesteps.is_sorted_by(|a, b| a >= b), "{sampler} {schedule} {n_steps}: {timesteps:?}");
        assert!(timesteps.iter().all(|t| (0.0..=999.0).contains(t)), "{timesteps:?}");
    });
}

#[test]
fn ddim_stops_at_the_lowest_training_level_when_the_config_says_so() {
    let config = SchedulerConfig { set_alpha_to_one: Some(false), ..SchedulerConfig::default() };
    let made = NoiseSchedule::new(&config, Sampler::Ddim, Schedule::Normal, 10).unwrap();
    let lowest = TrainingNoise::new(&config).sigma_min();
    assert_eq!(made.sigmas().last(), Some(&lowest));
}

#[test]
fn a_run_from_a_picture_has_the_last_steps_of_the_whole_run() {
    let config = SchedulerConfig::default();
    for sampler in Sampler::ALL {
        for schedule in Schedule::ALL {
            // PNDM's first step is another, wherever it begins.
            if (sampler, schedule) == (Sampler::Pndm, Schedule::Normal) {
                continue;
            }
            let whole = NoiseSchedule::new(&config, sampler, schedule, 20).unwrap();
            let made = NoiseSchedule::with_strength(&config, sampler, schedule, 20, 0.75).unwrap();
            let levels = |made: &NoiseSchedule| made.sigmas().into_iter().rev().take(16).collect::<Vec<_>>();
            assert_eq!(levels(&made), levels(&whole), "{sampler} {schedule}");
            assert_eq!(made.steps.len(), 15);
            assert!((made.initial_scale - made.steps[0].sigma).abs() < 1e-12);
        }
    }
}

#[test]
fn a_strength_that_leaves_no_step_or_is_out_of_range_is_refused() {
    let config = SchedulerConfig::default();
    for (strength, reason) in [
        (0.0, "strength is 0, and has to be above 0 and up to 1"),
        (1.5, "strength is 1.5, and has to be above 0 and up to 1"),
        (f64::NAN, "strength is NaN, and has to be above 0 and up to 1"),
        (0.04, "strength 0.04 leaves none of 20 steps, and at least 1 is needed"),
    ] {
        let error = NoiseSchedule::with_strength(&config, Sampler::Euler, Schedule::Normal, 20, strength)
            .unwrap_err();
        assert_eq!(error.to_string(), format!("noise levels are unusable: {reason}"));
    }
}

#[test]
fn one_step_of_a_turbo_model_starts_from_the_highest_training_level() {
    let config = SchedulerConfig {
        beta_start: 0.00085,
        beta_end: 0.012,
        beta_schedule: BetaSchedule::ScaledLinear,
        timestep_spacing: Some(TimestepSpacing::Trailing),
        ..SchedulerConfig::default()
    };
    let made = NoiseSchedule::new(&config, Sampler::EulerAncestral, Schedule::Normal, 1).unwrap();
    let highest = TrainingNoise::new(&config).sigma_max();
    assert_eq!(made.steps, [Step { timestep: 999.0, sigma: highest, sigma_next: 0.0, within: None }]);
    assert!((made.initial_scale - highest).abs() < 1e-12);
}

#[test]
fn ten_steps_of_align_your_steps_are_the_published_ones() {
    for (aligned_for, published) in [
        (
            AlignedFor::StableDiffusion,
            [14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.0],
        ),
        (
            AlignedFor::StableDiffusionXl,
            [14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.0],
        ),
    ] {
        let config = SchedulerConfig { aligned_for, ..SchedulerConfig::default() };
        let made = NoiseSchedule::new(&config, Sampler::Euler, Schedule::AlignYourSteps, 10).unwrap();
        for (found, published) in made.sigmas().iter().zip(published) {
            assert!((found - published).abs() < 4e-3, "{found} {published}");
        }
    }
}

#[test]
fn an_impossible_number_of_steps_is_refused_with_the_range() {
    for n_steps in [0, 1001] {
        let error =
            NoiseSchedule::new(&SchedulerConfig::default(), Sampler::Euler, Schedule::Normal, n_steps)
                .unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("noise levels are unusable: {n_steps} steps are asked for, and 1 to 1000 are possible")
        );
    }
}

/// What a request can ask of the configs that models come with; a sampler refuses levels that do not fall.
#[test]
fn every_number_of_steps_that_can_be_asked_for_gives_levels_that_fall() {
    let stable_diffusion = SchedulerConfig {
        beta_start: 0.00085,
        beta_end: 0.012,
        beta_schedule: BetaSchedule::ScaledLinear,
        steps_offset: 1,
        ..SchedulerConfig::default()
    };
    let rescaled = SchedulerConfig {
        rescale_betas_zero_snr: true,
        timestep_spacing: Some(TimestepSpacing::Trailing),
        ..stable_diffusion.clone()
    };
    for config in [stable_diffusion, rescaled] {
        for sampler in Sampler::ALL {
            for schedule in Schedule::ALL {
                for n_steps in 1..=150 {
                    let made = NoiseSchedule::new(&config, sampler, schedule, n_steps).unwrap();
                    assert_eq!(made.steps.len(), n_steps);
                    let begins: Vec<f64> = made.steps.iter().map(|step| step.sigma).collect();
                    assert!(begins.is_sorted_by(|a, b| a > b), "{sampler} {schedule} {n_steps}: {begins:?}");
                    let falls = made.steps.iter().all(|step| step.sigma_next <= step.sigma);
                    assert!(falls, "{sampler} {schedule} {n_steps}: {:?}", made.steps);
                }
            }
        }
    }
}
