use super::*;
use crate::error::{ErrorCode, PublicError};
use crate::model::{Family, ModelDefaults, ModelInfo, Quality, Shape, SizeLimits};
use crate::sampler::{Sampler, Schedule};

pub(crate) fn demo() -> ModelInfo {
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
        limits: SizeLimits { multiple: 64, min_side: 128, max_side: 512 },
        sizes: [(256, 256), (320, 192), (192, 320)],
        vocabulary: None,
        examples: vec![],
        n_parameters: 0,
        memory_bytes: 0,
        problem: None,
    }
}

pub(super) fn asked(prompt: &str) -> RawRequest {
    RawRequest { prompt: prompt.into(), ..RawRequest::default() }
}

pub(super) fn check(raw: RawRequest) -> Result<GenerationRequest, PublicError> {
    raw.check(&RequestContext { models: &[demo()], ..RequestContext::default() }, || 42)
}

pub(super) fn complaint(raw: RawRequest) -> (String, String) {
    let error = check(raw).expect_err("the request should be refused");
    (error.field.expect("the error names a field"), error.message)
}

#[test]
fn a_prompt_alone_gets_the_models_defaults_and_a_chosen_seed() {
    let request = check(asked("  a red boat\n")).unwrap();
    assert_eq!(request.prompt, "a red boat");
    assert_eq!((request.width, request.height, request.steps, request.seed), (256, 256, 20, 42));
    assert_eq!((request.sampler, request.schedule), (Sampler::DpmPlusPlus2M, Schedule::Karras));
    assert_eq!((request.count, request.model.as_str()), (1, "demo"));
}

#[test]
fn quality_and_shape_stand_in_for_steps_and_size_until_those_are_given() {
    let raw = RawRequest { quality: Some(Quality::Premium), shape: Some(Shape::Landscape), ..asked("boat") };
    let request = check(raw.clone()).unwrap();
    assert_eq!((request.steps, request.width, request.height), (40, 320, 192));
    let request = check(RawRequest { steps: Some(7), width: Some(128), height: Some(128), ..raw }).unwrap();
    assert_eq!((request.steps, request.width, request.height), (7, 128, 128));
}

#[test]
fn an_empty_prompt_is_refused() {
    assert_eq!(
        complaint(asked(" \n ")),
        ("prompt".into(), "the prompt is empty; write 1 to 2000 characters".into())
    );
}

#[test]
fn a_prompt_of_more_than_2000_characters_is_refused_and_one_of_2000_is_not() {
    assert!(check(asked(&"ü".repeat(2000))).is_ok());
    assert_eq!(
        complaint(asked(&"ü".repeat(2001))),
        ("prompt".into(), "the prompt has 2001 characters; at most 2000 are allowed".into())
    );
}

#[test]
fn control_characters_are_refused_and_line_breaks_become_spaces() {
    assert_eq!(check(asked("a\nboat")).unwrap().prompt, "a boat");
    assert_eq!(
        complaint(asked("a\u{7}boat")),
        (
            "prompt".into(),
            "the prompt has the control character U+0007 at position 2; only text is allowed".into()
        )
    );
    assert_eq!(
        complaint(RawRequest { negative_prompt: Some("\u{0}x".into()), ..asked("boat") }).1,
        "the negative prompt has the control character U+0000 at position 1; only text is allowed"
    );
}

#[test]
fn the_line_break_of_a_form_is_one_space_and_one_character() {
    assert_eq!(check(asked("a red boat\r\nat sea\r\n")).unwrap().prompt, "a red boat at sea");
    let lines = ["x"; 1_000].join("\r\n");
    assert_eq!(check(asked(&lines)).unwrap().prompt.len(), 1_999);
}

#[test]
fn a_model_that_cannot_be_used_is_said_to_be_so_before_its_limits_are_looked_at() {
    let broken = ModelInfo { problem: Some("file `vae/config.json` is missing".into()), ..demo() };
    let raw = RawRequest { width: Some(100), ..asked("boat") };
    let error =
        raw.check(&RequestContext { models: &[broken], ..RequestContext::default() }, || 42).unwrap_err();
    assert_eq!((error.code, error.field.as_deref()), (ErrorCode::ModelUnusable, Some("model")));
    assert_eq!(error.message, "model `demo` cannot be used: file `vae/config.json` is missing");
}

#[test]
fn without_any_model_the_sentence_says_so() {
    for model in [None, Some(String::new()), Some("sdxl".to_owned())] {
        let error =
            RawRequest { model, ..asked("boat") }.check(&RequestContext::default(), || 42).unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (ErrorCode::ModelUnusable, Some("model")));
        assert_eq!(
            error.message,
            "no picture model is installed; put a folder with one into the models folder"
        );
    }
}

#[test]
fn steps_outside_1_to_150_are_refused() {
    for steps in [0, 151, -3, i64::MAX] {
        assert_eq!(
            complaint(RawRequest { steps: Some(steps), ..asked("boat") }),
            ("steps".into(), format!("steps {steps} is out of range; allowed are 1 to 150"))
        );
    }
}

#[test]
fn sizes_that_the_model_cannot_do_are_refused() {
    for width in [250, 96, 576, -8, 0] {
        assert_eq!(
            complaint(RawRequest { width: Some(width), ..asked("boat") }),
            (
                "width".into(),
                format!(
                    "width {width} is not possible with model `demo`; allowed are multiples of 64 from 128 to 512"
                )
            )
        );
    }
}

#[test]
fn guidance_that_is_no_number_or_out_of_range_is_refused() {
    for guidance_scale in [-0.5, 30.5, f64::NAN] {
        let (field, message) =
            complaint(RawRequest { guidance_scale: Some(guidance_scale), ..asked("boat") });
        assert_eq!(field, "guidance_scale");
        assert_eq!(message, format!("guidance scale {guidance_scale} is out of range; allowed are 0 to 30"));
    }
}

#[test]
fn unknown_models_samplers_and_schedules_are_refused_with_the_known_ones() {
    assert_eq!(
        complaint(RawRequest { model: Some("sdxl".into()), ..asked("boat") }),
        ("model".into(), "model `sdxl` is not installed; installed are demo".into())
    );
    assert_eq!(
        complaint(RawRequest { sampler: Some("restart".into()), ..asked("boat") }).1,
        "restart".parse::<Sampler>().unwrap_err().to_string()
    );
    assert_eq!(
        complaint(RawRequest { schedule: Some("linear".into()), ..asked("boat") }).1,
        "linear".parse::<Schedule>().unwrap_err().to_string()
    );
}

#[test]
fn seeds_and_counts_out_of_range_are_refused_and_minus_one_chooses_a_seed() {
    assert_eq!(check(RawRequest { seed: Some(-1), ..asked("boat") }).unwrap().seed, 42);
    assert_eq!(complaint(RawRequest { seed: Some(-2), ..asked("boat") }).0, "seed");
    assert_eq!(complaint(RawRequest { seed: Some(i64::MAX), ..asked("boat") }).0, "seed");
    assert_eq!(
        complaint(RawRequest { count: Some(9), ..asked("boat") }).1,
        "count 9 is out of range; allowed are 1 to 8"
    );
}

#[test]
fn unknown_fields_in_json_are_refused() {
    let error = serde_json::from_str::<RawRequest>(r#"{"prompt": "boat", "stepps": 3}"#).unwrap_err();
    assert!(error.to_string().starts_with("unknown field `stepps`"), "{error}");
}

#[test]
fn the_name_of_a_sampler_may_carry_its_schedule_unless_one_is_named_besides() {
    let pair = |sampler: &str, schedule: Option<&str>| {
        let schedule = schedule.map(str::to_owned);
        let request = check(RawRequest { sampler: Some(sampler.into()), schedule, ..asked("boat") }).unwrap();
        (request.sampler, request.schedule)
    };
    assert_eq!(pair("Euler a Exponential", None), (Sampler::EulerAncestral, Schedule::Exponential));
    assert_eq!(pair("Euler a Exponential", Some("simple")), (Sampler::EulerAncestral, Schedule::Simple));
    assert_eq!(pair("euler", None), (Sampler::Euler, Schedule::Karras), "the model's usual");
}
