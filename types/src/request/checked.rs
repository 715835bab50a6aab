//! A request in which every value is allowed.

use serde::{Deserialize, Serialize};

use super::grid::Grid;
use super::hires::Hires;
use super::loras::LoraUse;
use super::mask_fill::MaskFill;
use super::outpaint::Margins;
use super::start::{Mask, PictureSource, Start, walked};
use super::variation::Variation;
use crate::noise::NoiseSource;
use crate::prompt::Weighting;
use crate::sampler::{Sampler, Schedule};
use crate::upload::UploadId;

/// A request in which every value is allowed and nothing is left open.
///
/// It is kept as JSON with its job and inside its pictures, so whatever is added here has a default that means
/// what a request meant before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GenerationRequest {
    /// What to paint; trimmed, one line, with wildcards written out and styles around it.
    pub prompt: String,
    /// What to keep away from, likewise; may be empty.
    pub negative_prompt: String,
    /// The prompt as it was typed, where that is something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_prompt: Option<String>,
    /// The negative prompt as it was typed, where that is something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_negative_prompt: Option<String>,
    /// Name of an installed model.
    pub model: String,
    /// Sampling steps, 1 to 150.
    pub steps: u32,
    /// Classifier-free guidance scale, 0 to 30.
    pub guidance_scale: f64,
    /// Guidance to the start picture, 1 to 10, of a model that changes it by an instruction. No other model has one, and
    /// a strength says nothing beside it: such a model walks all steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture_guidance_scale: Option<f64>,
    /// How far a guided prediction is brought back to the spread of the unguided one: 0 not at all, 1 wholly.
    #[serde(default)]
    pub guidance_rescale: f64,
    /// How the noise levels are walked.
    pub sampler: Sampler,
    /// How they are spaced.
    pub schedule: Schedule,
    /// Seed of the first picture's noise; [`Self::seed_of`] tells that of any.
    pub seed: u64,
    /// Whose random numbers the noise is.
    #[serde(default)]
    pub noise: NoiseSource,
    /// A second noise that is mixed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variation: Option<Variation>,
    /// Width in pixels of what the first pass paints, outpainted margins included.
    pub width: u32,
    /// Height in pixels of what the first pass paints, outpainted margins included.
    pub height: u32,
    /// How many pictures: of a grid, its cells and the sheet behind them.
    pub count: u32,
    /// What the cells of a grid differ in; [`Self::cell`] tells each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grid: Option<Grid>,
    /// The picture to start from, scaled to [`Self::start_size`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Start>,
    /// Which part of the start picture is painted anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<Mask>,
    /// What that part begins with.
    #[serde(default, skip_serializing_if = "MaskFill::is_original")]
    pub mask_fill: MaskFill,
    /// What is painted on around the start picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outpaint: Option<Margins>,
    /// A second pass at a larger size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hires: Option<Hires>,
    /// LoRAs to apply, besides those that the prompt names in tags, which stay in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub loras: Vec<LoraUse>,
    /// At which layer of the text encoder to stop, 1 to 12, counted from the last, which is 1.
    #[serde(default = "last_layer")]
    pub clip_skip: u32,
    /// How the weights of words are applied.
    #[serde(default)]
    pub weighting: Weighting,
}

fn last_layer() -> u32 {
    1
}

impl GenerationRequest {
    /// Seed of picture `index`'s noise. The pictures of a variation share one, and differ in the second noise; the cells
    /// of a grid have their own, and its sheet that of the first.
    pub fn seed_of(&self, index: u32) -> u64 {
        if self.grid.is_some() {
            let cell = self.cell(index).or_else(|| self.cell(0));
            return cell.map_or(self.seed, |cell| cell.seed);
        }
        if self.variation.is_some() { self.seed } else { self.seed + u64::from(index) }
    }

    /// The second noise of picture `index`; one for all cells of a grid.
    pub fn variation_of(&self, index: u32) -> Option<Variation> {
        let index = if self.grid.is_some() { 0 } else { index };
        self.variation.map(|first| Variation { seed: first.seed + u64::from(index), ..first })
    }

    /// The uploads that it needs.
    pub fn uploads(&self) -> impl Iterator<Item = UploadId> {
        let sources =
            [self.start.as_ref().map(|start| &start.source), self.mask.as_ref().map(|mask| &mask.source)];
        sources.into_iter().flatten().filter_map(|source| match source {
            PictureSource::Upload(id) => Some(*id),
            PictureSource::Picture(_) | PictureSource::File(_) => None,
        })
    }

    /// Width and height in pixels of the finished pictures.
    pub fn picture_size(&self) -> (u32, u32) {
        self.hires.map_or((self.width, self.height), |hires| (hires.width, hires.height))
    }

    /// Width and height in pixels that the start picture and its mask are scaled to: what the margins leave.
    pub fn start_size(&self) -> (u32, u32) {
        let margins = self.outpaint.unwrap_or_default();
        (self.width.saturating_sub(margins.horizontal()), self.height.saturating_sub(margins.vertical()))
    }

    /// How far to go from the start picture, if there is one and the model asks for that.
    pub fn strength(&self) -> Option<f64> {
        self.start.as_ref().filter(|_| self.picture_guidance_scale.is_none()).map(|start| start.strength)
    }

    /// Steps that are walked for one picture, both passes together. The cells of a grid may have others:
    /// [`Self::n_steps_of`].
    pub fn n_steps(&self) -> u32 {
        let first = self.start.as_ref().map_or(self.steps, |start| walked(self.steps, start.strength));
        first + self.hires.map_or(0, |hires| walked(hires.steps, hires.strength))
    }
}
