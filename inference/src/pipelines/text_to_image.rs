//! Text to image: Stable Diffusion 1.x and 2.x, and every model of that form.
//!
//! # Source
//! Rombach et al. 2022, arXiv:2112.10752. The measure is diffusers' `StableDiffusionPipeline`: the same
//! folder, seed and settings give the same picture.

mod info;
mod preview;
mod rgb;

use std::ops::ControlFlow;

use candle_core::{Device, Tensor};
use types::sampler::{Sampler, Schedule};

pub use self::info::{Constraints, Defaults, Info};
use self::preview::LatentToRgb;
pub use self::rgb::Rgb;
use crate::denoiser::denoiser;
use crate::error::Result;
use crate::guidance::{Guided, is_guided};
use crate::model_files::ModelFiles;
use crate::models::clip::ClipTextEncoder;
use crate::models::unet::Unet;
use crate::models::vae::VaeDecoder;
use crate::noise::TorchCpuGenerator;
use crate::samplers::sample;
use crate::schedule::{NoiseSchedule, SchedulerConfig};
use crate::tokenizers::clip::ClipTokenizer;

/// What to paint, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct TextToImage {
    /// What is to be seen. Words after the 75th token are not read.
    pub prompt: String,
    /// What is not to be seen; may be empty. Not used without guidance.
    pub negative_prompt: String,
    /// Steps from noise to latent, at least 1.
    pub steps: usize,
    /// How far to push from the negative prompt to the prompt; at 1 and below there is no guidance.
    pub guidance_scale: f64,
    /// How the noise levels are walked.
    pub sampler: Sampler,
    /// How they are spaced.
    pub schedule: Schedule,
    /// Where the noise comes from; as in torch only its lower 32 bits count.
    pub seed: u64,
    /// Pixels, a multiple of [`Constraints::size_multiple`].
    pub width: usize,
    /// Pixels, a multiple of [`Constraints::size_multiple`].
    pub height: usize,
}

/// Told after every step.
#[derive(Debug, Clone, Copy)]
pub struct StepReport<'a> {
    /// Which step is done, from 1 on.
    pub step: usize,
    /// How many there are.
    pub n_steps: usize,
    /// The estimate of the clean latent, `(1, channels, height, width)`.
    clean: &'a Tensor,
    preview: Option<&'a LatentToRgb>,
}

impl StepReport<'_> {
    /// A small picture of where the run stands, one pixel for one of the latent; `None` if the model brings
    /// no map for it. Costs about as much as nothing, and nothing if it is not called.
    ///
    /// # Errors
    /// Whatever candle says.
    pub fn preview(&self) -> Result<Option<Rgb>> {
        self.preview.map(|map| map.paint(self.clean)).transpose()
    }
}

/// A loaded model. Makes one picture at a time; share it by reference.
#[derive(Debug)]
pub struct StableDiffusion {
    info: Info,
    tokenizer: ClipTokenizer,
    text_encoder: ClipTextEncoder,
    unet: Unet,
    vae: VaeDecoder,
    scheduler: SchedulerConfig,
    preview: Option<LatentToRgb>,
    device: Device,
}

impl StableDiffusion {
    /// Loads a model in diffusers' layout.
    ///
    /// # Errors
    /// [`crate::Error::MissingFile`], [`crate::Error::BrokenFile`], [`crate::Error::MissingTensor`], [`crate::Error::TensorShape`],
    /// [`crate::Error::Unsupported`], each with the part at fault.
    pub fn load(files: &ModelFiles, device: &Device) -> Result<Self> {
        let info = Info::read(files)?;
        let text_encoder = ClipTextEncoder::load(files, "text_encoder", device)?;
        let tokenizer = ClipTokenizer::load(files, "tokenizer", text_encoder.config().max_tokens)?;
        let unet = Unet::load(files, "unet", device)?;
        let vae = VaeDecoder::load(files, "vae", device)?;
        info::parts_fit(text_encoder.config(), unet.config(), vae.config())?;
        let preview = LatentToRgb::read(files, vae.config().latent_channels, device)?;
        let scheduler = SchedulerConfig::load(files)?;
        let device = device.clone();
        Ok(Self { info, tokenizer, text_encoder, unet, vae, scheduler, preview, device })
    }

    /// What the model says about itself.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// What it can be asked for.
    pub fn constraints(&self) -> &Constraints {
        &self.info.constraints
    }

    /// Paints a picture.
    ///
    /// `on_step` is called after every step; breaking ends the run within that step, and after the last one
    /// before the picture is decoded.
    ///
    /// # Errors
    /// [`crate::Error::Size`] and [`crate::Error::Schedule`] if the request is impossible, before anything is computed;
    /// [`crate::Error::Cancelled`] if `on_step` broke off; [`crate::Error::Tokenizer`]; whatever candle says.
    pub fn generate(
        &self,
        request: &TextToImage,
        on_step: &mut dyn FnMut(StepReport<'_>) -> ControlFlow<()>,
    ) -> Result<Rgb> {
        self.constraints().check(request.width, request.height)?;
        let TextToImage { sampler, schedule, steps, guidance_scale, .. } = *request;
        let noise_schedule = NoiseSchedule::new(&self.scheduler, sampler, schedule, steps)?;

        let prompt = self.encode(&request.prompt)?;
        let negative =
            if is_guided(guidance_scale) { self.encode(&request.negative_prompt)? } else { prompt.clone() };

        let mut noise = TorchCpuGenerator::new(request.seed);
        let shrink = self.vae.config().shrink();
        let shape = (1, self.vae.config().latent_channels, request.height / shrink, request.width / shrink);
        let start = (noise.randn(shape, &self.device)? * noise_schedule.initial_scale)?;

        let network = |x: &Tensor, timestep: f64, text: &Tensor| self.unet.forward(x, timestep, text);
        let guided = Guided::new(network, &prompt, &negative, guidance_scale)?;
        let denoiser = denoiser(self.scheduler.prediction_type, guided);
        let preview = self.preview.as_ref();
        let latent = sample(sampler, &*denoiser, start, &noise_schedule.steps, &mut noise, &mut |done| {
            on_step(StepReport { step: done.index + 1, n_steps: done.n_steps, clean: done.clean, preview })
        })?;
        Rgb::from_decoded(&self.vae.decode(&latent)?)
    }

    /// A text as `(1, tokens, channels)`.
    fn encode(&self, text: &str) -> Result<Tensor> {
        self.text_encoder.forward(&[self.tokenizer.encode(text)?])
    }
}

/// The parts of a run on their own, for a benchmark.
impl StableDiffusion {
    /// One guided step's work for a picture of that size: the U-Net on a batch of two.
    ///
    /// # Errors
    /// [`crate::Error::Size`]; whatever candle says.
    pub fn bench_step(&self, width: usize, height: usize) -> Result<()> {
        let latent = self.bench_latent(width, height)?;
        let text = self.encode("")?;
        self.unet.forward(&Tensor::cat(&[&latent, &latent], 0)?, 500.0, &Tensor::cat(&[&text, &text], 0)?)?;
        Ok(())
    }

    /// The decoding of one picture of that size.
    ///
    /// # Errors
    /// [`crate::Error::Size`]; whatever candle says.
    pub fn bench_decode(&self, width: usize, height: usize) -> Result<Rgb> {
        Rgb::from_decoded(&self.vae.decode(&self.bench_latent(width, height)?)?)
    }

    fn bench_latent(&self, width: usize, height: usize) -> Result<Tensor> {
        self.constraints().check(width, height)?;
        let shrink = self.vae.config().shrink();
        let shape = (1, self.vae.config().latent_channels, height / shrink, width / shrink);
        TorchCpuGenerator::new(0).randn(shape, &self.device)
    }
}
