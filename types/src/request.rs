//! What a picture is asked for with.
//!
//! Every way of asking (page, HTTP, command line) fills in a [`RawRequest`]; [`RawRequest::check`] turns
//! it into a [`GenerationRequest`], in which every value is allowed. What is downstream takes that for granted.

use serde::{Deserialize, Serialize};

use crate::error::{ErrorCode, PublicError};
use crate::model::{ModelInfo, Quality, Shape};
use crate::sampler::{Sampler, Schedule};

/// Longest prompt and negative prompt, in characters.
pub const MAX_PROMPT_CHARS: usize = 2_000;
/// Fewest and most sampling steps.
pub const STEPS: std::ops::RangeInclusive<u32> = 1..=150;
/// Weakest and strongest guidance scale. At 1 and below the negative prompt has no effect.
pub const GUIDANCE_SCALE: std::ops::RangeInclusive<f64> = 0.0..=30.0;
/// Fewest and most pictures of one job.
pub const COUNT: std::ops::RangeInclusive<u32> = 1..=8;
/// Largest seed: the largest whole number that JavaScript and JSON readers keep exact.
pub const MAX_SEED: u64 = (1 << 53) - 1;
/// Every width and height is a multiple of this many pixels, whatever the model.
pub const SIZE_MULTIPLE: u32 = 8;

/// A request as it came in: everything but the prompt may be left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawRequest {
    /// What to paint.
    pub prompt: String,
    /// What to keep away from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negative_prompt: Option<String>,
    /// Name of an installed model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Steps by name; `steps` goes before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
    /// Size by name; `width` and `height` go before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<Shape>,
    /// Sampling steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<i64>,
    /// Classifier-free guidance scale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guidance_scale: Option<f64>,
    /// Name of a sampler, in any spelling that [`Sampler`] parses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampler: Option<String>,
    /// Name of a noise schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// Seed of the noise; left out or -1 means: choose one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// Pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<i64>,
    /// Pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<i64>,
    /// How many pictures; picture `i` has seed `seed + i`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<i64>,
}

/// A request in which every value is allowed and nothing is left open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GenerationRequest {
    /// What to paint; trimmed, one line.
    pub prompt: String,
    /// What to keep away from; may be empty.
    pub negative_prompt: String,
    /// Name of an installed model.
    pub model: String,
    /// Sampling steps, 1 to 150.
    pub steps: u32,
    /// Classifier-free guidance scale, 0 to 30.
    pub guidance_scale: f64,
    /// How the noise levels are walked.
    pub sampler: Sampler,
    /// How they are spaced.
    pub schedule: Schedule,
    /// Seed of the first picture's noise.
    pub seed: u64,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// How many pictures; picture `i` has seed `seed + i`.
    pub count: u32,
}

impl RawRequest {
    /// Checks every field against what is allowed and fills in what was left out from the model's defaults.
    ///
    /// `models` are the installed picture models, the default one first. `choose_seed` is asked for a seed
    /// when none was given.
    ///
    /// # Errors
    /// The first field that is wrong, with its value and what is allowed; a model that cannot be used.
    pub fn check(
        self,
        models: &[ModelInfo],
        choose_seed: impl FnOnce() -> u64,
    ) -> Result<GenerationRequest, PublicError> {
        let prompt = check_prompt("prompt", &self.prompt)?;
        if prompt.is_empty() {
            return Err(PublicError::invalid_field(
                "prompt",
                format!("the prompt is empty; write 1 to {MAX_PROMPT_CHARS} characters"),
            ));
        }
        let negative_prompt = check_prompt("negative_prompt", self.negative_prompt.as_deref().unwrap_or(""))?;
        let model = find_model(models, self.model.as_deref())?;
        // Before anything else about the model: one that cannot be read has stand-ins for its limits.
        if let Some(problem) = &model.problem {
            return Err(model_unusable(format!("model `{}` cannot be used: {problem}", model.name)));
        }
        let defaults = &model.defaults;

        let steps = match (self.steps, self.quality) {
            (Some(steps), _) => within("steps", steps, &STEPS)?,
            (None, Some(quality)) => quality.steps(defaults.steps),
            (None, None) => defaults.steps,
        };
        let guidance_scale = self.guidance_scale.unwrap_or(defaults.guidance_scale);
        if !GUIDANCE_SCALE.contains(&guidance_scale) {
            return Err(PublicError::invalid_field(
                "guidance_scale",
                format!(
                    "guidance scale {guidance_scale} is out of range; allowed are {} to {}",
                    GUIDANCE_SCALE.start(),
                    GUIDANCE_SCALE.end()
                ),
            ));
        }
        let sampler = parse_name("sampler", self.sampler.as_deref(), defaults.sampler)?;
        let schedule = parse_name("schedule", self.schedule.as_deref(), defaults.schedule)?;
        let (width, height) = check_size(model, self.width, self.height, self.shape)?;
        let count = self.count.map_or(Ok(1), |count| within("count", count, &COUNT))?;
        let seed = match self.seed {
            None | Some(-1) => choose_seed(),
            Some(seed) => u64::try_from(seed).ok().filter(|seed| *seed <= MAX_SEED).ok_or_else(|| {
                PublicError::invalid_field(
                    "seed",
                    format!(
                        "seed {seed} is out of range; allowed are 0 to {MAX_SEED}, or -1 for a random one"
                    ),
                )
            })?,
        };
        Ok(GenerationRequest {
            prompt,
            negative_prompt,
            model: model.name.clone(),
            steps,
            guidance_scale,
            sampler,
            schedule,
            seed,
            width,
            height,
            count,
        })
    }
}

/// Line breaks and tabs become spaces, as nobody means anything by them; every other control character is
/// refused, since it has no place in a file name, a log or a picture's settings.
///
/// The line break of a form is two characters (`\r\n`) and becomes one space, as it does everywhere else.
///
/// # Errors
/// A text over [`MAX_PROMPT_CHARS`], or with a control character.
pub fn check_prompt(field: &'static str, text: &str) -> Result<String, PublicError> {
    let said = field.replace('_', " ");
    let text = text.trim().replace("\r\n", "\n").replace(['\n', '\r', '\t'], " ");
    let n_chars = text.chars().count();
    if n_chars > MAX_PROMPT_CHARS {
        return Err(PublicError::invalid_field(
            field,
            format!("the {said} has {n_chars} characters; at most {MAX_PROMPT_CHARS} are allowed"),
        ));
    }
    if let Some((at, control)) = text.chars().enumerate().find(|(_, c)| c.is_control()) {
        return Err(PublicError::invalid_field(
            field,
            format!(
                "the {said} has the control character U+{:04X} at position {}; only text is allowed",
                u32::from(control),
                at + 1
            ),
        ));
    }
    Ok(text)
}

fn find_model<'a>(models: &'a [ModelInfo], name: Option<&str>) -> Result<&'a ModelInfo, PublicError> {
    let Some(default) = models.first() else {
        let sentence = "no picture model is installed; put a folder with one into the models folder";
        return Err(model_unusable(sentence.to_owned()));
    };
    let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(default) };
    models.iter().find(|model| model.name == name).ok_or_else(|| {
        let installed: Vec<_> = models.iter().map(|model| model.name.as_str()).collect();
        PublicError::invalid_field(
            "model",
            format!("model `{name}` is not installed; installed are {}", installed.join(", ")),
        )
    })
}

fn model_unusable(sentence: String) -> PublicError {
    PublicError { field: Some("model".to_owned()), ..PublicError::new(ErrorCode::ModelUnusable, sentence) }
}

fn within(
    field: &'static str,
    value: i64,
    allowed: &std::ops::RangeInclusive<u32>,
) -> Result<u32, PublicError> {
    u32::try_from(value).ok().filter(|value| allowed.contains(value)).ok_or_else(|| {
        PublicError::invalid_field(
            field,
            format!("{field} {value} is out of range; allowed are {} to {}", allowed.start(), allowed.end()),
        )
    })
}

fn parse_name<T: std::str::FromStr<Err = crate::sampler::UnknownName>>(
    field: &'static str,
    name: Option<&str>,
    default: T,
) -> Result<T, PublicError> {
    match name.filter(|name| !name.is_empty()) {
        None => Ok(default),
        Some(name) => name.parse().map_err(|unknown: crate::sampler::UnknownName| {
            PublicError::invalid_field(field, unknown.to_string())
        }),
    }
}

fn check_size(
    model: &ModelInfo,
    width: Option<i64>,
    height: Option<i64>,
    shape: Option<Shape>,
) -> Result<(u32, u32), PublicError> {
    let (usual_width, usual_height) = model.size_of(shape.unwrap_or_default());
    let side = |field: &'static str, value: Option<i64>, usual: u32| {
        let value = value.unwrap_or(i64::from(usual));
        let limits = &model.limits;
        u32::try_from(value)
            .ok()
            .filter(|side| limits.allows_side(*side))
            .ok_or_else(|| {
                PublicError::invalid_field(
                    field,
                    format!(
                        "{field} {value} is not possible with model `{}`; allowed are multiples of {} from {} to {}",
                        model.name, limits.multiple, limits.min_side, limits.max_side
                    ),
                )
            })
    };
    Ok((side("width", width, usual_width)?, side("height", height, usual_height)?))
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
