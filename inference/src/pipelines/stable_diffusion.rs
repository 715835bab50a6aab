//! Stable Diffusion 1.x, 2.x and XL, and every model of that form: from a prompt, or from a picture and a prompt, to a
//! picture.
//!
//! # Layout
//! * `request.rs`: what can be asked for
//! * `info.rs`: what a model says about itself, read without its weights
//! * `text.rs`: prompts become what the U-Net is told
//! * `parts.rs`: the networks, and how long each is in memory
//! * `pass.rs`: one walk from noise to a latent; `beginning.rs`: what it begins with
//! * `mask.rs`, `fill.rs`, `outpaint.rs`, `rgb.rs`: pictures as bytes
//! * `preview.rs`: what a latent looks like, without the VAE
//!
//! # Source
//! Rombach et al. 2022, arXiv:2112.10752; Podell et al. 2023, arXiv:2307.01952 (XL). The measure is diffusers: the same
//! folder, seed and settings give the picture of its pipelines for text to image, image to image, inpainting and
//! instructions.

mod beginning;
mod fill;
mod info;
mod mask;
mod outpaint;
mod parts;
mod pass;
mod preview;
mod request;
mod rgb;
mod text;

use candle_core::{Device, Tensor};
use types::noise::NoiseSource;

use self::beginning::Origin;
pub use self::info::{Constraints, Defaults, Form, Info};
pub use self::mask::Mask;
pub use self::outpaint::{Margins, extend};
use self::parts::Parts;
pub use self::parts::{LoadOptions, Residence};
use self::pass::{Pass, Progress};
use self::preview::LatentToRgb;
pub use self::request::{
    Hires, OnStep, Painted, PictureRequest, Seeds, SoftMask, Start, StepReport, Variation,
};
pub use self::rgb::Rgb;
use self::text::Conditions;
use crate::error::{Error, Result};
use crate::model_files::ModelFiles;
use crate::models::vae::{LatentDistribution, Portion, TILE};
use crate::noise::NoiseGenerator;
use crate::precision::Precision;
use crate::schedule::{AlignedFor, SchedulerConfig};

/// Pictures of more pixels go through the VAE in tiles: whole, they would need more than 5 GB for that alone.
const MAX_WHOLE_PIXELS: usize = 1536 * 1536;

/// A loaded model. Makes one picture, or one batch, at a time; share it by reference.
#[derive(Debug)]
pub struct StableDiffusion {
    info: Info,
    parts: Parts,
    scheduler: SchedulerConfig,
    preview: Option<LatentToRgb>,
    device: Device,
}

/// A picture out of the VAE.
struct Decoded {
    picture: Rgb,
    was_in_f32: bool,
}

impl StableDiffusion {
    /// Loads a model, to compute in the precision that `files` say, and keeps all of it.
    ///
    /// # Errors
    /// [`crate::Error::Request`] if the device cannot compute in that precision;
    /// [`crate::Error::MissingFile`], [`crate::Error::BrokenFile`], [`crate::Error::MissingTensor`], [`crate::Error::TensorShape`],
    /// [`crate::Error::Unsupported`], each with the part at fault.
    pub fn load(files: &ModelFiles, device: &Device) -> Result<Self> {
        Self::load_with(files, device, LoadOptions::default())
    }

    /// [`StableDiffusion::load`], with a choice.
    ///
    /// # Errors
    /// As [`StableDiffusion::load`].
    pub fn load_with(files: &ModelFiles, device: &Device, options: LoadOptions) -> Result<Self> {
        files.precision().check(device)?;
        let info = Info::read(files)?;
        let parts = Parts::load(files, device, options)?;
        let preview = LatentToRgb::read(files, &parts.vae_config, device)?;
        let is_xl = parts.unet_config.added.is_some();
        let aligned_for = if is_xl { AlignedFor::StableDiffusionXl } else { AlignedFor::StableDiffusion };
        let scheduler = SchedulerConfig { aligned_for, ..SchedulerConfig::load(files)? };
        Ok(Self { info, parts, scheduler, preview, device: device.clone() })
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
        let mut painted = self.generate_batch(request, &[request.seeds()], on_step)?;
        Ok(painted.remove(0))
    }

    /// Paints a picture for each of `seeds`, which stand in the place of the request's own. The U-Net looks at all of
    /// them together; the VAE, which needs more memory, takes one after the other.
    ///
    /// Each picture is the one that its seeds give alone. On other devices than the processor that holds but for the
    /// order in which sums are added up.
    ///
    /// # Errors
    /// As [`StableDiffusion::generate`]; [`crate::Error::Request`] if there are no seeds.
    pub fn generate_batch(
        &self,
        request: &PictureRequest,
        seeds: &[Seeds],
        on_step: OnStep<'_>,
    ) -> Result<Vec<Painted>> {
        if seeds.is_empty() {
            return Err(Error::Request("a batch needs at least 1 picture".to_owned()));
        }
        let constraints = self.constraints();
        constraints.check(request.width, request.height)?;
        let first = Pass::first(self, request)?;
        let second = match request.hires {
            Some(hires) => Some((Pass::larger(self, request, hires)?, hires)),
            None => None,
        };

        let n_steps = first.n_steps() + second.as_ref().map_or(0, |(pass, _)| pass.n_steps());
        let mut progress = Progress::new(n_steps, self.preview.as_ref(), on_step);
        let origin = request.start.as_ref().map(Origin::from);
        let painted = first.run(seeds, origin.as_ref(), &mut progress)?;
        let Some((second, Hires { strength, .. })) = second else { return Ok(painted) };
        let pictures = painted.iter().map(|painted| &painted.picture).collect();
        let origin = Origin { pictures, strength, mask: None };
        let larger = second.run(seeds, Some(&origin), &mut progress)?;
        let joined = larger.into_iter().zip(&painted).map(|(larger, first)| Painted {
            was_decoded_in_f32: larger.was_decoded_in_f32 || first.was_decoded_in_f32,
            was_encoded_in_f32: larger.was_encoded_in_f32 || first.was_encoded_in_f32,
            ..larger
        });
        Ok(joined.collect())
    }

    /// Decodes, and once more in f32 if the result is no picture: some VAEs, SDXL's above all, leave the range of f16.
    fn decode(&self, latent: &Tensor, portion: Portion) -> Result<Decoded> {
        let decoded = self.parts.decoder()?.decode_in(latent, portion)?;
        if is_finite(&decoded)? {
            return Ok(Decoded { picture: Rgb::from_decoded(&decoded)?, was_in_f32: false });
        }
        let precision = self.parts.precision();
        if precision != Precision::F32 && is_finite(latent)? {
            let decoded = self.parts.wide_decoder()?.decode_in(latent, portion)?;
            if is_finite(&decoded)? {
                return Ok(Decoded { picture: Rgb::from_decoded(&decoded)?, was_in_f32: true });
            }
        }
        Err(Error::NotFinite(precision.as_str()))
    }

    /// Encodes, and once more in f32 if the result is no latent. Says whether it was.
    fn encode(&self, picture: &Tensor, portion: Portion) -> Result<(LatentDistribution, bool)> {
        let is_latent = |encoded: &LatentDistribution| {
            Ok::<_, Error>(is_finite(encoded.unscaled_mode())? && is_finite(encoded.deviation())?)
        };
        let encoded = self.parts.encoder()?.encode_in(picture, portion)?;
        if is_latent(&encoded)? {
            return Ok((encoded, false));
        }
        let precision = self.parts.precision();
        if precision != Precision::F32 {
            let encoded = self.parts.wide_encoder()?.encode_in(picture, portion)?;
            if is_latent(&encoded)? {
                return Ok((encoded, true));
            }
        }
        Err(Error::NotFinite(precision.as_str()))
    }

    /// How much of a picture the VAE takes at once.
    fn portion(width: usize, height: usize) -> Portion {
        if width * height > MAX_WHOLE_PIXELS { Portion::Tiles(TILE) } else { Portion::Whole }
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
        let latent = self.bench_latent(self.parts.unet_config.inputs, width, height)?;
        let request = PictureRequest::new("", width, height);
        let size = (width, height);
        let (prompts, unet) = (self.parts.prompts()?, self.parts.unet()?);
        let both = Conditions::new(&prompts, unet.config(), &request, size, &self.device)?.both()?;
        unet.forward(&Tensor::cat(&[&latent, &latent], 0)?, 500.0, &both)?;
        Ok(())
    }

    /// The decoding of one picture of that size.
    ///
    /// # Errors
    /// [`crate::Error::Size`]; whatever candle says.
    pub fn bench_decode(&self, width: usize, height: usize) -> Result<Rgb> {
        let latent = self.bench_latent(self.parts.vae_config.latent_channels, width, height)?;
        Rgb::from_decoded(&self.parts.decoder()?.decode(&latent)?)
    }

    fn bench_latent(&self, channels: usize, width: usize, height: usize) -> Result<Tensor> {
        self.constraints().check(width, height)?;
        let shrink = self.parts.vae_config.shrink();
        NoiseGenerator::new(NoiseSource::Cpu, 0)
            .randn((1, channels, height / shrink, width / shrink), &self.device)
    }
}
