//! From prompts to what the U-Net is told.

use candle_core::Device;

use super::request::PictureRequest;
use crate::error::Result;
use crate::guidance::is_guided;
use crate::models::unet::{Added, Condition, UnetConfig};
use crate::nn::embedding::guidance_waves;
use crate::prompts::{Conditioning, EncodedPrompts, PromptEncoder, PromptOptions};

/// The aesthetic scores that SDXL's refiner is told, of what is to be seen and of what is not, as diffusers sets them.
const AESTHETIC_SCORES: (f64, f64) = (6.0, 2.5);

/// What the U-Net is told of what is to be seen, and of what is not.
pub(super) struct Conditions {
    pub(super) positive: Condition,
    pub(super) negative: Condition,
}

impl Conditions {
    /// For a picture of `width` and `height` pixels. Without guidance the negative half is the positive one.
    ///
    /// # Errors
    /// As [`PromptEncoder::encode`].
    pub(super) fn new(
        prompts: &PromptEncoder,
        unet: &UnetConfig,
        request: &PictureRequest,
        (width, height): (usize, usize),
        device: &Device,
    ) -> Result<Self> {
        let scale = request.guidance_scale;
        // A U-Net that is told the guidance scale is asked once and never hears the negative prompt: the prompt is not to
        // be filled up to the length of that one.
        let has_negative = is_guided(scale) && unet.guidance_channels.is_none();
        let negative = has_negative.then_some(request.negative_prompt.as_str());
        let options = PromptOptions { weighting: request.weighting, clip_skip: request.clip_skip };
        let EncodedPrompts { positive, negative } = prompts.encode(&request.prompt, negative, options)?;
        let negative = negative.unwrap_or_else(|| positive.clone());
        let guidance =
            unet.guidance_channels.map(|channels| guidance_waves(scale, channels, device)).transpose()?;
        let (side, score) = ([height as f64, width as f64], AESTHETIC_SCORES);
        let condition = |Conditioning { context, pooled }: Conditioning, score: f64| {
            let added = unet.added.zip(pooled).map(|(added, pooled)| {
                let n = prompts.pooled_width().map_or(0, |pooled| added.n_numbers(pooled));
                Added { numbers: vec![sizes(side, score, n)], pooled }
            });
            Condition { text: context, added, guidance: guidance.clone() }
        };
        Ok(Self { positive: condition(positive, score.0), negative: condition(negative, score.1) })
    }

    /// The same for each of `n` pictures.
    pub(super) fn repeated(&self, n: usize) -> Result<Self> {
        Ok(Self { positive: self.positive.repeated(n)?, negative: self.negative.repeated(n)? })
    }

    /// Both as one batch, the negative one first.
    pub(super) fn both(&self) -> Result<Condition> {
        Condition::cat(&[&self.negative, &self.positive])
    }
}

/// What SDXL is told of a picture that was not cut out of a larger one: `n` numbers.
fn sizes([height, width]: [f64; 2], score: f64, n: usize) -> Vec<f64> {
    let original_and_crop = [height, width, 0.0, 0.0];
    if n == 5 {
        [&original_and_crop[..], &[score]].concat()
    } else {
        [&original_and_crop[..], &[height, width]].concat()
    }
}
