//! What a model's scheduler config says about the noise.

use crate::error::Result;
use crate::model_files::ModelFiles;
use crate::schedule::config_file::ConfigFile;

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
    /// The clean latent itself.
    Sample,
}

/// Where the last step ends, with the schedulers whose config can say so: Euler, DPM++ 2M and its stochastic kin,
/// UniPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinalSigma {
    /// Without noise.
    Zero,
    /// At the lowest training level.
    SigmaMin,
}

/// Which of the published tables *align your steps* uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlignedFor {
    /// Stable Diffusion 1 and 2.
    StableDiffusion,
    /// Stable Diffusion XL.
    StableDiffusionXl,
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
    /// Whether the last step of DDIM and PNDM ends without noise, or at the lowest training level; `None` leaves it to
    /// the sampler: DDIM ends without, PNDM at that level.
    pub set_alpha_to_one: Option<bool>,
    /// DPM++ leaves out timesteps with ln(signal / noise) below this; needed for the cosine schedule.
    pub lambda_min_clipped: Option<f64>,
    /// Whether betas are rescaled until the last training level is noise alone. diffusers does so in some of its
    /// schedulers; here it holds for every sampler, as the model was trained that way.
    pub rescale_betas_zero_snr: bool,
    /// Where the last step ends.
    pub final_sigma: FinalSigma,
    /// Whether PNDM begins without Runge-Kutta steps, as every Stable Diffusion does.
    pub skip_prk_steps: bool,
    /// How many timesteps LCM and TCD choose theirs from.
    pub original_inference_steps: usize,
    /// The table of [`Schedule::AlignYourSteps`](types::sampler::Schedule::AlignYourSteps); no config names it, the
    /// pipeline knows.
    pub aligned_for: AlignedFor,
}

/// The values that diffusers takes where the file is silent, but for `skip_prk_steps`: Runge-Kutta steps have to be
/// asked for.
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
            set_alpha_to_one: None,
            lambda_min_clipped: None,
            rescale_betas_zero_snr: false,
            final_sigma: FinalSigma::Zero,
            skip_prk_steps: true,
            original_inference_steps: 50,
            aligned_for: AlignedFor::StableDiffusion,
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
    /// [`MissingFile`](crate::Error::MissingFile) and [`BrokenFile`](crate::Error::BrokenFile) from reading;
    /// [`Unsupported`](crate::Error::Unsupported) if the model
    /// was trained in a way that the samplers here cannot follow.
    pub fn load(files: &ModelFiles) -> Result<Self> {
        let config = files.json::<ConfigFile>(Self::FILE)?.checked()?;
        Ok(Self { steps_offset: 1, ..config })
    }

    pub(super) fn spacing_or(&self, default: TimestepSpacing) -> TimestepSpacing {
        self.timestep_spacing.unwrap_or(default)
    }
}
