//! A request as it came in.

use serde::{Deserialize, Serialize};

use super::grid::RawGrid;
use super::loras::RawLora;
use crate::model::{Quality, Shape};
use crate::whole::whole;

/// A request as it came in: everything but the prompt may be left out.
///
/// A text that is empty counts as left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct RawRequest {
    /// What to paint.
    #[cfg_attr(feature = "openapi", schema(required = true, min_length = 1, max_length = 2000))]
    pub prompt: String,
    /// What to keep away from.
    #[cfg_attr(feature = "openapi", schema(max_length = 2000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negative_prompt: Option<String>,
    /// Names of styles, whose words are put around both prompts in this order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub styles: Vec<String>,
    /// Name of an installed model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Let a model that writes prompts go on with the prompt, before styles are put around it.
    #[serde(skip_serializing_if = "is_false")]
    pub extend: bool,
    /// What the site means by this name: steps as a rule, and perhaps a model and a size; `steps`, `model`, `width` and
    /// `height` go before it. Left out means `standard`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
    /// Size by name; `width`, `height`, `aspect_ratio` and the size of a `start` go before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<Shape>,
    /// Size by the ratio of width to height, such as `16:9`; `width`, `height` and the size of a `start` go before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aspect_ratio: Option<String>,
    /// Sampling steps.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 150))]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "whole")]
    pub steps: Option<i64>,
    /// Classifier-free guidance scale.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 30))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guidance_scale: Option<f64>,
    /// Guidance to the start picture, 1 to 10, for models that change it by an instruction; others pass it over.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 10))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture_guidance_scale: Option<f64>,
    /// How far a guided prediction is brought back to the spread of the unguided one, 0 to 1.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guidance_rescale: Option<f64>,
    /// Name of a sampler, in any spelling that [`Sampler`](crate::sampler::Sampler) parses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampler: Option<String>,
    /// Name of a noise schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// Seed of the noise; left out or -1 means: choose one.
    #[cfg_attr(feature = "openapi", schema(minimum = -1, maximum = 9_007_199_254_740_991_i64))]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "whole")]
    pub seed: Option<i64>,
    /// Whose random numbers the noise is: `cpu` or `cuda`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise: Option<String>,
    /// Seed of a second noise that is mixed in; left out or -1 means: choose one.
    #[cfg_attr(feature = "openapi", schema(minimum = -1, maximum = 9_007_199_254_740_991_i64))]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "whole")]
    pub variation_seed: Option<i64>,
    /// How much of the second noise, 0 to 1; left out or 0 means: none.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variation_strength: Option<f64>,
    /// Width of the picture in pixels, outpainted margins included.
    #[cfg_attr(feature = "openapi", schema(minimum = 8, multiple_of = 8))]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "whole")]
    pub width: Option<i64>,
    /// Height of the picture in pixels, outpainted margins included.
    #[cfg_attr(feature = "openapi", schema(minimum = 8, multiple_of = 8))]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "whole")]
    pub height: Option<i64>,
    /// How many pictures; picture `i` has seed `seed + i`.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 8))]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "whole")]
    pub count: Option<i64>,
    /// Make one picture for each combination of some settings' values, and a sheet that shows them all, which comes last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grid: Option<RawGrid>,
    /// The picture to start from: id of an upload, or of a finished picture of the asker's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// How far to go from the start picture: the share of the steps that is walked, 0 to 1.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strength: Option<f64>,
    /// Which part of the start picture is painted anew: id of an upload of the same size. White is painted anew,
    /// black stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask: Option<String>,
    /// Pixels over which the mask's edge is softened.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 64))]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "whole")]
    pub mask_feather: Option<i64>,
    /// What the part under the mask begins with: `original`, `fill`, `noise` or `nothing`; left out means `original`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask_fill: Option<String>,
    /// Pixels that are painted on to the left of the start picture.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1024))]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "whole")]
    pub outpaint_left: Option<i64>,
    /// Pixels that are painted on above the start picture.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1024))]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "whole")]
    pub outpaint_top: Option<i64>,
    /// Pixels that are painted on to the right of the start picture.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1024))]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "whole")]
    pub outpaint_right: Option<i64>,
    /// Pixels that are painted on below the start picture.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1024))]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "whole")]
    pub outpaint_bottom: Option<i64>,
    /// Factor by which a second pass enlarges the picture, above 1 and up to 4; left out means: no second pass.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 4))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hires_scale: Option<f64>,
    /// Steps of the second pass; left out or 0 means: as many as `steps`.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 150))]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "whole")]
    pub hires_steps: Option<i64>,
    /// The share of the second pass's steps that is walked, 0 to 1.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hires_strength: Option<f64>,
    /// LoRAs to apply, besides those that the prompt names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub loras: Vec<RawLora>,
    /// Whether the pictures may be ones that were made before from the same request; left out means that they may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<bool>,
    /// At which layer of the text encoder to stop, counted from the last, which is 1.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 12))]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "whole")]
    pub clip_skip: Option<i64>,
    /// How `(word:1.2)` is applied: `a1111` or `compel`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weighting: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}
