//! Classifier-free guidance: a prediction pushed away from the negative prompt.

use candle_core::{D, Tensor};

use crate::denoiser::Network;
use crate::error::Result;
use crate::models::unet::Condition;

/// A text-conditioned network with its texts and guidance, so that it is a [`Network`] of the latent alone.
///
/// Both predictions come from one call with twice the batch, the negative one first, as in diffusers.
///
/// # Source
/// Ho and Salimans 2022, arXiv:2207.12598, equation 6, with `scale` = 1 + w: at 1 the guided prediction is the
/// plain one. Guidance of predictions equals guidance of clean estimates, which are linear in them.
#[derive(Debug)]
pub struct Guided<F> {
    network: F,
    condition: Condition,
    guidance: Guidance,
}

/// How far to push, and how much of the contrast to take back that pushing adds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Guidance {
    /// At 1 and below there is nothing to push: the negative prompt is not used, and the network runs once instead
    /// of twice.
    pub scale: f64,
    /// 0 to 1: share of the guided prediction that is brought back to the standard deviation of the plain one. Above
    /// all for models with v-prediction and zero terminal signal-to-noise ratio, which 0.7 suits.
    ///
    /// # Source
    /// Lin et al. 2023, arXiv:2305.08891, section 3.4; `rescale_noise_cfg` in diffusers.
    pub rescale: f64,
}

impl<F: Fn(&Tensor, f64, &Condition) -> Result<Tensor>> Guided<F> {
    /// * `network`: predicts from latent `(batch, channels, height, width)`, timestep, and conditions of the same
    ///   batch.
    /// * `positive`, `negative`: encoded prompts for one batch.
    ///
    /// # Errors
    /// [`crate::Error::Candle`] if the two conditions differ in shape.
    pub fn new(network: F, positive: &Condition, negative: &Condition, guidance: Guidance) -> Result<Self> {
        let condition =
            if is_guided(guidance.scale) { Condition::cat(&[negative, positive])? } else { positive.clone() };
        Ok(Self { network, condition, guidance })
    }
}

impl<F: Fn(&Tensor, f64, &Condition) -> Result<Tensor>> Network for Guided<F> {
    fn predict(&self, x: &Tensor, timestep: f64) -> Result<Tensor> {
        let Guidance { scale, rescale } = self.guidance;
        if !is_guided(scale) {
            return (self.network)(x, timestep, &self.condition);
        }
        let twice = Tensor::cat(&[x, x], 0)?;
        let predictions = (self.network)(&twice, timestep, &self.condition)?.chunk(2, 0)?;
        let (negative, positive) = (&predictions[0], &predictions[1]);
        let guided = (negative + ((positive - negative)? * scale)?)?;
        if rescale > 0.0 { with_contrast_of(positive, &guided, rescale) } else { Ok(guided) }
    }
}

/// `guided`, of which `share` is brought to the standard deviation of `plain`, picture by picture.
fn with_contrast_of(plain: &Tensor, guided: &Tensor, share: f64) -> Result<Tensor> {
    let deviation = |x: &Tensor| x.flatten_from(1)?.var_keepdim(D::Minus1)?.sqrt();
    let factor = (deviation(plain)? / deviation(guided)?)?.unsqueeze(2)?.unsqueeze(3)?;
    Ok(((guided.broadcast_mul(&factor)? * share)? + (guided * (1.0 - share))?)?)
}

/// Whether a guidance scale needs the negative prompt at all.
pub fn is_guided(scale: f64) -> bool {
    scale > 1.0
}

/// A network that changes a picture by an instruction: guided by the text and, apart from that, by the picture.
///
/// # Source
/// Brooks et al. 2023, arXiv:2211.09800, equation 3; diffusers' `StableDiffusionInstructPix2PixPipeline`.
#[derive(Debug)]
pub struct GuidedByPicture<F> {
    network: F,
    condition: Condition,
    pictures: Tensor,
    scale: f64,
    picture_scale: f64,
}

impl<F: Fn(&Tensor, f64, &Condition) -> Result<Tensor>> GuidedByPicture<F> {
    /// * `network`: as for [`Guided`], but its latent has the picture's latent behind it.
    /// * `picture`: latent of the picture to change, not scaled, shaped like `x`.
    /// * `scale`, `picture_scale`: how far to push to text and picture. At a `scale` of 1 and below, or a
    ///   `picture_scale` below 1, nothing is pushed and the network runs once instead of three times.
    ///
    /// # Errors
    /// [`crate::Error::Candle`] if shapes do not fit.
    pub fn new(
        network: F,
        positive: &Condition,
        negative: &Condition,
        picture: &Tensor,
        scale: f64,
        picture_scale: f64,
    ) -> Result<Self> {
        let is_guided = is_guided(scale) && picture_scale >= 1.0;
        let (condition, pictures) = if is_guided {
            let pictures = Tensor::cat(&[picture, picture, &picture.zeros_like()?], 0)?;
            (Condition::cat(&[positive, negative, negative])?, pictures)
        } else {
            (positive.clone(), picture.clone())
        };
        Ok(Self { network, condition, pictures, scale, picture_scale })
    }
}

impl<F: Fn(&Tensor, f64, &Condition) -> Result<Tensor>> Network for GuidedByPicture<F> {
    fn predict(&self, x: &Tensor, timestep: f64) -> Result<Tensor> {
        let n = self.pictures.dim(0)? / x.dim(0)?;
        let x = Tensor::cat(&[&Tensor::cat(&vec![x; n], 0)?, &self.pictures], 1)?;
        let prediction = (self.network)(&x, timestep, &self.condition)?;
        if n == 1 {
            return Ok(prediction);
        }
        let parts = prediction.chunk(3, 0)?;
        let (both, picture, neither) = (&parts[0], &parts[1], &parts[2]);
        let to_text = ((both - picture)? * self.scale)?;
        let to_picture = ((picture - neither)? * self.picture_scale)?;
        Ok(((neither + to_text)? + to_picture)?)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use candle_core::Device;

    use super::*;

    fn tensor(values: [f32; 2]) -> Tensor {
        Tensor::from_vec(values.to_vec(), (1, 2, 1, 1), &Device::Cpu).unwrap()
    }

    fn numbers(x: &Tensor) -> Vec<f32> {
        x.flatten_all().unwrap().to_vec1().unwrap()
    }

    /// Predicts its text, and notes the batch.
    fn predict(scale: f64, rescale: f64) -> (Vec<f32>, usize) {
        let batch = Cell::new(0);
        let (positive, negative) = (tensor([3.0, 5.0]), tensor([1.0, 1.0]));
        let network = |x: &Tensor, _: f64, condition: &Condition| {
            batch.set(x.dim(0)?);
            Ok(condition.text.clone())
        };
        let guidance = Guidance { scale, rescale };
        let texts = (Condition::text(positive.clone()), Condition::text(negative));
        let guided = Guided::new(network, &texts.0, &texts.1, guidance).unwrap();
        let found = guided.predict(&positive.zeros_like().unwrap(), 0.0).unwrap();
        (numbers(&found), batch.get())
    }

    #[test]
    fn guidance_goes_from_the_negative_through_the_positive_prediction() {
        assert_eq!(predict(2.5, 0.0), (vec![6.0, 11.0], 2));
    }

    #[test]
    fn without_guidance_the_network_runs_once_and_sees_no_negative_prompt() {
        assert_eq!(predict(1.0, 0.0), (vec![3.0, 5.0], 1));
        assert_eq!(predict(0.0, 0.7), (vec![3.0, 5.0], 1));
    }

    #[test]
    fn rescaling_brings_the_contrast_of_the_plain_prediction_back() {
        // Deviations are in the ratio of the differences, 2 to 5.
        let (found, _) = predict(2.5, 1.0);
        assert!((found[1] - found[0] - 2.0).abs() < 1e-5, "{found:?}");
        let (half, _) = predict(2.5, 0.5);
        assert!((half[1] - half[0] - 3.5).abs() < 1e-5, "{half:?}");
    }

    #[test]
    fn text_and_picture_push_apart_from_each_other() {
        // The network adds up what it is told: 10 for the text, 1 for the picture.
        let network = |x: &Tensor, _: f64, condition: &Condition| {
            Ok((x.narrow(1, 1, 1)? + condition.text.reshape(((), 1, 1, 1))?)?)
        };
        let one = |value: f32| Tensor::full(value, (1, 1, 1, 1), &Device::Cpu).unwrap();
        let (text, none) = (Condition::text(one(10.0)), Condition::text(one(0.0)));
        let predict = |scale: f64, picture_scale: f64| {
            let guided =
                GuidedByPicture::new(network, &text, &none, &one(1.0), scale, picture_scale).unwrap();
            numbers(&guided.predict(&one(5.0), 0.0).unwrap())[0]
        };
        assert!((predict(3.0, 1.5) - 31.5).abs() < 1e-5);
        assert!((predict(1.0, 1.5) - 11.0).abs() < 1e-5);
        assert!((predict(3.0, 0.5) - 11.0).abs() < 1e-5);
    }
}
