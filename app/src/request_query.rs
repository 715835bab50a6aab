//! A request out of a page's query, and out of a job that was made before.

use serde_json::Value;
use types::aspect_ratio::AspectRatio;
use types::model::{ModelInfo, Quality, Shape};
use types::preset::Presets;
use types::request::{GenerationRequest, LoraUse, RawGrid, RawLora, RawRequest, name_in_list, names_in_list};

/// The request that a query spells out. What cannot be read is left out: nobody typed it into a form.
pub fn from_query(value: impl Fn(&str) -> Option<String> + Copy) -> RawRequest {
    let text = |name: &str| value(name).filter(|text| !text.is_empty());
    let number = |name: &str| text(name)?.trim().parse().ok();
    RawRequest {
        prompt: text("prompt").unwrap_or_default(),
        negative_prompt: text("negative_prompt"),
        styles: text("styles").map(|text| names_in_list(&text)).unwrap_or_default(),
        extend: text("extend").is_some_and(|text| text != "false"),
        model: text("model"),
        quality: text("quality")
            .and_then(|name| Quality::ALL.into_iter().find(|quality| quality.as_str() == name)),
        shape: text("shape").and_then(|name| Shape::ALL.into_iter().find(|shape| shape.as_str() == name)),
        aspect_ratio: text("aspect_ratio"),
        steps: number("steps"),
        guidance_scale: text("guidance_scale").and_then(|text| text.trim().parse().ok()),
        sampler: text("sampler"),
        schedule: text("schedule"),
        seed: number("seed"),
        width: number("width"),
        height: number("height"),
        count: number("count"),
        ..finer_from_query(value)
    }
}

/// What stands in the query beyond the settings that every picture has.
fn finer_from_query(value: impl Fn(&str) -> Option<String>) -> RawRequest {
    let text = |name: &str| value(name).filter(|text| !text.is_empty());
    let whole = |name: &str| text(name)?.trim().parse().ok();
    let number = |name: &str| text(name)?.trim().parse().ok();
    RawRequest {
        start: text("start"),
        strength: number("strength"),
        mask: text("mask"),
        mask_feather: whole("mask_feather"),
        mask_fill: text("mask_fill"),
        outpaint_left: whole("outpaint_left"),
        outpaint_top: whole("outpaint_top"),
        outpaint_right: whole("outpaint_right"),
        outpaint_bottom: whole("outpaint_bottom"),
        hires_scale: number("hires_scale"),
        hires_steps: whole("hires_steps"),
        hires_strength: number("hires_strength"),
        loras: text("loras").map(|text| RawLora::parse_list(&text)).unwrap_or_default(),
        clip_skip: whole("clip_skip"),
        noise: text("noise"),
        weighting: text("weighting"),
        variation_seed: whole("variation_seed"),
        variation_strength: number("variation_strength"),
        guidance_rescale: number("guidance_rescale"),
        picture_guidance_scale: number("picture_guidance_scale"),
        grid: RawGrid::from_fields(text),
        ..RawRequest::default()
    }
}

/// The request with which a form asks for the same pictures as before, but for the seed: the form's first
/// choices where they say the same, and nothing where the model's usual value was taken.
///
/// The prompt is the one that was painted: its styles and wildcards are written out in it.
pub fn from_job(request: &GenerationRequest, models: &[ModelInfo], presets: &Presets) -> RawRequest {
    let model = models.iter().find(|model| model.name == request.model);
    let size = (request.width, request.height);
    // A picture with a start is as large as that, unless its size is said in numbers.
    let model_of_shape = model.filter(|_| request.start.is_none());
    let shape =
        model_of_shape.and_then(|model| Shape::ALL.into_iter().find(|shape| model.size_of(*shape) == size));
    let ratio = model_of_shape
        .filter(|_| shape.is_none())
        .and_then(|model| AspectRatio::ALL.into_iter().find(|ratio| model.size_of_ratio(*ratio) == size));
    // Where presets say something of sizes, a name may mean another size by now.
    let is_named = (shape.is_some() || ratio.is_some()) && !presets.name_a_size();
    let (shape, ratio) = (shape.filter(|_| is_named), ratio.filter(|_| is_named));
    let usual = model.map(|model| &model.defaults);
    let quality = model.and_then(|model| {
        Quality::ALL.into_iter().find(|quality| presets.steps(*quality, model) == request.steps)
    });
    let is_default_model =
        !presets.name_a_model() && models.first().is_some_and(|first| first.name == request.model);
    RawRequest {
        prompt: request.prompt.clone(),
        negative_prompt: Some(request.negative_prompt.clone()).filter(|text| !text.is_empty()),
        model: (!is_default_model).then(|| request.model.clone()),
        quality,
        shape,
        aspect_ratio: ratio.map(|ratio| ratio.to_string()),
        steps: quality.is_none().then_some(i64::from(request.steps)),
        guidance_scale: Some(request.guidance_scale)
            .filter(|scale| usual.is_none_or(|usual| (usual.guidance_scale - scale).abs() > f64::EPSILON)),
        sampler: usual
            .is_none_or(|usual| usual.sampler != request.sampler)
            .then(|| request.sampler.to_string()),
        schedule: usual
            .is_none_or(|usual| usual.schedule != request.schedule)
            .then(|| request.schedule.to_string()),
        // Pictures close to one of before are close to it by its seed.
        seed: request.variation.and_then(|_| i64::try_from(request.seed).ok()),
        width: (!is_named).then_some(i64::from(request.width)),
        height: (!is_named).then_some(i64::from(request.height)),
        count: (request.count > 1 && request.grid.is_none()).then_some(i64::from(request.count)),
        ..RawRequest::finer(request)
    }
}

/// The same settings for a picture that starts from another one, whose size it takes; without one if `start` is
/// none. What belongs to the start picture before is left out, and so is what does not go together with one.
pub fn with_start(raw: RawRequest, start: Option<String>) -> RawRequest {
    let has_start = start.is_some();
    RawRequest {
        start,
        strength: None,
        mask: None,
        mask_feather: None,
        mask_fill: None,
        outpaint_left: None,
        outpaint_top: None,
        outpaint_right: None,
        outpaint_bottom: None,
        shape: raw.shape.filter(|_| !has_start),
        aspect_ratio: raw.aspect_ratio.filter(|_| !has_start),
        width: raw.width.filter(|_| !has_start),
        height: raw.height.filter(|_| !has_start),
        hires_scale: raw.hires_scale.filter(|_| !has_start),
        hires_steps: raw.hires_steps.filter(|_| !has_start),
        hires_strength: raw.hires_strength.filter(|_| !has_start),
        ..raw
    }
}

/// A request as the fields of a form, by their names.
pub fn form_fields(raw: &RawRequest) -> Vec<(String, String)> {
    let plain = RawRequest { loras: Vec::new(), styles: Vec::new(), grid: None, ..raw.clone() };
    // Texts and numbers alone always become JSON, and an object.
    let Ok(Value::Object(fields)) = serde_json::to_value(&plain) else { return Vec::new() };
    let fields = fields.into_iter().map(|(name, value)| match value {
        Value::String(text) => (name, text),
        number => (name, number.to_string()),
    });
    let loras = raw.loras.iter().map(|lora| {
        let weight = lora.weight.unwrap_or(1.0);
        ("loras".to_owned(), LoraUse { name: lora.name.clone(), weight }.in_list())
    });
    let styles = raw.styles.iter().map(|name| ("styles".to_owned(), name_in_list(name).into_owned()));
    let grid = raw.grid.iter().flat_map(RawGrid::fields).map(|(name, value)| (name.to_owned(), value));
    fields.chain(loras).chain(styles).chain(grid).collect()
}

/// Whether a request says anything that stands in the fold of the usual settings and is not chosen there anyway.
pub fn says_more(raw: &RawRequest, models: &[ModelInfo]) -> bool {
    let is_usual = |name: &String| models.first().is_some_and(|model| model.name == *name);
    let elsewhere = RawRequest {
        model: raw.model.clone().filter(|name| !is_usual(name)),
        negative_prompt: raw.negative_prompt.clone(),
        steps: raw.steps,
        guidance_scale: raw.guidance_scale,
        sampler: raw.sampler.clone(),
        schedule: raw.schedule.clone(),
        seed: raw.seed,
        count: raw.count,
        width: raw.width,
        height: raw.height,
        loras: raw.loras.clone(),
        styles: raw.styles.clone(),
        extend: raw.extend,
        aspect_ratio: raw.aspect_ratio.clone(),
        ..RawRequest::default()
    };
    elsewhere != RawRequest::default()
}

#[cfg(test)]
#[path = "request_query_tests.rs"]
pub(crate) mod tests;
