//! `scheduler_config.json`, as far as it says something about the noise.

use std::fmt::Display;

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::model_files::ModelFiles;

/// How much noise each training timestep adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BetaSchedule {
    /// Betas evenly spaced.
    Linear,
    /// Roots of betas evenly spaced: Stable Diffusion.
    ScaledLinear,
    /// Cosine: betas from a share of signal that falls as a squared cosine.
    SquaredcosCapV2,
}

/// What the network's output means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PredictionType {
    /// The noise that was added.
    Epsilon,
    /// Velocity: `alpha * noise - sigma * clean`, of Salimans and Ho 2022, arXiv:2202.00512.
    VPrediction,
}

/// Which of the training timesteps are visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimestepSpacing {
    /// From the last to the first, both included.
    Linspace,
    /// Multiples of a stride, from the first on.
    Leading,
    /// Multiples of a stride, back from the last.
    Trailing,
}

/// The noise that a model was trained with. Read it with [`SchedulerConfig::load`].
///
/// Which sampler to use is not among it: that is the request's choice, so settings such as
/// `solver_order` or `use_karras_sigmas` are passed over.
#[derive(Debug, Clone, PartialEq)]
pub struct SchedulerConfig {
    /// How many noise levels there were in training.
    pub num_train_timesteps: usize,
    /// Beta of the first timestep.
    pub beta_start: f64,
    /// Beta of the last timestep.
    pub beta_end: f64,
    /// How betas run between the two.
    pub beta_schedule: BetaSchedule,
    /// What the network's output means.
    pub prediction_type: PredictionType,
    /// Which timesteps are visited; `None` leaves it to the sampler, whose default in diffusers it then is.
    pub timestep_spacing: Option<TimestepSpacing>,
    /// Added to the timesteps of leading spacing.
    pub steps_offset: usize,
    /// Whether DDIM's last step ends without noise, or at the lowest training level.
    pub set_alpha_to_one: bool,
    /// DPM++ leaves out timesteps with ln(signal / noise) below this; needed for the cosine schedule.
    pub lambda_min_clipped: Option<f64>,
}

/// The values that diffusers takes where the file is silent.
impl Default for SchedulerConfig {
    fn default() -> Self {
        Self {
            num_train_timesteps: 1000,
            beta_start: 0.0001,
            beta_end: 0.02,
            beta_schedule: BetaSchedule::Linear,
            prediction_type: PredictionType::Epsilon,
            timestep_spacing: None,
            steps_offset: 0,
            set_alpha_to_one: true,
            lambda_min_clipped: None,
        }
    }
}

impl SchedulerConfig {
    /// Where a pipeline's folder has it.
    pub const FILE: &'static str = "scheduler/scheduler_config.json";

    /// Reads the file as diffusers' `StableDiffusionPipeline` does: that one sets `steps_offset` to 1 and
    /// `clip_sample` to false, whatever the file says (there have been many outdated files).
    ///
    /// # Errors
    /// [`Error::MissingFile`] and [`Error::BrokenFile`] from reading; [`Error::Unsupported`] if the model
    /// was trained in a way that the samplers here cannot follow.
    pub fn load(files: &ModelFiles) -> Result<Self> {
        let config = files.json::<ConfigFile>(Self::FILE)?.checked()?;
        Ok(Self { steps_offset: 1, ..config })
    }

    pub(super) fn spacing_or(&self, default: TimestepSpacing) -> TimestepSpacing {
        self.timestep_spacing.unwrap_or(default)
    }
}

/// The schedulers whose configs mean the same noise and can be exchanged for one another.
const COMPATIBLE: [&str; 14] = [
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
    "LMSDiscreteScheduler",
    "PNDMScheduler",
    "UniPCMultistepScheduler",
];

/// The file as it lies on the disk: everything may be missing.
#[derive(Debug, Deserialize)]
struct ConfigFile {
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
    #[serde(default)]
    thresholding: bool,
    #[serde(default)]
    rescale_betas_zero_snr: bool,
    #[serde(default)]
    use_flow_sigmas: bool,
}

impl ConfigFile {
    fn checked(self) -> Result<SchedulerConfig> {
        self.refuse_what_changes_the_noise()?;
        let default = SchedulerConfig::default();
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
                &[("epsilon", PredictionType::Epsilon), ("v_prediction", PredictionType::VPrediction)],
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
            set_alpha_to_one: self.set_alpha_to_one.unwrap_or(default.set_alpha_to_one),
            lambda_min_clipped: self.lambda_min_clipped,
        };
        if config.num_train_timesteps < 2 {
            return Err(unsupported("num_train_timesteps", config.num_train_timesteps, "2 or more"));
        }
        for (setting, beta) in [("beta_start", config.beta_start), ("beta_end", config.beta_end)] {
            if !(beta > 0.0 && beta < 1.0) {
                return Err(unsupported(setting, beta, "a number between 0 and 1"));
            }
        }
        Ok(config)
    }

    fn refuse_what_changes_the_noise(&self) -> Result<()> {
        if let Some(name) = self.class_name.as_deref().filter(|name| !COMPATIBLE.contains(name)) {
            return Err(unsupported("_class_name", name, &COMPATIBLE.join(", ")));
        }
        choice("final_sigmas_type", self.final_sigmas_type.as_deref(), &[("zero", ())])?;
        choice("interpolation_type", self.interpolation_type.as_deref(), &[("linear", ())])?;
        choice("timestep_type", self.timestep_type.as_deref(), &[("discrete", ())])?;
        if let Some(betas) = &self.trained_betas {
            return Err(unsupported("trained_betas", betas, "null"));
        }
        for (setting, is_on) in [
            ("thresholding", self.thresholding),
            ("rescale_betas_zero_snr", self.rescale_betas_zero_snr),
            ("use_flow_sigmas", self.use_flow_sigmas),
        ] {
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
        assert!(!config.set_alpha_to_one);
    }

    #[test]
    fn settings_that_would_change_the_noise_are_refused_by_name() {
        for (json, message) in [
            (
                r#"{"prediction_type": "sample"}"#,
                "`prediction_type` in `scheduler/scheduler_config.json` is `sample`, and only epsilon, v_prediction is supported",
            ),
            (
                r#"{"rescale_betas_zero_snr": true}"#,
                "`rescale_betas_zero_snr` in `scheduler/scheduler_config.json` is `true`, and only false is supported",
            ),
            (
                r#"{"final_sigmas_type": "sigma_min"}"#,
                "`final_sigmas_type` in `scheduler/scheduler_config.json` is `sigma_min`, and only zero is supported",
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
