//! From what came in to what is allowed.

use super::fields::{choose, fraction, number, unknown_name, within};
use super::start::named;
use super::{
    CLIP_SKIP, COUNT, GUIDANCE_SCALE, GenerationRequest, KnownPicture, MAX_SEED, PICTURE_GUIDANCE_SCALE,
    RawRequest, STEPS, USUAL_PICTURE_GUIDANCE_SCALE, grid, hires, loras, mask_fill, outpaint, size, start,
    variation, words,
};
use crate::error::{ErrorCode, PublicError};
use crate::lora::LoraInfo;
use crate::model::{ModelInfo, Quality};
use crate::noise::NoiseSource;
use crate::preset::Presets;
use crate::prompt::{Style, Weighting, Wildcard};
use crate::sampler::{Schedule, parse_pair};

/// What a request is checked against: what is installed, and the pictures that it names.
#[derive(Debug, Clone, Default)]
pub struct RequestContext<'a> {
    /// The installed picture models, the default one first.
    pub models: &'a [ModelInfo],
    /// The installed LoRAs.
    pub loras: &'a [LoraInfo],
    /// The picture that [`RawRequest::start`] names; `None` if there is none of that name that the asker may use.
    pub start: Option<KnownPicture>,
    /// The upload that [`RawRequest::mask`] names; `None` if there is none of that name that the asker may use.
    pub mask: Option<KnownPicture>,
    /// The site's own styles, besides those that come with the program.
    pub styles: &'a [Style],
    /// The site's own lists of words, besides those that come with the program.
    pub wildcards: &'a [Wildcard],
    /// What the site means by each quality.
    pub presets: Presets,
    /// What a model wrote to go on with the prompt, if [`RawRequest::extend`] asks for that: see [`RawRequest::to_extend`].
    pub continuation: Option<&'a str>,
}

impl RawRequest {
    /// Checks every field against what is allowed and fills in what was left out from the model's defaults.
    ///
    /// `choose_seed` is asked for a seed where none was given.
    ///
    /// # Errors
    /// The first field that is wrong, with its value and what is allowed; a model that cannot be used.
    pub fn check(
        self,
        context: &RequestContext<'_>,
        mut choose_seed: impl FnMut() -> u64,
    ) -> Result<GenerationRequest, PublicError> {
        let typed = words::typed(&self)?;
        let quality = self.quality.unwrap_or_default();
        let model = find_model(context, self.model.as_deref(), quality)?;
        // Before anything else about the model: one that cannot be read has stand-ins for its limits.
        if let Some(problem) = &model.problem {
            return Err(model_unusable(format!("model `{}` cannot be used: {problem}", model.name)));
        }
        let defaults = &model.defaults;

        let steps = match self.steps {
            Some(steps) => within("steps", steps, &STEPS)?,
            None => context.presets.steps(quality, model),
        };
        let guidance_scale = self.guidance_scale.unwrap_or(defaults.guidance_scale);
        let guidance_scale = number("guidance_scale", guidance_scale, &GUIDANCE_SCALE)?;
        let to_picture = self.picture_guidance_scale.unwrap_or(USUAL_PICTURE_GUIDANCE_SCALE);
        let to_picture = number("picture_guidance_scale", to_picture, &PICTURE_GUIDANCE_SCALE)?;
        let guidance_rescale = fraction("guidance_rescale", self.guidance_rescale, 0.0)?;
        let (sampler, with_schedule) = match named(self.sampler.as_deref()) {
            Some(name) => parse_pair(name).map_err(|unknown| unknown_name("sampler", &unknown))?,
            None => (defaults.sampler, None),
        };
        // `DPM++ 2M Karras` is a sampler and its schedule, unless a schedule is named besides.
        let schedule = match named(self.schedule.as_deref()) {
            Some(name) => name.parse::<Schedule>().map_err(|unknown| unknown_name("schedule", &unknown))?,
            None => with_schedule.unwrap_or(defaults.schedule),
        };

        let start = start::check(&self, context, model, steps)?;
        let mask = start::check_mask(&self, context)?;
        let mask_fill = mask_fill::check(&self, mask.as_ref())?;
        let outpaint = outpaint::check(&self)?;
        let (width, height) =
            size::check(&self, model, context.presets.of(quality), context.start.as_ref(), outpaint)?;
        let hires = hires::check(&self, model, (width, height), steps)?;

        // A grid has as many pictures as it has cells, and says so itself.
        let count = self.count.filter(|_| self.grid.is_none());
        let count = count.map_or(Ok(1), |count| within("count", count, &COUNT))?;
        let seed = check_seed("seed", self.seed, &mut choose_seed)?;
        let variation = variation::check(&self, &mut choose_seed)?;
        let noise = choose("noise", self.noise.as_deref(), NoiseSource::ALL, NoiseSource::as_str)?;
        let clip_skip = self.clip_skip.map_or(Ok(1), |skip| check_clip_skip(skip, model))?;
        let weighting = choose("weighting", self.weighting.as_deref(), Weighting::ALL, Weighting::as_str)?;
        let words = words::write_out(&self, typed, context, model, seed)?;
        let loras = loras::check(self.loras, &words.prompt, context.loras, model)?;
        let request = GenerationRequest {
            prompt: words.prompt,
            negative_prompt: words.negative_prompt,
            asked_prompt: words.asked_prompt,
            asked_negative_prompt: words.asked_negative_prompt,
            model: model.name.clone(),
            steps,
            guidance_scale,
            picture_guidance_scale: model.edits.then_some(to_picture),
            guidance_rescale,
            sampler,
            schedule,
            seed,
            noise,
            variation,
            width,
            height,
            count,
            grid: None,
            start,
            mask,
            mask_fill,
            outpaint,
            hires,
            loras,
            clip_skip,
            weighting,
        };
        match &self.grid {
            Some(grid) => grid::check(grid, self.count, request, context),
            None => Ok(request),
        }
    }
}

/// No text encoder can stop before its first layer.
fn check_clip_skip(clip_skip: i64, model: &ModelInfo) -> Result<u32, PublicError> {
    let clip_skip = within("clip_skip", clip_skip, &CLIP_SKIP)?;
    let most = model.max_clip_skip;
    if clip_skip <= most {
        return Ok(clip_skip);
    }
    let sentence = format!("clip skip {clip_skip} is not possible with this model; allowed are 1 to {most}");
    Err(PublicError::invalid_field("clip_skip", sentence))
}

/// A seed that was given, or one that is chosen.
pub(super) fn check_seed(
    field: &'static str,
    seed: Option<i64>,
    choose_seed: &mut dyn FnMut() -> u64,
) -> Result<u64, PublicError> {
    let Some(seed) = seed.filter(|seed| *seed != -1) else { return Ok(choose_seed()) };
    u64::try_from(seed).ok().filter(|seed| *seed <= MAX_SEED).ok_or_else(|| {
        PublicError::invalid_field(
            field,
            format!(
                "{} {seed} is out of range; allowed are 0 to {MAX_SEED}, or -1 for a random one",
                field.replace('_', " ")
            ),
        )
    })
}

/// The model of that name, or else the one that the quality stands for.
fn find_model<'a>(
    context: &RequestContext<'a>,
    name: Option<&str>,
    quality: Quality,
) -> Result<&'a ModelInfo, PublicError> {
    let models = context.models;
    if models.is_empty() {
        let sentence = "no picture model is installed; put a folder with one into the models folder";
        return Err(model_unusable(sentence.to_owned()));
    }
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return context
            .presets
            .model(quality, models)
            .map_err(|sentence| PublicError::invalid_field("quality", sentence));
    };
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
