//! What a pass begins with: noise, or a picture and noise.

use candle_core::Tensor;

use super::StableDiffusion;
use super::info::Form;
use super::mask::Mask;
use super::pass::Pass;
use super::request::Start;
use super::rgb::Rgb;
use crate::error::Result;
use crate::inpainting::Known;
use crate::models::vae::LatentDistribution;
use crate::noise::{NoiseGenerator, variation};
use crate::schedule::NoiseSchedule;

/// What a pass begins with.
pub(super) struct Beginning {
    /// `(1, channels, height, width)`, with the noise of the first step.
    pub(super) latent: Tensor,
    /// What the U-Net sees beside the latent.
    pub(super) beside: Beside,
    /// What stays of the start picture's latent, where the U-Net has no inputs for it.
    pub(super) known: Option<Known>,
    /// What stays of the start picture's pixels.
    pub(super) original: Option<Original>,
}

/// What a U-Net sees beside the latent.
pub(super) enum Beside {
    /// Stable Diffusion as such.
    Nothing,
    /// `(1, 1 + channels, height, width)`: a mask, and the latent of the picture without what is painted anew.
    Inputs(Tensor),
    /// `(1, channels, height, width)`: the latent of the picture to change, not scaled.
    Picture(Tensor),
}

/// The start picture at the size of the result, and the mask with its soft edge.
pub(super) struct Original {
    pub(super) picture: Rgb,
    pub(super) mask: Mask,
}

impl Beginning {
    /// Draws from `noise` in the order of diffusers' pipelines: for the picture's latent, for the noise, for the latent
    /// of the masked picture.
    pub(super) fn new(pass: &Pass<'_>, start: Option<&Start>, noise: &mut NoiseGenerator) -> Result<Self> {
        let Pass { model, width, height, .. } = *pass;
        let picture = start.map(|start| start.picture.resized(width as u32, height as u32));
        let soft = start.and_then(|start| start.mask.as_ref());
        let mask = soft.map(|soft| soft.mask.resized(width as u32, height as u32).feathered(soft.feather));
        let shrink = model.decoder.config().shrink();
        let mut drawing = Drawing {
            model,
            schedule: &pass.schedule,
            other: pass.request.variation.map(|variation| {
                (NoiseGenerator::new(pass.request.noise, variation.seed), variation.strength)
            }),
            shape: (1, model.decoder.config().latent_channels, height / shrink, width / shrink),
            is_all_noise: start.is_none_or(|start| start.strength >= 1.0),
            noise,
        };
        match (model.info.form, picture, mask) {
            (Form::Edits, Some(picture), _) => drawing.of_picture_to_edit(&picture),
            (Form::Inpaints, Some(picture), mask) => {
                let mask = mask.unwrap_or_else(|| Mask::everything(picture.width, picture.height));
                let begun = drawing.beside_inputs(&picture, &mask)?;
                Ok(Self { original: Some(Original { picture, mask }), ..begun })
            }
            (Form::Inpaints, None, _) => {
                // All of a grey picture is painted.
                let (width, height) = (width as u32, height as u32);
                let pixels = vec![128; 3 * (width * height) as usize];
                let grey = Rgb { width, height, pixels };
                drawing.beside_inputs(&grey, &Mask::everything(width, height))
            }
            (_, Some(picture), Some(mask)) => {
                let begun = drawing.over_known(&picture, &mask)?;
                Ok(Self { original: Some(Original { picture, mask }), ..begun })
            }
            (_, Some(picture), None) => {
                let clean = drawing.clean(&picture)?;
                let drawn = drawing.draw_noise()?;
                Ok(Self::plain(drawing.noisy(&clean, &drawn)?))
            }
            (_, None, _) => {
                let drawn = drawing.draw_noise()?;
                Ok(Self::plain(drawing.pure(&drawn)?))
            }
        }
    }

    fn plain(latent: Tensor) -> Self {
        Self { latent, beside: Beside::Nothing, known: None, original: None }
    }
}

/// Draws noise and brings it together with pictures.
struct Drawing<'a> {
    model: &'a StableDiffusion,
    schedule: &'a NoiseSchedule,
    /// Of a latent.
    shape: (usize, usize, usize, usize),
    /// Another noise to go to, and how far.
    other: Option<(NoiseGenerator, f64)>,
    /// Whether the whole schedule is walked, so that nothing of the picture would be seen through the noise.
    is_all_noise: bool,
    noise: &'a mut NoiseGenerator,
}

impl Drawing<'_> {
    fn draw(&mut self) -> Result<Tensor> {
        self.noise.randn(self.shape, &self.model.device)
    }

    /// What the picture develops from.
    fn draw_noise(&mut self) -> Result<Tensor> {
        let drawn = self.draw()?;
        let Some((generator, strength)) = &mut self.other else { return Ok(drawn) };
        variation(&drawn, &generator.randn(self.shape, &self.model.device)?, *strength)
    }

    /// Noise alone.
    fn pure(&self, drawn: &Tensor) -> Result<Tensor> {
        Ok((drawn * self.schedule.initial_scale)?)
    }

    /// A latent with the noise of the first step.
    fn noisy(&self, clean: &Tensor, drawn: &Tensor) -> Result<Tensor> {
        self.schedule.noised(clean, drawn)
    }

    /// A latent of the picture.
    fn clean(&mut self, picture: &Rgb) -> Result<Tensor> {
        self.sample(&picture.to_tensor(&self.model.device)?)
    }

    fn sample(&mut self, picture: &Tensor) -> Result<Tensor> {
        let distribution = self.encode(picture)?;
        distribution.sample(&self.draw()?)
    }

    fn encode(&self, picture: &Tensor) -> Result<LatentDistribution> {
        let (_, _, height, width) = picture.dims4()?;
        self.model.encoder()?.encode_in(picture, StableDiffusion::portion(width, height))
    }

    /// For a U-Net that sees the picture to change.
    fn of_picture_to_edit(&mut self, picture: &Rgb) -> Result<Beginning> {
        let encoded = self.encode(&picture.to_tensor(&self.model.device)?)?;
        let drawn = self.draw_noise()?;
        let beside = Beside::Picture(encoded.unscaled_mode().clone());
        Ok(Beginning { beside, ..Beginning::plain(self.pure(&drawn)?) })
    }

    /// For a U-Net that sees the mask and the masked picture.
    fn beside_inputs(&mut self, picture: &Rgb, mask: &Mask) -> Result<Beginning> {
        let clean = if self.is_all_noise { None } else { Some(self.clean(picture)?) };
        let drawn = self.draw_noise()?;
        let latent = match &clean {
            Some(clean) => self.noisy(clean, &drawn)?,
            None => self.pure(&drawn)?,
        };
        let device = &self.model.device;
        let masked = self.sample(&mask.take_out(picture, device)?)?;
        let mask = mask.to_latent(self.shape.2, self.shape.3, device)?;
        let beside = Beside::Inputs(Tensor::cat(&[&mask, &masked], 1)?);
        Ok(Beginning { beside, ..Beginning::plain(latent) })
    }

    /// For a U-Net that sees the latent alone.
    fn over_known(&mut self, picture: &Rgb, mask: &Mask) -> Result<Beginning> {
        let clean = self.clean(picture)?;
        let drawn = self.draw_noise()?;
        // The pipeline there draws a latent of the masked picture, and has no use for it.
        self.draw()?;
        let latent = if self.is_all_noise { self.pure(&drawn)? } else { self.noisy(&clean, &drawn)? };
        let mask = mask.to_latent(self.shape.2, self.shape.3, &self.model.device)?;
        let known = Some(Known { mask, latent: clean, noise: drawn });
        Ok(Beginning { known, ..Beginning::plain(latent) })
    }
}
