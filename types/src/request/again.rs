//! From a checked request back to one that can be asked for.

use super::{
    GenerationRequest, MaskFill, NoiseSource, RawGrid, RawLora, RawRequest, USUAL_PICTURE_GUIDANCE_SCALE,
    Variation, Weighting,
};

impl RawRequest {
    /// The request that asks for exactly the same pictures once more.
    pub fn exact(request: &GenerationRequest) -> Self {
        Self {
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
            count: request.grid.is_none().then_some(i64::from(request.count)),
            ..Self::finer(request)
        }
    }

    /// The request that asks for picture `index` of these alone, and for exactly that one. The sheet of a grid is not to
    /// be had alone: that is the request for all of it.
    pub fn one_of(request: &GenerationRequest, index: u32) -> Self {
        if request.grid.is_some() {
            return Self::exact(&request.of_picture(index).0);
        }
        let variation = request.variation_of(index);
        Self {
            seed: i64::try_from(request.seed_of(index)).ok(),
            variation_seed: variation.and_then(|Variation { seed, .. }| i64::try_from(seed).ok()),
            count: Some(1),
            ..Self::exact(request)
        }
    }

    /// What a request says beyond the settings that every picture has; nothing where it says the usual.
    pub fn finer(request: &GenerationRequest) -> Self {
        let pixels = |pixels: u32| (pixels > 0).then_some(i64::from(pixels));
        let margins = request.outpaint.unwrap_or_default();
        Self {
            grid: request.grid.as_ref().map(RawGrid::from),
            start: request.start.as_ref().map(|start| start.source.to_string()),
            strength: request.strength(),
            mask: request.mask.as_ref().map(|mask| mask.source.to_string()),
            mask_feather: request.mask.as_ref().map(|mask| i64::from(mask.feather)),
            mask_fill: (request.mask_fill != MaskFill::default())
                .then(|| request.mask_fill.as_str().to_owned()),
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
            weighting: (request.weighting != Weighting::default())
                .then(|| request.weighting.as_str().to_owned()),
            variation_seed: request.variation.and_then(|variation| i64::try_from(variation.seed).ok()),
            variation_strength: request.variation.map(|variation| variation.strength),
            guidance_rescale: (request.guidance_rescale > 0.0).then_some(request.guidance_rescale),
            picture_guidance_scale: request
                .picture_guidance_scale
                .filter(|scale| (scale - USUAL_PICTURE_GUIDANCE_SCALE).abs() > f64::EPSILON),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(more: &str) -> GenerationRequest {
        let json = format!(
            r#"{{"prompt": "a boat", "negative_prompt": "", "model": "demo", "steps": 20, "guidance_scale": 4,
                "sampler": "euler", "schedule": "normal", "seed": 7, "width": 256, "height": 256, "count": 3{more}}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn one_picture_of_several_has_its_own_seed() {
        let raw = RawRequest::one_of(&request(""), 2);
        assert_eq!((raw.seed, raw.count, raw.variation_seed), (Some(9), Some(1), None));
    }

    #[test]
    fn one_picture_of_a_variation_has_the_first_seed_and_its_own_second_one() {
        let raw = RawRequest::one_of(&request(r#", "variation": {"seed": 100, "strength": 0.2}"#), 2);
        assert_eq!((raw.seed, raw.count), (Some(7), Some(1)));
        assert_eq!((raw.variation_seed, raw.variation_strength), (Some(102), Some(0.2)));
    }
}
