//! A request out of a page's query, and out of a job that was made before.

use serde_json::Value;
use types::model::{ModelInfo, Quality, Shape};
use types::request::{GenerationRequest, LoraUse, NoiseSource, RawLora, RawRequest, Weighting};

/// The request that a query spells out. What cannot be read is left out: nobody typed it into a form.
pub fn from_query(value: impl Fn(&str) -> Option<String> + Copy) -> RawRequest {
    let text = |name: &str| value(name).filter(|text| !text.is_empty());
    let number = |name: &str| text(name)?.trim().parse().ok();
    RawRequest {
        prompt: text("prompt").unwrap_or_default(),
        negative_prompt: text("negative_prompt"),
        model: text("model"),
        quality: text("quality")
            .and_then(|name| Quality::ALL.into_iter().find(|quality| quality.as_str() == name)),
        shape: text("shape").and_then(|name| Shape::ALL.into_iter().find(|shape| shape.as_str() == name)),
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
        ..RawRequest::default()
    }
}

/// The request with which a form asks for the same pictures as before, but for the seed: the form's first
/// choices where they say the same, and nothing where the model's usual value was taken.
pub fn from_job(request: &GenerationRequest, models: &[ModelInfo]) -> RawRequest {
    let model = models.iter().find(|model| model.name == request.model);
    let size = (request.width, request.height);
    // A picture with a start is as large as that, unless its size is said in numbers.
    let model_of_shape = model.filter(|_| request.start.is_none());
    let shape =
        model_of_shape.and_then(|model| Shape::ALL.into_iter().find(|shape| model.size_of(*shape) == size));
    let usual = model.map(|model| &model.defaults);
    let quality = usual.and_then(|usual| {
        Quality::ALL.into_iter().find(|quality| quality.steps(usual.steps) == request.steps)
    });
    let is_default_model = models.first().is_some_and(|first| first.name == request.model);
    RawRequest {
        prompt: request.prompt.clone(),
        negative_prompt: Some(request.negative_prompt.clone()).filter(|text| !text.is_empty()),
        model: (!is_default_model).then(|| request.model.clone()),
        quality,
        shape,
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
        width: shape.is_none().then_some(i64::from(request.width)),
        height: shape.is_none().then_some(i64::from(request.height)),
        count: (request.count > 1).then_some(i64::from(request.count)),
        ..finer_from_job(request)
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
        outpaint_left: None,
        outpaint_top: None,
        outpaint_right: None,
        outpaint_bottom: None,
        shape: raw.shape.filter(|_| !has_start),
        width: raw.width.filter(|_| !has_start),
        height: raw.height.filter(|_| !has_start),
        hires_scale: raw.hires_scale.filter(|_| !has_start),
        hires_steps: raw.hires_steps.filter(|_| !has_start),
        hires_strength: raw.hires_strength.filter(|_| !has_start),
        ..raw
    }
}

/// What a request says beyond the settings that every picture has; nothing where it says the usual.
pub fn finer_from_job(request: &GenerationRequest) -> RawRequest {
    let pixels = |pixels: u32| (pixels > 0).then_some(i64::from(pixels));
    let margins = request.outpaint.unwrap_or_default();
    RawRequest {
        start: request.start.as_ref().map(|start| start.source.to_string()),
        strength: request.start.as_ref().map(|start| start.strength),
        mask: request.mask.as_ref().map(|mask| mask.source.to_string()),
        mask_feather: request.mask.as_ref().map(|mask| i64::from(mask.feather)),
        outpaint_left: pixels(margins.left),
        outpaint_top: pixels(margins.top),
        outpaint_right: pixels(margins.right),
        outpaint_bottom: pixels(margins.bottom),
        hires_scale: request.hires.map(|hires| hires.scale),
        hires_steps: request.hires.map(|hires| i64::from(hires.steps)),
        hires_strength: request.hires.map(|hires| hires.strength),
        loras: request.loras.iter().map(RawLora::from).collect(),
        clip_skip: (request.clip_skip > 1).then_some(i64::from(request.clip_skip)),
        noise: (request.noise != NoiseSource::default()).then(|| request.noise.as_str().to_owned()),
        weighting: (request.weighting != Weighting::default()).then(|| request.weighting.as_str().to_owned()),
        variation_seed: request.variation.and_then(|variation| i64::try_from(variation.seed).ok()),
        variation_strength: request.variation.map(|variation| variation.strength),
        guidance_rescale: (request.guidance_rescale > 0.0).then_some(request.guidance_rescale),
        ..RawRequest::default()
    }
}

/// The request that asks for exactly the same pictures once more.
pub fn exact(request: &GenerationRequest) -> RawRequest {
    RawRequest {
        prompt: request.prompt.clone(),
        negative_prompt: Some(request.negative_prompt.clone()).filter(|text| !text.is_empty()),
        model: Some(request.model.clone()),
        steps: Some(i64::from(request.steps)),
        guidance_scale: Some(request.guidance_scale),
        sampler: Some(request.sampler.to_string()),
        schedule: Some(request.schedule.to_string()),
        seed: i64::try_from(request.seed).ok(),
        width: Some(i64::from(request.width)),
        height: Some(i64::from(request.height)),
        count: Some(i64::from(request.count)),
        ..finer_from_job(request)
    }
}

/// A request as the fields of a form, by their names.
pub fn form_fields(raw: &RawRequest) -> Vec<(String, String)> {
    let plain = RawRequest { loras: Vec::new(), ..raw.clone() };
    // Texts and numbers alone always become JSON, and an object.
    let Ok(Value::Object(fields)) = serde_json::to_value(&plain) else { return Vec::new() };
    let fields = fields.into_iter().map(|(name, value)| match value {
        Value::String(text) => (name, text),
        number => (name, number.to_string()),
    });
    let loras = raw.loras.iter().map(|lora| {
        let weight = lora.weight.unwrap_or(1.0);
        ("loras".to_owned(), LoraUse { name: lora.name.clone(), weight }.to_string())
    });
    fields.chain(loras).collect()
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
        ..RawRequest::default()
    };
    elsewhere != RawRequest::default()
}

#[cfg(test)]
pub(crate) mod tests {
    use types::lora::LoraInfo;
    use types::model::{Family, ModelDefaults, SizeLimits};
    use types::request::{KnownPicture, PictureSource, RequestContext};
    use types::sampler::{Sampler, Schedule};

    use super::*;

    pub(crate) fn model() -> ModelInfo {
        ModelInfo {
            name: "demo".into(),
            title: "Postcards".into(),
            description: String::new(),
            licence: None,
            family: Family::Other,
            inpaints: false,
            bundled: true,
            defaults: ModelDefaults {
                steps: 20,
                guidance_scale: 4.0,
                sampler: Sampler::DpmPlusPlus2M,
                schedule: Schedule::Karras,
            },
            limits: SizeLimits { multiple: 16, min_side: 64, max_side: 512 },
            sizes: [(256, 256), (320, 192), (192, 320)],
            vocabulary: None,
            examples: Vec::new(),
            n_parameters: 1,
            memory_bytes: 1,
            problem: None,
        }
    }

    fn check(raw: RawRequest) -> GenerationRequest {
        let source = PictureSource::Upload("0123456789abcdef0123456789abcdef".parse().unwrap());
        let known = Some(KnownPicture { source, width: 256, height: 192 });
        let lora = LoraInfo {
            name: "ink".into(),
            family: Family::Other,
            n_layers: 1,
            changes_text_encoder: false,
            size_bytes: 1,
            problem: None,
        };
        let context =
            RequestContext { models: &[model()], loras: &[lora], start: known.clone(), mask: known };
        raw.check(&context, || 7).unwrap()
    }

    #[test]
    fn usual_settings_come_back_as_the_first_choices() {
        let raw = RawRequest {
            prompt: "a boat".into(),
            quality: Some(Quality::Premium),
            shape: Some(Shape::Portrait),
            ..RawRequest::default()
        };
        let again = from_job(&check(raw.clone()), &[model()]);
        assert_eq!(again, raw);
        assert!(!says_more(&again, &[model()]));
    }

    #[test]
    fn unusual_settings_come_back_as_they_were() {
        let raw = RawRequest {
            prompt: "a boat".into(),
            negative_prompt: Some("rain".into()),
            steps: Some(13),
            guidance_scale: Some(6.5),
            sampler: Some("ddim".into()),
            schedule: Some("normal".into()),
            width: Some(128),
            height: Some(64),
            count: Some(3),
            ..RawRequest::default()
        };
        let again = from_job(&check(raw.clone()), &[model()]);
        assert_eq!(again, raw);
        assert!(says_more(&again, &[model()]));
    }

    #[test]
    fn finer_settings_come_back_as_they_were() {
        let upload = Some("0123456789abcdef0123456789abcdef".to_owned());
        let from_a_picture = RawRequest {
            prompt: "a boat".into(),
            quality: Some(Quality::Standard),
            start: upload.clone(),
            strength: Some(0.5),
            mask: upload,
            mask_feather: Some(8),
            outpaint_left: Some(64),
            width: Some(320),
            height: Some(192),
            ..RawRequest::default()
        };
        let in_two_passes = RawRequest {
            prompt: "a boat".into(),
            quality: Some(Quality::Standard),
            shape: Some(Shape::Square),
            hires_scale: Some(1.5),
            hires_steps: Some(10),
            hires_strength: Some(0.6),
            loras: vec![RawLora { name: "ink".into(), weight: Some(0.8) }],
            clip_skip: Some(2),
            noise: Some("cuda".into()),
            weighting: Some("compel".into()),
            seed: Some(5),
            variation_seed: Some(3),
            variation_strength: Some(0.1),
            guidance_rescale: Some(0.7),
            ..RawRequest::default()
        };
        for raw in [from_a_picture, in_two_passes] {
            let again = from_job(&check(raw.clone()), &[model()]);
            assert_eq!(again, raw);
            assert!(says_more(&again, &[model()]));
        }
    }

    #[test]
    fn a_request_goes_through_a_form_and_comes_back_whole() {
        let raw = RawRequest {
            prompt: "a boat, (red:1.2)".into(),
            guidance_scale: Some(3.5),
            seed: Some(7),
            strength: Some(0.5),
            noise: Some("cuda".into()),
            loras: vec![
                RawLora { name: "ink".into(), weight: Some(-0.5) },
                RawLora { name: "paper".into(), weight: Some(1.0) },
            ],
            ..RawRequest::default()
        };
        let fields = form_fields(&raw);
        let value = |name: &str| {
            let all = fields.iter().filter(|(field, _)| field == name).map(|(_, value)| value.as_str());
            Some(all.collect::<Vec<_>>().join(",")).filter(|text| !text.is_empty())
        };
        assert_eq!(from_query(value), raw);
    }

    #[test]
    fn another_start_picture_brings_its_own_size_and_no_mask() {
        let raw = RawRequest {
            prompt: "a boat".into(),
            steps: Some(9),
            start: Some("old".into()),
            strength: Some(0.2),
            mask: Some("mask".into()),
            outpaint_top: Some(8),
            width: Some(128),
            hires_scale: Some(2.0),
            ..RawRequest::default()
        };
        let expected = RawRequest {
            prompt: "a boat".into(),
            steps: Some(9),
            start: Some("new".into()),
            ..RawRequest::default()
        };
        assert_eq!(with_start(raw.clone(), Some("new".into())), expected);
        let without = with_start(raw, None);
        assert_eq!((without.start, without.mask, without.width), (None, None, Some(128)));
    }

    #[test]
    fn what_stands_in_other_folds_does_not_open_this_one() {
        let raw = RawRequest {
            prompt: "a boat".into(),
            shape: Some(Shape::Portrait),
            start: Some("0123".into()),
            strength: Some(0.5),
            clip_skip: Some(2),
            ..RawRequest::default()
        };
        assert!(!says_more(&raw, &[model()]));
        assert!(says_more(&RawRequest { steps: Some(3), ..raw }, &[model()]));
    }

    #[test]
    fn a_query_is_read_and_nonsense_in_it_passed_over() {
        let query = |name: &str| {
            let value = match name {
                "prompt" => "a boat",
                "shape" => "landscape",
                "steps" => "12",
                "seed" => "many",
                "width" => "",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let expected = RawRequest {
            prompt: "a boat".into(),
            shape: Some(Shape::Landscape),
            steps: Some(12),
            ..RawRequest::default()
        };
        assert_eq!(from_query(query), expected);
    }
}
