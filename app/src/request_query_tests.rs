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
        edits: false,
        max_clip_skip: 12,
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
    let context = RequestContext {
        models: &[model()],
        loras: &[lora],
        start: known.clone(),
        mask: known,
        ..RequestContext::default()
    };
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
    let again = from_job(&check(raw.clone()), &[model()], &Presets::default());
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
    let again = from_job(&check(raw.clone()), &[model()], &Presets::default());
    assert_eq!(again, raw);
    assert!(says_more(&again, &[model()]));
}

#[test]
fn a_size_that_a_ratio_names_comes_back_as_the_ratio() {
    let raw = RawRequest {
        prompt: "a boat".into(),
        quality: Some(Quality::Standard),
        aspect_ratio: Some("9:16".into()),
        ..RawRequest::default()
    };
    let again = from_job(&check(raw.clone()), &[model()], &Presets::default());
    assert_eq!(again, raw);
    assert!(says_more(&again, &[model()]), "it is chosen in the fold");
}

#[test]
fn where_a_quality_may_mean_another_model_or_size_both_are_said() {
    let preset = types::preset::Preset {
        model: Some("demo".into()),
        width: Some(128),
        height: Some(128),
        steps: Some(7),
    };
    let presets = Presets { premium: preset, ..Presets::default() };
    let raw = RawRequest { prompt: "a boat".into(), shape: Some(Shape::Landscape), ..RawRequest::default() };
    let again = from_job(&check(raw.clone()), &[model()], &presets);
    let said = RawRequest {
        model: Some("demo".into()),
        quality: Some(Quality::Standard),
        shape: None,
        width: Some(320),
        height: Some(192),
        ..raw.clone()
    };
    assert_eq!(again, said);
    let premium = GenerationRequest { steps: 7, ..check(raw) };
    assert_eq!(from_job(&premium, &[model()], &presets).quality, Some(Quality::Premium));
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
        mask_fill: Some("fill".into()),
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
        let again = from_job(&check(raw.clone()), &[model()], &Presets::default());
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
        styles: vec!["Ink".into(), "old, thick oil".into()],
        extend: true,
        aspect_ratio: Some("16:9".into()),
        loras: vec![
            RawLora { name: "ink".into(), weight: Some(-0.5) },
            RawLora { name: "\"paper\", größer".into(), weight: Some(1.0) },
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
