//! Stable Diffusion 1.x, 2.x and XL, and every model of that form: from a prompt, or from a picture and a prompt, to a
//! picture.
//!
//! # Layout
//! * `request.rs`: what can be asked for
//! * `info.rs`: what a model says about itself, read without its weights
//! * `text.rs`: prompts become what the U-Net is told
//! * `pass.rs`: one walk from noise to a latent; `beginning.rs`: what it begins with
//! * `mask.rs`, `outpaint.rs`, `resize.rs`, `rgb.rs`: pictures as bytes
//! * `preview.rs`: what a latent looks like, without the VAE
//!
//! # Source
//! Rombach et al. 2022, arXiv:2112.10752; Podell et al. 2023, arXiv:2307.01952 (XL). The measure is diffusers: the same
//! folder, seed and settings give the picture of its pipelines for text to image, image to image, inpainting and
//! instructions.

mod beginning;
mod info;
mod mask;
mod outpaint;
mod pass;
mod preview;
mod request;
mod resize;
mod rgb;
mod text;

use std::sync::OnceLock;

use candle_core::{Device, Tensor};
use types::noise::NoiseSource;

pub use self::info::{Constraints, Defaults, Form, Info};
pub use self::mask::Mask;
pub use self::outpaint::{Margins, extend};
use self::pass::{Pass, Progress};
use self::preview::LatentToRgb;
pub use self::request::{Hires, OnStep, Painted, PictureRequest, SoftMask, Start, StepReport, Variation};
pub use self::rgb::Rgb;
use self::text::Conditions;
use crate::error::{Error, Result};
use crate::model_files::ModelFiles;
use crate::models::unet::Unet;
use crate::models::vae::{Portion, TILE, VaeDecoder, VaeEncoder};
use crate::noise::NoiseGenerator;
use crate::precision::Precision;
use crate::prompts::{Embeddings, PromptEncoder};
use crate::schedule::{AlignedFor, SchedulerConfig};

/// Pictures of more pixels go through the VAE in tiles: whole, they would need more than 5 GB for that alone.
const MAX_WHOLE_PIXELS: usize = 1536 * 1536;

/// A loaded model. Makes one picture at a time; share it by reference.
#[derive(Debug)]
pub struct StableDiffusion {
    files: ModelFiles,
    info: Info,
    prompts: PromptEncoder,
    unet: Unet,
    decoder: VaeDecoder,
    /// Read when a picture is first to be encoded: most runs begin with noise alone.
    encoder: OnceLock<VaeEncoder>,
    /// In f32, for pictures that leave the range of the model's own precision.
    wide_decoder: OnceLock<VaeDecoder>,
    scheduler: SchedulerConfig,
    preview: Option<LatentToRgb>,
    device: Device,
}

impl StableDiffusion {
    /// Loads a model, to compute in the precision that `files` say.
    ///
    /// # Errors
    /// [`crate::Error::Request`] if the device cannot compute in that precision;
    /// [`crate::Error::MissingFile`], [`crate::Error::BrokenFile`], [`crate::Error::MissingTensor`], [`crate::Error::TensorShape`],
    /// [`crate::Error::Unsupported`], each with the part at fault.
    pub fn load(files: &ModelFiles, device: &Device) -> Result<Self> {
        files.precision().check(device)?;
        let info = Info::read(files)?;
        let prompts = PromptEncoder::load(files, device)?;
        let unet = Unet::load(files, "unet", device)?;
        let decoder = VaeDecoder::load(files, "vae", device)?;
        info::parts_fit(&prompts, unet.config(), decoder.config())?;
        let preview = LatentToRgb::read(files, decoder.config(), device)?;
        let is_xl = unet.config().added.is_some();
        let aligned_for = if is_xl { AlignedFor::StableDiffusionXl } else { AlignedFor::StableDiffusion };
        let scheduler = SchedulerConfig { aligned_for, ..SchedulerConfig::load(files)? };
        let (files, device) = (files.clone(), device.clone());
        Ok(Self {
            files,
            info,
            prompts,
            unet,
            decoder,
            encoder: OnceLock::new(),
            wide_decoder: OnceLock::new(),
            scheduler,
            preview,
            device,
        })
    }

    /// The same with textual inversions, for prompts that name them.
    #[must_use]
    pub fn with_embeddings(mut self, embeddings: Embeddings) -> Self {
        self.prompts = self.prompts.with_embeddings(embeddings);
        self
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
    /// [`crate::Error::Size`], [`crate::Error::Schedule`] and [`crate::Error::Request`] if the request is impossible, before
    /// anything is computed; [`crate::Error::Cancelled`] if `on_step` broke off; [`crate::Error::Tokenizer`]; whatever
    /// candle says.
    pub fn generate(&self, request: &PictureRequest, on_step: OnStep<'_>) -> Result<Painted> {
        let constraints = self.constraints();
        constraints.check(request.width, request.height)?;
        let first = Pass::first(self, request)?;
        let second = request.hires.map(|hires| Pass::larger(self, request, hires)).transpose()?;

        let n_steps = first.n_steps() + second.as_ref().map_or(0, Pass::n_steps);
        let mut progress = Progress::new(n_steps, self.preview.as_ref(), on_step);
        let painted = first.run(request.start.as_ref(), &mut progress)?;
        let Some(second) = second else { return Ok(painted) };
        let strength = request.hires.map_or(1.0, |hires| hires.strength);
        let start = Start { picture: painted.picture, strength, mask: None };
        let larger = second.run(Some(&start), &mut progress)?;
        Ok(Painted { was_decoded_in_f32: painted.was_decoded_in_f32 || larger.was_decoded_in_f32, ..larger })
    }

    /// Decodes, and once more in f32 if the result is no picture: some VAEs, SDXL's above all, leave the range of f16.
    fn decode(&self, latent: &Tensor, portion: Portion) -> Result<Painted> {
        let decoded = self.decoder.decode_in(latent, portion)?;
        if is_finite(&decoded)? {
            return Ok(Painted { picture: Rgb::from_decoded(&decoded)?, was_decoded_in_f32: false });
        }
        let precision = self.files.precision();
        if precision != Precision::F32 && is_finite(latent)? {
            let decoded = self.wide_decoder()?.decode_in(latent, portion)?;
            if is_finite(&decoded)? {
                return Ok(Painted { picture: Rgb::from_decoded(&decoded)?, was_decoded_in_f32: true });
            }
        }
        Err(Error::NotFinite(precision.as_str()))
    }

    /// How much of a picture the VAE takes at once.
    fn portion(width: usize, height: usize) -> Portion {
        if width * height > MAX_WHOLE_PIXELS { Portion::Tiles(TILE) } else { Portion::Whole }
    }

    fn wide_decoder(&self) -> Result<&VaeDecoder> {
        if let Some(wide) = self.wide_decoder.get() {
            return Ok(wide);
        }
        let files = self.files.with_precision(Precision::F32);
        let wide = VaeDecoder::load(&files, "vae", &self.device)?;
        Ok(self.wide_decoder.get_or_init(|| wide))
    }

    fn encoder(&self) -> Result<&VaeEncoder> {
        if let Some(encoder) = self.encoder.get() {
            return Ok(encoder);
        }
        let encoder = VaeEncoder::load(&self.files, "vae", &self.device)?;
        Ok(self.encoder.get_or_init(|| encoder))
    }
}

/// Whether no number is infinite or none at all.
fn is_finite(x: &Tensor) -> Result<bool> {
    Ok(x.sum_all()?.to_scalar::<f32>()?.is_finite())
}

/// The parts of a run on their own, for a benchmark.
impl StableDiffusion {
    /// One guided step's work for a picture of that size: the U-Net on a batch of two.
    ///
    /// # Errors
    /// [`crate::Error::Size`]; whatever candle says.
    pub fn bench_step(&self, width: usize, height: usize) -> Result<()> {
        let latent = self.bench_latent(self.unet.config().inputs, width, height)?;
        let request = PictureRequest::new("", width, height);
        let size = (width, height);
        let conditions = Conditions::new(&self.prompts, self.unet.config(), &request, size, &self.device)?;
        let both = conditions.both()?;
        self.unet.forward(&Tensor::cat(&[&latent, &latent], 0)?, 500.0, &both)?;
        Ok(())
    }

    /// The decoding of one picture of that size.
    ///
    /// # Errors
    /// [`crate::Error::Size`]; whatever candle says.
    pub fn bench_decode(&self, width: usize, height: usize) -> Result<Rgb> {
        let latent = self.bench_latent(self.decoder.config().latent_channels, width, height)?;
        Rgb::from_decoded(&self.decoder.decode(&latent)?)
    }

    fn bench_latent(&self, channels: usize, width: usize, height: usize) -> Result<Tensor> {
        self.constraints().check(width, height)?;
        let shrink = self.decoder.config().shrink();
        NoiseGenerator::new(NoiseSource::Cpu, 0)
            .randn((1, channels, height / shrink, width / shrink), &self.device)
    }
}
