use types::metadata::Program;

use super::*;
use crate::engine::fake::{fake_lora, fake_model};

fn carried(found: Found) -> ReadSettings {
    let xl = ModelInfo { name: "xl-base".into(), family: Family::Sdxl, ..fake_model() };
    let elsewhere = LoraInfo { name: "xl-ink".into(), family: Family::Sd2, ..fake_lora() };
    let context = RequestContext {
        models: &[fake_model(), xl],
        loras: &[fake_lora(), elsewhere],
        ..RequestContext::default()
    };
    carry(found, &context, &|hash| (hash == "aeb7e9e689").then(|| "xl-base".to_owned()))
}

fn found(raw: RawRequest) -> Found {
    Found { raw: RawRequest { prompt: "a boat".into(), ..raw }, ..Found::new(Program::Automatic1111) }
}

fn left(settings: &ReadSettings) -> Vec<String> {
    settings.not_carried.iter().map(|left| format!("{}={}: {}", left.name, left.value, left.reason)).collect()
}

fn model(name: &str, hash: Option<&str>) -> FoundModel {
    FoundModel { name: name.into(), hash: hash.map(str::to_owned) }
}

#[test]
fn an_installed_model_is_taken_and_another_is_told() {
    let taken = carried(Found {
        model: Some(model("folder/XL_base.safetensors", None)),
        ..found(RawRequest::default())
    });
    assert_eq!((taken.request.model.as_deref(), left(&taken)), (Some("xl-base"), vec![]));
    let told = carried(Found {
        model: Some(model("dreamshaper.ckpt", Some("6ce0161689"))),
        ..found(RawRequest::default())
    });
    assert_eq!(told.request.model, None);
    let renamed = carried(Found {
        model: Some(model("juggernaut", Some("aeb7e9e689"))),
        ..found(RawRequest::default())
    });
    assert_eq!((renamed.request.model.as_deref(), left(&renamed)), (Some("xl-base"), vec![]));
    assert_eq!(
        left(&told),
        ["model=dreamshaper [6ce0161689]: it is not installed here; `demo` takes its place"]
    );
}

#[test]
fn sampler_and_schedule_have_their_own_names_afterwards() {
    let names = |sampler: &str, schedule: Option<&str>| {
        let raw = RawRequest {
            sampler: Some(sampler.into()),
            schedule: schedule.map(str::to_owned),
            ..RawRequest::default()
        };
        let request = carried(found(raw)).request;
        (request.sampler.unwrap_or_default(), request.schedule.unwrap_or_default())
    };
    let pair = |sampler: &str, schedule: &str| (sampler.to_owned(), schedule.to_owned());
    assert_eq!(names("DPM++ 2M Karras", None), pair("dpmpp_2m", "karras"));
    assert_eq!(names("DPM++ 2M", Some("Karras")), pair("dpmpp_2m", "karras"));
    assert_eq!(names("Euler a", None), pair("euler_ancestral", "normal"));
    assert_eq!(names("Euler a", Some("Automatic")), pair("euler_ancestral", "normal"));
    assert_eq!(names("dpmpp_2m_sde_gpu", Some("exponential")), pair("dpmpp_2m_sde", "exponential"));
}

#[test]
fn what_a_request_may_not_have_is_left_with_the_sentence_that_refuses_it() {
    let settings = carried(found(RawRequest {
        steps: Some(500),
        guidance_scale: Some(99.0),
        sampler: Some("Restart".into()),
        schedule: Some("KL Optimal".into()),
        width: Some(1152),
        height: Some(896),
        clip_skip: Some(40),
        hires_scale: Some(9.0),
        hires_steps: Some(10),
        ..RawRequest::default()
    }));
    assert_eq!(settings.request.shape, Some(Shape::Landscape));
    assert_eq!((settings.request.steps, settings.request.hires_steps), (None, None));
    let left: Vec<_> = settings.not_carried.iter().map(|left| left.name.as_str()).collect();
    assert_eq!(left, ["steps", "guidance scale", "sampler", "schedule", "size", "second pass", "clip skip"]);
    assert_eq!(settings.not_carried[0].reason, "steps 500 is out of range; allowed are 1 to 150");
    assert_eq!(settings.not_carried[4].value, "1152x896");
}

#[test]
fn a_large_seed_names_the_same_noise_by_its_lower_bits_where_only_those_count() {
    let seed = 12_297_829_382_473_034_410_i128;
    let lower = i64::from(2_863_311_530_u32);
    let settings = carried(Found { seed: Some(seed), ..found(RawRequest::default()) });
    assert_eq!(settings.request.seed, Some(lower));
    assert_eq!(
        left(&settings),
        [
            "seed=12297829382473034410: allowed are 0 to 9007199254740991; 2863311530 draws the same noise and takes its place"
        ]
    );
    for raw in [
        RawRequest { noise: Some("cuda".into()), ..RawRequest::default() },
        RawRequest { sampler: Some("dpmpp_sde".into()), ..RawRequest::default() },
    ] {
        let settings = carried(Found { seed: Some(seed), ..found(raw) });
        assert_eq!(settings.request.seed, None);
        assert_eq!(settings.not_carried[0].reason, "it is out of range; allowed are 0 to 9007199254740991");
    }
    assert_eq!(carried(Found { seed: Some(7), ..found(RawRequest::default()) }).request.seed, Some(7));
    assert_eq!(carried(Found { seed: Some(-1), ..found(RawRequest::default()) }).request.seed, None);
}

#[test]
fn a_layer_of_the_text_encoder_is_counted_from_where_the_model_was_trained_to() {
    let skip =
        |clip, name| carried(Found { clip, model: Some(model(name, None)), ..found(RawRequest::default()) });
    assert_eq!(skip(ClipLayer::FromLast(2), "demo").request.clip_skip, Some(2));
    assert_eq!(skip(ClipLayer::FromLast(1), "demo").request.clip_skip, None);
    assert_eq!(skip(ClipLayer::FromLast(2), "xl-base").request.clip_skip, None);
    assert_eq!(skip(ClipLayer::FromLast(3), "xl-base").request.clip_skip, Some(2));
    assert_eq!(skip(ClipLayer::FromLastOfSd1(2), "xl-base").request.clip_skip, None);
    assert_eq!(
        left(&skip(ClipLayer::FromLast(1), "xl-base")),
        ["clip skip=1: this model begins with the last layer but one"]
    );
}

#[test]
fn tags_of_loras_that_are_not_to_be_had_are_taken_out_of_the_prompt() {
    let prompt = |text: &str| {
        let raw = RawRequest { prompt: text.into(), ..RawRequest::default() };
        let settings = carried(Found { raw, ..Found::new(Program::Automatic1111) });
        (settings.request.prompt.clone(), left(&settings))
    };
    assert_eq!(prompt("a <lora:ink:0.8> boat"), ("a <lora:ink:0.8> boat".into(), vec![]));
    assert_eq!(prompt("a boat <lora:INK.safetensors:0.8>"), ("a boat <lora:ink:0.8>".into(), vec![]));
    assert_eq!(
        prompt("a <lora:ink:0.8:0.5> boat, <lora:gone:1> <lora:ink:9>"),
        (
            "a boat, <lora:ink:0.8:0.5>".into(),
            vec![
                "LoRA=gone:1: LoRA `gone` is not installed; installed are ink, xl-ink".into(),
                "LoRA=ink:9: weight 9 of LoRA `ink` is out of range; allowed are -4 to 4".into(),
            ]
        )
    );
}

#[test]
fn listed_loras_are_found_by_their_files_and_one_with_two_weights_becomes_a_tag() {
    let lora = |name: &str, text_encoder, unet| FoundLora { name: name.into(), text_encoder, unet };
    let loras = vec![
        lora("styles/Ink.safetensors", 0.5, 0.5),
        lora("ink", 0.25, 0.25),
        lora("ink", 0.0, 1.0),
        lora("gone.safetensors", 1.0, 1.0),
    ];
    let settings = carried(Found { loras, ..found(RawRequest::default()) });
    assert_eq!(settings.request.loras, [RawLora { name: "ink".into(), weight: Some(0.75) }]);
    assert_eq!(settings.request.prompt, "a boat <lora:ink:0:1>");
    assert_eq!(left(&settings), ["LoRA=gone:1: LoRA `gone` is not installed; installed are ink, xl-ink"]);
}

#[test]
fn a_prompt_that_is_empty_or_too_long_hides_no_other_mistake() {
    for prompt in [String::new(), "x".repeat(100_000)] {
        let raw = RawRequest { prompt: prompt.clone(), steps: Some(0), ..RawRequest::default() };
        let settings = carried(Found { raw, ..Found::new(Program::ComfyUi) });
        assert!(settings.request.prompt.len() <= 16_000);
        assert_eq!(settings.request.steps, None, "{} bytes", prompt.len());
    }
}
