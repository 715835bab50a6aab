//! What a pass begins with: noise, or a picture and noise.

use std::borrow::Cow;

use candle_core::Tensor;
use types::request::MaskFill;

use super::StableDiffusion;
use super::fill::fill;
use super::info::Form;
use super::mask::Mask;
use super::pass::Pass;
use super::request::{Seeds, SoftMask, Start};
use super::rgb::Rgb;
use crate::error::Result;
use crate::inpainting::Known;
use crate::models::vae::LatentDistribution;
use crate::noise::{NoiseGenerator, variation};
use crate::schedule::NoiseSchedule;

/// What a pass begins with besides noise.
pub(super) struct Origin<'a> {
    /// One for all pictures of the batch, or one for each.
    pub(super) pictures: Vec<&'a Rgb>,
    /// As [`Start::strength`].
    pub(super) strength: f64,
    /// As [`Start::mask`]; with one picture alone.
    pub(super) mask: Option<&'a SoftMask>,
}

impl<'a> From<&'a Start> for Origin<'a> {
    fn from(Start { picture, strength, mask }: &'a Start) -> Self {
        Self { pictures: vec![picture], strength: *strength, mask: mask.as_ref() }
    }
}

/// What a pass begins with.
pub(super) struct Beginning {
    /// `(batch, channels, height, width)`, with the noise of the first step.
    pub(super) latent: Tensor,
    /// What the U-Net sees beside the latent.
    pub(super) beside: Beside,
    /// What stays of the start picture's latent, where the U-Net has no inputs for it.
    pub(super) known: Option<Known>,
    /// What stays of the start picture's pixels.
    pub(super) original: Option<Original>,
    /// Whether the VAE had to look at it in f32.
    pub(super) was_encoded_in_f32: bool,
}

/// What a U-Net sees beside the latent.
pub(super) enum Beside {
    /// Stable Diffusion as such.
    Nothing,
    /// `(batch, 1 + channels, height, width)`: a mask, and the latent of the picture without what is painted anew.
    Inputs(Tensor),
    /// `(batch, channels, height, width)`: the latent of the picture to change, not scaled.
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
    pub(super) fn new(
        pass: &Pass<'_>,
        seeds: &[Seeds],
        origin: Option<&Origin<'_>>,
        noise: &mut NoiseGenerator,
    ) -> Result<Self> {
        let Pass { model, width, height, .. } = *pass;
        let (w, h) = (width as u32, height as u32);
        let pictures: Vec<Rgb> = origin
            .map(|origin| origin.pictures.iter().map(|picture| picture.resized(w, h)).collect())
            .unwrap_or_default();
        let soft = origin.and_then(|origin| origin.mask);
        let mask = soft.map(|soft| (soft.mask.resized(w, h).feathered(soft.feather), soft.fill));
        let vae = &model.parts.vae_config;
        let shrink = vae.shrink();
        let mut drawing = Drawing {
            model,
            schedule: &pass.schedule,
            others: pass.request.variation.map(|variation| {
                let of_one = |seeds: &Seeds| NoiseGenerator::new(pass.request.noise, seeds.variation);
                (seeds.iter().map(of_one).collect(), variation.strength)
            }),
            shape: (seeds.len(), vae.latent_channels, height / shrink, width / shrink),
            is_all_noise: origin.is_none_or(|origin| origin.strength >= 1.0),
            noise,
            was_encoded_in_f32: false,
        };
        let begun = drawing.begin(model.info.form, pictures, mask)?;
        Ok(Self { was_encoded_in_f32: drawing.was_encoded_in_f32, ..begun })
    }

    fn plain(latent: Tensor) -> Self {
        Self { latent, beside: Beside::Nothing, known: None, original: None, was_encoded_in_f32: false }
    }
}

/// Draws noise and brings it together with pictures.
struct Drawing<'a> {
    model: &'a StableDiffusion,
    schedule: &'a NoiseSchedule,
    /// Of the latents of the whole batch.
    shape: (usize, usize, usize, usize),
    /// For each picture another noise to go to, and how far.
    others: Option<(Vec<NoiseGenerator>, f64)>,
    /// Whether the whole schedule is walked, so that nothing of the picture would be seen through the noise.
    is_all_noise: bool,
    noise: &'a mut NoiseGenerator,
    was_encoded_in_f32: bool,
}

impl Drawing<'_> {
    fn begin(
        &mut self,
        form: Form,
        mut pictures: Vec<Rgb>,
        mask: Option<(Mask, MaskFill)>,
    ) -> Result<Beginning> {
        let (_, _, height, width) = self.shape;
        let shrink = self.model.parts.vae_config.shrink();
        let (width, height) = ((width * shrink) as u32, (height * shrink) as u32);
        if pictures.is_empty() {
            if form != Form::Inpaints {
                let drawn = self.draw_noise()?;
                return Ok(Beginning::plain(self.pure(&drawn)?));
            }
            // All of a grey picture is painted.
            let pixels = vec![128; 3 * (width * height) as usize];
            let grey = Rgb { width, height, pixels };
            return self.beside_inputs(&[grey], &Mask::everything(width, height), MaskFill::Original);
        }
        match (form, mask) {
            (Form::Edits, _) => self.of_pictures_to_edit(&pictures),
            (Form::Inpaints, mask) => {
                let (mask, fill) =
                    mask.unwrap_or_else(|| (Mask::everything(width, height), MaskFill::Original));
                let begun = self.beside_inputs(&pictures, &mask, fill)?;
                // A mask comes with one picture; without one nothing stays.
                Ok(Beginning { original: Some(Original { picture: pictures.swap_remove(0), mask }), ..begun })
            }
            (Form::Paints, Some((mask, fill))) => {
                let begun = self.over_known(&pictures, &mask, fill)?;
                Ok(Beginning { original: Some(Original { picture: pictures.swap_remove(0), mask }), ..begun })
            }
            (Form::Paints, None) => {
                let clean = self.clean(&pictures)?;
                let drawn = self.draw_noise()?;
                Ok(Beginning::plain(self.noisy(&clean, &drawn)?))
            }
        }
    }

    fn draw(&mut self) -> Result<Tensor> {
        self.noise.randn(self.shape, &self.model.device)
    }

    /// What the pictures develop from.
    fn draw_noise(&mut self) -> Result<Tensor> {
        let drawn = self.draw()?;
        let Some((generators, strength)) = &mut self.others else { return Ok(drawn) };
        let (_, channels, height, width) = self.shape;
        let varied = generators.iter_mut().enumerate().map(|(i, generator)| {
            let other = generator.randn((1, channels, height, width), &self.model.device)?;
            variation(&drawn.narrow(0, i, 1)?, &other, *strength)
        });
        Ok(Tensor::cat(&varied.collect::<Result<Vec<_>>>()?, 0)?)
    }

    /// Noise alone.
    fn pure(&self, drawn: &Tensor) -> Result<Tensor> {
        Ok((drawn * self.schedule.initial_scale)?)
    }

    /// Latents with the noise of the first step.
    fn noisy(&self, clean: &Tensor, drawn: &Tensor) -> Result<Tensor> {
        self.schedule.noised(clean, drawn)
    }

    /// Latents of the pictures.
    fn clean(&mut self, pictures: &[Rgb]) -> Result<Tensor> {
        let tensors: Vec<Tensor> =
            pictures.iter().map(|picture| picture.to_tensor(&self.model.device)).collect::<Result<_>>()?;
        self.sample(&tensors)
    }

    fn sample(&mut self, pictures: &[Tensor]) -> Result<Tensor> {
        let distribution = self.encode(pictures)?;
        distribution.sample(&self.draw()?)
    }

    /// One after the other: a VAE needs much more memory than what it looks at.
    fn encode(&mut self, pictures: &[Tensor]) -> Result<LatentDistribution> {
        let mut encoded = Vec::new();
        for picture in pictures {
            let (_, _, height, width) = picture.dims4()?;
            let (distribution, was_in_f32) =
                self.model.encode(picture, StableDiffusion::portion(width, height))?;
            self.was_encoded_in_f32 |= was_in_f32;
            encoded.push(distribution);
        }
        LatentDistribution::cat(&encoded)
    }

    /// For a U-Net that sees the picture to change.
    fn of_pictures_to_edit(&mut self, pictures: &[Rgb]) -> Result<Beginning> {
        let tensors: Vec<Tensor> =
            pictures.iter().map(|picture| picture.to_tensor(&self.model.device)).collect::<Result<_>>()?;
        let encoded = self.encode(&tensors)?;
        let drawn = self.draw_noise()?;
        let beside = Beside::Picture(self.for_each(encoded.unscaled_mode())?);
        Ok(Beginning { beside, ..Beginning::plain(self.pure(&drawn)?) })
    }

    /// For a U-Net that sees the mask and the masked picture.
    fn beside_inputs(&mut self, pictures: &[Rgb], mask: &Mask, fill: MaskFill) -> Result<Beginning> {
        let clean = if self.is_all_noise { None } else { Some(self.clean(&filled(pictures, mask, fill))?) };
        let drawn = self.draw_noise()?;
        let latent = match clean {
            Some(clean) => self.noisy(&self.replaced(clean, &drawn, mask, fill)?, &drawn)?,
            None => self.pure(&drawn)?,
        };
        let device = &self.model.device;
        let taken_out: Vec<Tensor> =
            pictures.iter().map(|picture| mask.take_out(picture, device)).collect::<Result<_>>()?;
        let masked = self.sample(&taken_out)?;
        let mask = self.for_each(&mask.to_latent(self.shape.2, self.shape.3, device)?)?;
        let beside = Beside::Inputs(Tensor::cat(&[&mask, &masked], 1)?);
        Ok(Beginning { beside, ..Beginning::plain(latent) })
    }

    /// For a U-Net that sees the latent alone.
    fn over_known(&mut self, pictures: &[Rgb], mask: &Mask, fill: MaskFill) -> Result<Beginning> {
        let clean = self.clean(&filled(pictures, mask, fill))?;
        let drawn = self.draw_noise()?;
        let clean = self.replaced(clean, &drawn, mask, fill)?;
        // The pipeline there draws a latent of the masked picture, and has no use for it.
        self.draw()?;
        let latent = if self.is_all_noise { self.pure(&drawn)? } else { self.noisy(&clean, &drawn)? };
        let mask = mask.to_latent(self.shape.2, self.shape.3, &self.model.device)?;
        let known = Some(Known { mask, latent: clean, noise: drawn });
        Ok(Beginning { known, ..Beginning::plain(latent) })
    }

    /// Latents with noise, or nothing, where the mask is white, if that is what it is to be filled with.
    fn replaced(&self, clean: Tensor, drawn: &Tensor, mask: &Mask, fill: MaskFill) -> Result<Tensor> {
        let (_, _, height, width) = self.shape;
        let is_new = mask.to_latent(height, width, &self.model.device)?;
        replaced(clean, drawn, &is_new, fill)
    }

    /// What there is once for all pictures of the batch, once for each.
    fn for_each(&self, x: &Tensor) -> Result<Tensor> {
        let n = self.shape.0 / x.dim(0)?;
        Ok(if n == 1 { x.clone() } else { Tensor::cat(&vec![x; n], 0)? })
    }
}

/// The pictures as their latents are made of them. Whatever is put in the place of a part of them, nothing of that part is to
/// reach the latent beside it.
fn filled<'a>(pictures: &'a [Rgb], mask: &Mask, with: MaskFill) -> Cow<'a, [Rgb]> {
    match with {
        MaskFill::Original => Cow::Borrowed(pictures),
        MaskFill::Fill | MaskFill::Noise | MaskFill::Nothing => {
            pictures.iter().map(|picture| fill(picture, mask)).collect()
        }
    }
}

/// `clean` with what `with` says where `is_new` is 1, and as it is where that is 0.
fn replaced(clean: Tensor, drawn: &Tensor, is_new: &Tensor, with: MaskFill) -> Result<Tensor> {
    let kept = || clean.broadcast_mul(&(1.0 - is_new)?);
    match with {
        MaskFill::Original | MaskFill::Fill => Ok(clean),
        MaskFill::Noise => Ok((kept()? + drawn.broadcast_mul(is_new)?)?),
        MaskFill::Nothing => Ok(kept()?),
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn noise_and_nothing_stand_in_the_latent_where_the_mask_is_white_and_nowhere_else() {
        let latent =
            |values: [f32; 4]| Tensor::from_vec(values.to_vec(), (1, 2, 1, 2), &Device::Cpu).unwrap();
        let is_new = Tensor::from_vec(vec![0_f32, 1.0], (1, 1, 1, 2), &Device::Cpu).unwrap();
        let (clean, drawn) = (latent([1.0, 2.0, 3.0, 4.0]), latent([-1.0, -2.0, -3.0, -4.0]));
        let found = |with| {
            let found = replaced(clean.clone(), &drawn, &is_new, with).unwrap();
            found.flatten_all().unwrap().to_vec1::<f32>().unwrap()
        };
        assert_eq!(found(MaskFill::Original), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(
            found(MaskFill::Fill),
            [1.0, 2.0, 3.0, 4.0],
            "the picture was filled before it was encoded"
        );
        assert_eq!(found(MaskFill::Noise), [1.0, -2.0, 3.0, -4.0]);
        assert_eq!(found(MaskFill::Nothing), [1.0, 0.0, 3.0, 0.0]);
    }
}
