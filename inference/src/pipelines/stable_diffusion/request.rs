//! What to paint, and how.

use std::ops::ControlFlow;

use candle_core::Tensor;
use types::noise::NoiseSource;
use types::prompt::Weighting;
use types::request::MaskFill;
use types::sampler::{Sampler, Schedule};

use super::mask::Mask;
use super::preview::LatentToRgb;
use super::rgb::Rgb;
use crate::error::Result;

/// What to paint, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct PictureRequest {
    /// What is to be seen.
    pub prompt: String,
    /// What is not to be seen; may be empty. Not used without guidance.
    pub negative_prompt: String,
    /// Steps from noise to latent, at least 1.
    pub steps: usize,
    /// How weights such as `(word:1.2)` are applied.
    pub weighting: Weighting,
    /// Which of the text encoder's last blocks is listened to, from 1 on: 1 is the one that the model was trained with.
    pub clip_skip: usize,
    /// How far to push from the negative prompt to the prompt; at 1 and below there is no guidance.
    pub guidance_scale: f64,
    /// 0 to 1: how much of the contrast that guidance adds is taken back; see [`crate::guidance::Guidance`].
    pub guidance_rescale: f64,
    /// How far to push to the start picture, in models that change a picture by an instruction; 1.5 is usual.
    pub picture_guidance_scale: f64,
    /// How the noise levels are walked.
    pub sampler: Sampler,
    /// How they are spaced.
    pub schedule: Schedule,
    /// Seed of the noise; with [`NoiseSource::Cpu`] only its lower 32 bits count, as in torch.
    pub seed: u64,
    /// Whose random numbers the noise is.
    pub noise: NoiseSource,
    /// A second noise that the first goes some of the way to.
    pub variation: Option<Variation>,
    /// Pixels, a multiple of [`super::Constraints::size_multiple`].
    pub width: usize,
    /// Pixels, a multiple of [`super::Constraints::size_multiple`].
    pub height: usize,
    /// The picture to begin with, if it is not noise alone.
    pub start: Option<Start>,
    /// A second, larger pass.
    pub hires: Option<Hires>,
}

impl PictureRequest {
    /// The noise of the picture that it asks for.
    pub fn seeds(&self) -> Seeds {
        Seeds { seed: self.seed, variation: self.variation.map_or(0, |variation| variation.seed) }
    }

    /// A picture from a prompt, with everything else as it is usual.
    pub fn new(prompt: &str, width: usize, height: usize) -> Self {
        Self {
            prompt: prompt.to_owned(),
            negative_prompt: String::new(),
            weighting: Weighting::default(),
            clip_skip: 1,
            steps: 20,
            guidance_scale: 7.5,
            guidance_rescale: 0.0,
            picture_guidance_scale: 1.5,
            sampler: Sampler::DpmPlusPlus2M,
            schedule: Schedule::Karras,
            seed: 0,
            noise: NoiseSource::default(),
            variation: None,
            width,
            height,
            start: None,
            hires: None,
        }
    }
}

/// Which noise one picture of a batch is made of, where the rest of its request is that of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seeds {
    /// As [`PictureRequest::seed`].
    pub seed: u64,
    /// As [`Variation::seed`]; of no use without a variation.
    pub variation: u64,
}

/// A noise beside that of the seed, for pictures that are nearly the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Variation {
    /// Its seed.
    pub seed: u64,
    /// 0 to 1: how far to go from the first noise to this one; see [`crate::noise::variation`].
    pub strength: f64,
}

/// A picture to begin with.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// Resized if it has another size than is asked for.
    pub picture: Rgb,
    /// 0 to 1: share of the steps that are walked. The less, the more of the picture stays.
    pub strength: f64,
    /// The part that is painted anew, if not all; resized with the picture.
    pub mask: Option<SoftMask>,
}

/// A mask, how soft its edge becomes, and what is under it at first.
#[derive(Debug, Clone, PartialEq)]
pub struct SoftMask {
    /// Which part is painted anew.
    pub mask: Mask,
    /// Standard deviation of the edge, in pixels; at 0 it is hard.
    pub feather: f64,
    /// What the run begins with where the mask is white, unless it begins with noise alone.
    pub fill: MaskFill,
}

/// A second pass over the finished picture at a larger size, which keeps the composition that models find at the size
/// they know and adds the detail of a larger one ("hires fix").
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hires {
    /// Pixels, a multiple of [`super::Constraints::size_multiple`].
    pub width: usize,
    /// Pixels, a multiple of [`super::Constraints::size_multiple`].
    pub height: usize,
    /// Steps, of which the share `strength` is walked.
    pub steps: usize,
    /// 0 to 1, as [`Start::strength`].
    pub strength: f64,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Painted {
    /// The picture.
    pub picture: Rgb,
    /// Whether the VAE had to paint it in f32, because in the model's own precision it came to no picture.
    pub was_decoded_in_f32: bool,
    /// Whether the VAE had to look at what the run began with in f32, for the same reason.
    pub was_encoded_in_f32: bool,
}

/// Told after every step.
#[derive(Debug, Clone, Copy)]
pub struct StepReport<'a> {
    /// Which step is done, from 1 on.
    pub step: usize,
    /// How many there are.
    pub n_steps: usize,
    /// The estimates of the clean latents, `(batch, channels, height, width)`.
    pub(super) clean: &'a Tensor,
    pub(super) preview: Option<&'a LatentToRgb>,
}

impl StepReport<'_> {
    /// A small picture of where picture `index` of the batch stands, one pixel for one of the latent; `None` if there is
    /// no map for the model's latents. Costs about as much as nothing, and nothing if it is not called.
    ///
    /// # Errors
    /// Whatever candle says, above all if there is no such picture.
    pub fn preview(&self, index: usize) -> Result<Option<Rgb>> {
        self.preview.map(|map| map.paint(&self.clean.narrow(0, index, 1)?)).transpose()
    }
}

/// What is called after every step; breaking off ends the run.
pub type OnStep<'a> = &'a mut dyn FnMut(StepReport<'_>) -> ControlFlow<()>;
