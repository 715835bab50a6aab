use super::tests::{asked, check, complaint, demo};
use super::*;
use crate::lora::LoraInfo;
use crate::model::{Family, ModelInfo};

#[test]
fn loras_that_the_prompt_names_are_checked_and_stay_in_it() {
    let request = check_with_loras(asked("a boat <lora:ink:0.8>")).unwrap();
    assert_eq!((request.prompt.as_str(), request.loras.len()), ("a boat <lora:ink:0.8>", 0));
    assert_eq!(
        check_with_loras(asked("a boat <lora:oil>")).unwrap_err(),
        "prompt: LoRA `oil` is not installed; installed are ink, style:v2, xl, half"
    );
    assert_eq!(
        check_with_loras(asked("a boat <lora:ink:1:9>")).unwrap_err(),
        "prompt: weight 9 of LoRA `ink` is out of range; allowed are -4 to 4"
    );
}

#[test]
fn a_second_pass_is_enlarged_to_a_size_that_the_model_can_make() {
    let raw = RawRequest { hires_scale: Some(1.6), width: Some(256), height: Some(192), ..asked("boat") };
    let request = check(raw.clone()).unwrap();
    assert_eq!(request.hires, Some(Hires { scale: 1.6, width: 384, height: 320, steps: 20, strength: 0.7 }));
    assert_eq!((request.picture_size(), request.n_steps()), ((384, 320), 20 + 14));
    let raw = RawRequest { hires_steps: Some(0), hires_strength: Some(1.0), ..raw };
    assert_eq!(check(raw.clone()).unwrap().n_steps(), 40, "0 steps are as many as the first pass has");
    let raw = RawRequest { hires_steps: Some(10), hires_strength: Some(0.5), ..raw };
    assert_eq!(check(raw).unwrap().n_steps(), 25);
}

#[test]
fn a_second_pass_out_of_range_is_refused() {
    for scale in [1.0, 0.5, 4.1, f64::NAN] {
        assert_eq!(
            complaint(RawRequest { hires_scale: Some(scale), ..asked("boat") }),
            (
                "hires_scale".into(),
                format!("hires scale {scale} is out of range; allowed are numbers above 1 and up to 4")
            )
        );
    }
    assert_eq!(
        complaint(RawRequest { hires_scale: Some(4.0), width: Some(512), ..asked("boat") }).1,
        "hires scale 4 makes the picture 2048x1024; allowed are sides up to 1024 with model `demo`"
    );
    assert_eq!(
        complaint(RawRequest { hires_steps: Some(151), ..asked("boat") }),
        ("hires_steps".into(), "hires steps 151 is out of range; allowed are 0 to 150".into())
    );
    assert_eq!(
        complaint(RawRequest { hires_strength: Some(2.0), ..asked("boat") }),
        ("hires_strength".into(), "hires strength 2 is out of range; allowed are 0 to 1".into())
    );
    let raw =
        RawRequest { hires_scale: Some(2.0), hires_strength: Some(0.1), steps: Some(5), ..asked("boat") };
    assert_eq!(complaint(raw).1, "hires strength 0.1 walks none of the 5 steps; allowed are 0.2 to 1");
}

#[test]
fn the_pictures_of_a_variation_share_a_seed_and_differ_in_the_second_one() {
    let raw = RawRequest {
        seed: Some(7),
        variation_seed: Some(100),
        variation_strength: Some(0.2),
        count: Some(2),
        ..asked("boat")
    };
    let request = check(raw).unwrap();
    assert_eq!([0, 1].map(|index| request.seed_of(index)), [7, 7]);
    assert_eq!(request.variation_of(1), Some(Variation { seed: 101, strength: 0.2 }));
}

#[test]
fn a_variation_of_no_strength_is_none_and_one_without_a_seed_gets_one() {
    let raw = RawRequest { variation_seed: Some(100), ..asked("boat") };
    assert_eq!(check(raw).unwrap().variation, None);
    let raw = RawRequest { variation_strength: Some(0.0), ..asked("boat") };
    assert_eq!(check(raw).unwrap().variation, None);
    for variation_seed in [None, Some(-1)] {
        let raw = RawRequest { variation_seed, variation_strength: Some(0.5), ..asked("boat") };
        assert_eq!(check(raw).unwrap().variation, Some(Variation { seed: 42, strength: 0.5 }));
    }
}

#[test]
fn finer_settings_out_of_range_are_refused() {
    let refused = |raw: RawRequest| {
        let (field, message) = complaint(raw);
        format!("{field}: {message}")
    };
    for (raw, sentence) in [
        (
            RawRequest { variation_strength: Some(1.5), ..asked("boat") },
            "variation_strength: variation strength 1.5 is out of range; allowed are 0 to 1",
        ),
        (
            RawRequest { variation_seed: Some(-2), ..asked("boat") },
            "variation_seed: variation seed -2 is out of range; allowed are 0 to 9007199254740991, or -1 for a random one",
        ),
        (
            RawRequest { guidance_rescale: Some(-0.1), ..asked("boat") },
            "guidance_rescale: guidance rescale -0.1 is out of range; allowed are 0 to 1",
        ),
        (
            RawRequest { clip_skip: Some(0), ..asked("boat") },
            "clip_skip: clip skip 0 is out of range; allowed are 1 to 12",
        ),
        (
            RawRequest { clip_skip: Some(13), ..asked("boat") },
            "clip_skip: clip skip 13 is out of range; allowed are 1 to 12",
        ),
        (
            RawRequest { noise: Some("gpu".into()), ..asked("boat") },
            "noise: noise `gpu` is unknown; known are cpu, cuda",
        ),
        (
            RawRequest { weighting: Some("comfy".into()), ..asked("boat") },
            "weighting: weighting `comfy` is unknown; known are a1111, compel",
        ),
    ] {
        assert_eq!(refused(raw), sentence);
    }
}

#[test]
fn a_clip_skip_beyond_the_models_layers_is_refused() {
    let model = ModelInfo { max_clip_skip: 4, ..demo() };
    let check = |skip| {
        let context = RequestContext { models: std::slice::from_ref(&model), ..RequestContext::default() };
        RawRequest { clip_skip: Some(skip), ..asked("boat") }.check(&context, || 42)
    };
    assert_eq!(check(4).unwrap().clip_skip, 4);
    let error = check(5).unwrap_err();
    assert_eq!(error.field.as_deref(), Some("clip_skip"));
    assert_eq!(error.message, "clip skip 5 is not possible with this model; allowed are 1 to 4");
}

#[test]
fn names_of_choices_are_read_in_any_case_and_empty_ones_are_the_usual() {
    let raw = RawRequest { noise: Some("CUDA".into()), weighting: Some("Compel".into()), ..asked("boat") };
    let request = check(raw).unwrap();
    assert_eq!((request.noise, request.weighting), (NoiseSource::Cuda, Weighting::Compel));
    let raw = RawRequest { noise: Some(String::new()), weighting: Some(String::new()), ..asked("boat") };
    let request = check(raw).unwrap();
    assert_eq!((request.noise, request.weighting), (NoiseSource::Cpu, Weighting::A1111));
}

fn lora(name: &str) -> LoraInfo {
    LoraInfo {
        name: name.into(),
        family: Family::Sd1,
        n_layers: 1,
        changes_text_encoder: false,
        size_bytes: 1,
        problem: None,
    }
}

/// Checks a request for a model of the family Sd1; the field and the sentence if it is refused.
fn check_with_loras(raw: RawRequest) -> Result<GenerationRequest, String> {
    let broken = LoraInfo { problem: Some("it is cut off".into()), ..lora("half") };
    let context = RequestContext {
        models: &[ModelInfo { family: Family::Sd1, ..demo() }],
        loras: &[lora("ink"), lora("style:v2"), LoraInfo { family: Family::Sdxl, ..lora("xl") }, broken],
        ..RequestContext::default()
    };
    raw.check(&context, || 42).map_err(|error| format!("{}: {}", error.field.unwrap(), error.message))
}

fn with_loras(loras: &[&str]) -> Result<Vec<LoraUse>, String> {
    let loras = loras.iter().map(|text| RawLora::parse(text)).collect();
    check_with_loras(RawRequest { loras, ..asked("boat") }).map(|request| request.loras)
}

#[test]
fn loras_are_read_with_and_without_a_weight() {
    let loras = with_loras(&["ink:0.8", "style:v2"]).unwrap();
    let expected = [("ink", 0.8), ("style:v2", 1.0)];
    assert_eq!(loras, expected.map(|(name, weight)| LoraUse { name: name.into(), weight }));
    assert_eq!(loras[0].to_string(), "ink:0.8");
    let listed = RawLora::parse_list(" ink:0.8, style:v2:-1,");
    let expected = [("ink", 0.8), ("style:v2", -1.0)];
    assert_eq!(listed, expected.map(|(name, weight)| RawLora { name: name.into(), weight: Some(weight) }));
}

#[test]
fn names_with_commas_and_quotation_marks_come_back_out_of_a_list() {
    let names = [
        "a, b",
        "ink",
        "\"old\" film",
        "6\" pen",
        ",",
        "\"",
        " spaced ",
        "größer 水墨",
        "style:2",
        "a\",\"b",
    ];
    let uses = names.map(|name| LoraUse { name: name.into(), weight: -0.5 });
    let list = uses.each_ref().map(LoraUse::in_list).join(",");
    assert_eq!(RawLora::parse_list(&list), uses.each_ref().map(RawLora::from), "{list}");
    // What somebody wrote by hand.
    let by_hand = RawLora::parse_list("\"a, b\" , \"old\" film:0.5, \"ink\" : 2,\"open");
    let expected = [("a, b", None), ("\"old\" film", Some(0.5)), ("ink", Some(2.0)), ("\"open", None)];
    assert_eq!(by_hand, expected.map(|(name, weight)| RawLora { name: name.into(), weight }));
}

#[test]
fn the_weights_of_a_lora_that_is_named_in_several_places_have_the_limits_of_one() {
    let check = |prompt: &str, loras: &[&str]| {
        let loras = loras.iter().map(|text| RawLora::parse(text)).collect();
        check_with_loras(RawRequest { loras, ..asked(prompt) }).map(|request| request.loras.len())
    };
    let sum = |sum: &str| {
        format!(
            "prompt: the weights of LoRA `ink`, which is named more than once, add up to {sum}; allowed are -4 to 4"
        )
    };
    assert_eq!(check("boat <lora:ink:3> <lora:ink:1.5>", &[]), Err(sum("4.5")));
    assert_eq!(check("boat <lora:ink:1>", &["ink:3.5"]), Err(sum("4.5")));
    assert_eq!(check("boat <lora:ink:-3> <lora:ink:0:-3>", &[]), Err(sum("-6")));
    assert_eq!(check("boat <lora:ink:2> <lora:ink:te=3:unet=0>", &["style:v2:4"]), Err(sum("5")));
    let by_a_hair: f64 = [0.8, 1.6, 0.7, 0.9].iter().sum();
    assert!(by_a_hair > 4.0);
    let tags = "<lora:ink:0.8> <lora:ink:1.6> <lora:ink:0.7> <lora:ink:0.9>";
    assert_eq!(check(&format!("boat {tags}"), &[]), Ok(0));
    assert_eq!(check("boat <lora:ink:4> <lora:ink:-2>", &["ink:1", "style:v2:4"]), Ok(2));
}

#[test]
fn loras_that_are_unknown_too_strong_or_named_twice_are_refused() {
    assert_eq!(
        with_loras(&["oil:0.8"]),
        Err("loras: LoRA `oil` is not installed; installed are ink, style:v2, xl, half".to_owned())
    );
    assert_eq!(
        with_loras(&["ink:-5"]),
        Err("loras: weight -5 of LoRA `ink` is out of range; allowed are -4 to 4".to_owned())
    );
    assert_eq!(
        with_loras(&["ink:NaN"]),
        Err("loras: weight NaN of LoRA `ink` is out of range; allowed are -4 to 4".to_owned())
    );
    assert_eq!(
        with_loras(&["ink", "ink:0.5"]),
        Err("loras: LoRA `ink` is named twice; name it once, with the weight it is to have".to_owned())
    );
    assert_eq!(with_loras(&["half"]), Err("loras: LoRA `half` cannot be used: it is cut off".to_owned()));
    assert_eq!(
        with_loras(&["xl"]),
        Err("loras: LoRA `xl` is for Stable Diffusion XL, and model `demo` is Stable Diffusion 1.x; choose others"
            .to_owned())
    );
    let raw = RawRequest { loras: vec![RawLora::parse("ink")], ..asked("boat") };
    assert_eq!(
        complaint(raw).1,
        "LoRA `ink` is not installed; none is, put its file into the folder `loras` of the models folder"
    );
}
