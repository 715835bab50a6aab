//! `scheduler_config.json` as it lies on the disk.

use std::fmt::Display;

use serde::Deserialize;
use serde_json::Value;

use super::config::{BetaSchedule, FinalSigma, PredictionType, SchedulerConfig, TimestepSpacing};
use crate::error::{Error, Result};
use crate::samplers::TIMESTEP_SCALING;

/// The schedulers whose configs mean the same noise and can be exchanged for one another.
const COMPATIBLE: [&str; 16] = [
    "DDIMScheduler",
    "DDPMScheduler",
    "DEISMultistepScheduler",
    "DPMSolverMultistepScheduler",
    "DPMSolverSDEScheduler",
    "DPMSolverSinglestepScheduler",
    "EulerAncestralDiscreteScheduler",
    "EulerDiscreteScheduler",
    "HeunDiscreteScheduler",
    "KDPM2AncestralDiscreteScheduler",
    "KDPM2DiscreteScheduler",
    "LCMScheduler",
    "LMSDiscreteScheduler",
    "PNDMScheduler",
    "TCDScheduler",
    "UniPCMultistepScheduler",
];

/// The file as it lies on the disk: everything may be missing.
#[derive(Debug, Deserialize)]
pub(super) struct ConfigFile {
    #[serde(rename = "_class_name")]
    class_name: Option<String>,
    num_train_timesteps: Option<usize>,
    beta_start: Option<f64>,
    beta_end: Option<f64>,
    beta_schedule: Option<String>,
    prediction_type: Option<String>,
    timestep_spacing: Option<String>,
    steps_offset: Option<usize>,
    set_alpha_to_one: Option<bool>,
    lambda_min_clipped: Option<f64>,
    final_sigmas_type: Option<String>,
    interpolation_type: Option<String>,
    timestep_type: Option<String>,
    trained_betas: Option<Value>,
    skip_prk_steps: Option<bool>,
    original_inference_steps: Option<usize>,
    timestep_scaling: Option<f64>,
    #[serde(default)]
    thresholding: bool,
    #[serde(default)]
    rescale_betas_zero_snr: bool,
    #[serde(default)]
    use_flow_sigmas: bool,
}

impl ConfigFile {
    pub(super) fn checked(self) -> Result<SchedulerConfig> {
        self.refuse_what_changes_the_noise()?;
        let default = self.silent_values();
        let config = SchedulerConfig {
            num_train_timesteps: self.num_train_timesteps.unwrap_or(default.num_train_timesteps),
            beta_start: self.beta_start.unwrap_or(default.beta_start),
            beta_end: self.beta_end.unwrap_or(default.beta_end),
            beta_schedule: choice(
                "beta_schedule",
                self.beta_schedule.as_deref(),
                &[
                    ("linear", BetaSchedule::Linear),
                    ("scaled_linear", BetaSchedule::ScaledLinear),
                    ("squaredcos_cap_v2", BetaSchedule::SquaredcosCapV2),
                ],
            )?
            .unwrap_or(default.beta_schedule),
            prediction_type: choice(
                "prediction_type",
                self.prediction_type.as_deref(),
                &[
                    ("epsilon", PredictionType::Epsilon),
                    ("v_prediction", PredictionType::VPrediction),
                    ("sample", PredictionType::Sample),
                ],
            )?
            .unwrap_or(default.prediction_type),
            timestep_spacing: choice(
                "timestep_spacing",
                self.timestep_spacing.as_deref(),
                &[
                    ("linspace", TimestepSpacing::Linspace),
                    ("leading", TimestepSpacing::Leading),
                    ("trailing", TimestepSpacing::Trailing),
                ],
            )?,
            steps_offset: self.steps_offset.unwrap_or(default.steps_offset),
            set_alpha_to_one: self.set_alpha_to_one,
            lambda_min_clipped: self.lambda_min_clipped,
            rescale_betas_zero_snr: self.rescale_betas_zero_snr,
            final_sigma: choice(
                "final_sigmas_type",
                self.final_sigmas_type.as_deref(),
                &[("zero", FinalSigma::Zero), ("sigma_min", FinalSigma::SigmaMin)],
            )?
            .unwrap_or(default.final_sigma),
            skip_prk_steps: self.skip_prk_steps.unwrap_or(default.skip_prk_steps),
            original_inference_steps: self
                .original_inference_steps
                .unwrap_or(default.original_inference_steps),
            aligned_for: default.aligned_for,
        };
        if config.num_train_timesteps < 2 {
            return Err(unsupported("num_train_timesteps", config.num_train_timesteps, "2 or more"));
        }
        if !(1..=config.num_train_timesteps).contains(&config.original_inference_steps) {
            return Err(unsupported(
                "original_inference_steps",
                config.original_inference_steps,
                "1 or more, and no more than `num_train_timesteps`,",
            ));
        }
        for (setting, beta) in [("beta_start", config.beta_start), ("beta_end", config.beta_end)] {
            if !(beta > 0.0 && beta < 1.0) {
                return Err(unsupported(setting, beta, "a number between 0 and 1"));
            }
        }
        Ok(config)
    }

    /// LCM's and TCD's schedulers have other betas than the rest where the file names none.
    fn silent_values(&self) -> SchedulerConfig {
        let default = SchedulerConfig::default();
        match self.class_name.as_deref() {
            Some("LCMScheduler" | "TCDScheduler") => SchedulerConfig {
                beta_start: 0.00085,
                beta_end: 0.012,
                beta_schedule: BetaSchedule::ScaledLinear,
                ..default
            },
            _ => default,
        }
    }

    fn refuse_what_changes_the_noise(&self) -> Result<()> {
        if let Some(name) = self.class_name.as_deref().filter(|name| !COMPATIBLE.contains(name)) {
            return Err(unsupported("_class_name", name, &COMPATIBLE.join(", ")));
        }
        choice("interpolation_type", self.interpolation_type.as_deref(), &[("linear", ())])?;
        choice("timestep_type", self.timestep_type.as_deref(), &[("discrete", ())])?;
        if let Some(betas) = &self.trained_betas {
            return Err(unsupported("trained_betas", betas, "null"));
        }
        if let Some(scaling) =
            self.timestep_scaling.filter(|&scaling| (scaling - TIMESTEP_SCALING).abs() > 1e-9)
        {
            return Err(unsupported("timestep_scaling", scaling, &TIMESTEP_SCALING.to_string()));
        }
        for (setting, is_on) in
            [("thresholding", self.thresholding), ("use_flow_sigmas", self.use_flow_sigmas)]
        {
            if is_on {
                return Err(unsupported(setting, true, "false"));
            }
        }
        Ok(())
    }
}

fn choice<T: Copy>(setting: &str, value: Option<&str>, known: &[(&str, T)]) -> Result<Option<T>> {
    let Some(value) = value else { return Ok(None) };
    if let Some(&(_, meaning)) = known.iter().find(|(name, _)| *name == value) {
        return Ok(Some(meaning));
    }
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    Err(unsupported(setting, value, &names.join(", ")))
}

fn unsupported(setting: &str, value: impl Display, allowed: &str) -> Error {
    Error::Unsupported {
        file: SchedulerConfig::FILE.to_owned(),
        setting: setting.to_owned(),
        value: value.to_string(),
        allowed: allowed.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<SchedulerConfig> {
        serde_json::from_str::<ConfigFile>(json).unwrap().checked()
    }

    #[test]
    fn an_empty_config_means_diffusers_defaults() {
        assert_eq!(parse("{}").unwrap(), SchedulerConfig::default());
    }

    #[test]
    fn the_config_of_stable_diffusion_1_is_understood() {
        let config = parse(
            r#"{"_class_name": "PNDMScheduler", "beta_end": 0.012, "beta_schedule": "scaled_linear",
                "beta_start": 0.00085, "num_train_timesteps": 1000, "set_alpha_to_one": false,
                "skip_prk_steps": true, "steps_offset": 1, "trained_betas": null, "clip_sample": false}"#,
        )
        .unwrap();
        assert_eq!(config.beta_schedule, BetaSchedule::ScaledLinear);
        assert_eq!(config.prediction_type, PredictionType::Epsilon);
        assert_eq!(config.timestep_spacing, None);
        assert_eq!(config.set_alpha_to_one, Some(false));
        assert!(config.skip_prk_steps);
    }

    #[test]
    fn the_configs_of_distilled_and_of_rescaled_models_are_understood() {
        let config = parse(r#"{"_class_name": "LCMScheduler", "original_inference_steps": 40}"#).unwrap();
        assert_eq!((config.beta_schedule, config.original_inference_steps), (BetaSchedule::ScaledLinear, 40));
        assert!((config.beta_end - 0.012).abs() < 1e-12);
        let config = parse(
            r#"{"_class_name": "DDIMScheduler", "rescale_betas_zero_snr": true, "prediction_type": "sample",
                "final_sigmas_type": "sigma_min", "skip_prk_steps": false}"#,
        )
        .unwrap();
        assert!(config.rescale_betas_zero_snr && !config.skip_prk_steps);
        assert_eq!(config.prediction_type, PredictionType::Sample);
        assert_eq!(config.final_sigma, FinalSigma::SigmaMin);
    }

    #[test]
    fn settings_that_would_change_the_noise_are_refused_by_name() {
        for (json, message) in [
            (
                r#"{"prediction_type": "flow_prediction"}"#,
                "`prediction_type` in `scheduler/scheduler_config.json` is `flow_prediction`, and only epsilon, v_prediction, sample is supported",
            ),
            (
                r#"{"final_sigmas_type": "one"}"#,
                "`final_sigmas_type` in `scheduler/scheduler_config.json` is `one`, and only zero, sigma_min is supported",
            ),
            (
                r#"{"timestep_scaling": 5.0}"#,
                "`timestep_scaling` in `scheduler/scheduler_config.json` is `5`, and only 10 is supported",
            ),
            (
                r#"{"original_inference_steps": 0}"#,
                "`original_inference_steps` in `scheduler/scheduler_config.json` is `0`, and only 1 or more, and no more than `num_train_timesteps`, is supported",
            ),
            (
                r#"{"beta_end": 1.5}"#,
                "`beta_end` in `scheduler/scheduler_config.json` is `1.5`, and only a number between 0 and 1 is supported",
            ),
        ] {
            assert_eq!(parse(json).unwrap_err().to_string(), message);
        }
        assert!(parse(r#"{"_class_name": "FlowMatchEulerDiscreteScheduler"}"#).is_err());
        assert!(parse(r#"{"trained_betas": [0.1, 0.2]}"#).is_err());
    }
}
