//! A request as the pipeline takes it.

use inference::model_files::ModelFiles;
use inference::pipelines::stable_diffusion::{
    self as pipeline, Info, Mask, PictureRequest, Rgb, Seeds, SoftMask, extend,
};
use types::error::PublicError;
use types::prompt::lora_tags;
use types::request::{
    GenerationRequest, Margins, Start, USUAL_MASK_FEATHER, USUAL_PICTURE_GUIDANCE_SCALE, Variation,
};

use crate::engine::{EngineError, Materials};

/// How far what is painted on reaches into the start picture, so that the two grow together, in pixels: as far as
/// the edge between them is soft.
const OVERLAP: u32 = 16;

/// Refuses what a model that changes a picture by an instruction cannot do. Every other model can do everything.
///
/// # Errors
/// Said of the first field that is missing or of no use.
pub(super) fn suits(request: &GenerationRequest, files: &ModelFiles) -> Result<(), PublicError> {
    // What is the matter with a model that cannot be read is said elsewhere.
    if !Info::read(files).is_ok_and(|info| info.form.edits()) {
        return Ok(());
    }
    let name = &request.model;
    let refuse = |field: &'static str, sentence: String| Err(PublicError::invalid_field(field, sentence));
    if request.start.is_none() {
        let sentence = format!("model `{name}` changes a picture by an instruction; give it a start picture");
        return refuse("start", sentence);
    }
    for (field, said, is_there) in [
        ("mask", "mask", request.mask.is_some()),
        ("outpaint_left", "outpainting", request.outpaint.is_some()),
        ("hires_scale", "second pass", request.hires.is_some()),
    ] {
        if is_there {
            return refuse(
                field,
                format!("model `{name}` changes a whole picture by an instruction; it takes no {said}"),
            );
        }
    }
    Ok(())
}

/// Picture `index` of a request, with the pictures that it names.
///
/// # Errors
/// It names a start picture, and there is none among the materials.
pub(super) fn picture_request(
    request: &GenerationRequest,
    index: u32,
    materials: &Materials,
) -> Result<PictureRequest, EngineError> {
    // The model was read with them.
    let (prompt, _) = lora_tags(&request.prompt);
    let start = request.start.as_ref().map(|start| begin_with(request, start, materials)).transpose()?;
    let hires = request.hires.map(|hires| pipeline::Hires {
        width: hires.width as usize,
        height: hires.height as usize,
        steps: hires.steps as usize,
        strength: hires.strength,
    });
    let variation = request
        .variation_of(index)
        .map(|Variation { seed, strength }| pipeline::Variation { seed, strength });
    Ok(PictureRequest {
        negative_prompt: request.negative_prompt.clone(),
        steps: request.steps as usize,
        weighting: request.weighting,
        clip_skip: request.clip_skip as usize,
        guidance_scale: request.guidance_scale,
        guidance_rescale: request.guidance_rescale,
        picture_guidance_scale: request.picture_guidance_scale.unwrap_or(USUAL_PICTURE_GUIDANCE_SCALE),
        sampler: request.sampler,
        schedule: request.schedule,
        seed: request.seed_of(index),
        noise: request.noise,
        variation,
        start,
        hires,
        ..PictureRequest::new(&prompt, request.width as usize, request.height as usize)
    })
}

/// The noise of picture `index`.
pub(super) fn seeds(request: &GenerationRequest, index: u32) -> Seeds {
    let variation = request.variation_of(index).map_or(0, |variation| variation.seed);
    Seeds { seed: request.seed_of(index), variation }
}

/// The start picture as large as the whole, and what of it is painted anew.
fn begin_with(
    request: &GenerationRequest,
    start: &Start,
    materials: &Materials,
) -> Result<pipeline::Start, EngineError> {
    let (width, height) = request.start_size();
    let image = materials.start.as_ref();
    let image = image.ok_or_else(|| fault(request, "it was given no start picture".to_owned()))?;
    let picture = Rgb { width: image.width(), height: image.height(), pixels: image.as_raw().clone() };
    let picture = picture.resized(width, height);
    let mask = materials.mask.as_ref().map(|mask| {
        let mask = Mask { width: mask.width(), height: mask.height(), pixels: mask.as_raw().clone() };
        mask.resized(width, height)
    });
    let feather = f64::from(request.mask.as_ref().map_or(USUAL_MASK_FEATHER, |mask| mask.feather));
    let soft = |mask| SoftMask { mask, feather, fill: request.mask_fill };
    let strength = start.strength;
    let Some(Margins { left, top, right, bottom }) = request.outpaint else {
        return Ok(pipeline::Start { picture, strength, mask: mask.map(soft) });
    };
    let margins = pipeline::Margins { left, top, right, bottom };
    let (picture, mask) = extend(&picture, mask.as_ref(), margins, OVERLAP);
    Ok(pipeline::Start { picture, strength, mask: Some(soft(mask)) })
}

fn fault(request: &GenerationRequest, reason: String) -> EngineError {
    EngineError::Fault { model: request.model.clone(), reason }
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma, RgbImage};

    use super::*;

    fn request(more: &str) -> GenerationRequest {
        let json = format!(
            r#"{{"prompt": "a boat", "negative_prompt": "", "model": "demo", "steps": 4, "guidance_scale": 4,
            "sampler": "euler", "schedule": "normal", "seed": 7, "width": 96, "height": 64, "count": 1{more}}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    const START: &str = r#", "start": {"kind": "file", "id": "a.png", "strength": 0.5}"#;
    const MASK: &str = r#", "mask": {"kind": "file", "id": "m.png", "feather": 9}"#;

    fn materials(width: u32, height: u32) -> Materials {
        Materials {
            start: Some(RgbImage::from_pixel(width, height, image::Rgb([10, 20, 30]))),
            mask: Some(GrayImage::from_pixel(width, height, Luma([0]))),
        }
    }

    #[test]
    fn pictures_are_scaled_to_the_request() {
        let request = request(&format!("{START}{MASK}"));
        let start = picture_request(&request, 0, &materials(300, 200)).unwrap().start.unwrap();
        assert_eq!((start.picture.width, start.picture.height, start.strength), (96, 64, 0.5));
        let mask = start.mask.unwrap();
        assert_eq!((mask.mask.width, mask.mask.height, mask.feather), (96, 64, 9.0));
    }

    #[test]
    fn margins_surround_the_start_and_are_painted_anew() {
        let request =
            request(&format!(r#"{START}, "outpaint": {{"left": 32, "top": 0, "right": 0, "bottom": 0}}"#));
        let materials = Materials { mask: None, ..materials(300, 200) };
        let start = picture_request(&request, 0, &materials).unwrap().start.unwrap();
        let mask = start.mask.unwrap().mask;
        assert_eq!((start.picture.width, start.picture.height), (96, 64));
        assert_eq!((mask.pixels[0], mask.pixels[32 + OVERLAP as usize]), (255, 0));
    }

    #[test]
    fn finer_settings_reach_the_pipeline() {
        let request = request(
            r#", "clip_skip": 2, "weighting": "compel", "guidance_rescale": 0.7, "noise": "cuda",
            "picture_guidance_scale": 2.0,
            "variation": {"seed": 100, "strength": 0.5},
            "hires": {"scale": 2, "width": 192, "height": 128, "steps": 3, "strength": 0.4}"#,
        );
        let task = picture_request(&request, 0, &Materials::default()).unwrap();
        assert_eq!((task.clip_skip, task.weighting), (2, request.weighting));
        assert_eq!((task.guidance_rescale, task.picture_guidance_scale), (0.7, 2.0));
        let hires = task.hires.unwrap();
        assert_eq!((hires.width, hires.height, hires.steps, hires.strength), (192, 128, 3, 0.4));
        assert_eq!(task.noise, request.noise);
        let fourth = picture_request(&request, 3, &Materials::default()).unwrap();
        assert_eq!((fourth.seed, fourth.variation.unwrap().seed), (7, 103));
        assert_eq!(seeds(&request, 3), fourth.seeds());
    }

    #[test]
    fn the_tags_of_loras_are_no_part_of_the_prompt() {
        let request = GenerationRequest { prompt: "a boat <lora:ink:0.5> at sea".into(), ..request("") };
        let task = picture_request(&request, 0, &Materials::default()).unwrap();
        assert_eq!(task.prompt, "a boat  at sea");
    }
}
