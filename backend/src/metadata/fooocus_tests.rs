use super::*;

const OWN: &str = r#"{"adm_guidance": "(1.5, 0.8, 0.3)", "base_model": "juggernautXL_v8", "base_model_hash":
    "aeb7e9e689", "clip_skip": 2, "full_negative_prompt": ["fog"], "full_prompt": ["a boat, cinematic"],
    "guidance_scale": 4.0, "lora_combined_1": "sd_xl_offset : 0.1", "loras": [["sd_xl_offset", 0.1, "4852686128"]],
    "metadata_scheme": "fooocus", "negative_prompt": "fog", "performance": "Speed", "prompt": "a boat",
    "prompt_expansion": "a boat, sharp focus", "refiner_model": "None", "refiner_switch": 0.5, "resolution":
    "(1152, 896)", "sampler": "dpmpp_2m_sde_gpu", "scheduler": "karras", "seed": "8172635", "sharpness": 2.0,
    "steps": 30, "styles": "['Fooocus V2']", "vae": "Default (model)", "version": "Fooocus v2.5.5"}"#;

fn left(found: &Found) -> Vec<&str> {
    found.not_carried.iter().map(|left| left.name.as_str()).collect()
}

#[test]
fn its_own_form_is_read() {
    let found = read(&Texts::from([("parameters", OWN), ("fooocus_scheme", "fooocus")])).unwrap().unwrap();
    assert_eq!(found.program, Program::Fooocus);
    assert_eq!((found.raw.prompt.as_str(), found.raw.negative_prompt.as_deref()), ("a boat", Some("fog")));
    assert_eq!((found.raw.width, found.raw.height, found.raw.steps), (Some(1152), Some(896), Some(30)));
    let names = (found.raw.sampler.as_deref(), found.raw.schedule.as_deref());
    assert_eq!(names, (Some("dpmpp_2m_sde_gpu"), Some("karras")));
    assert_eq!((found.seed, found.raw.guidance_scale), (Some(8_172_635), Some(4.0)));
    assert_eq!(found.clip, ClipLayer::FromLast(2));
    assert_eq!(found.loras, [FoundLora { name: "sd_xl_offset".into(), text_encoder: 0.1, unet: 0.1 }]);
    assert_eq!(left(&found), ["styles", "prompt_expansion", "adm_guidance", "sharpness"]);
}

#[test]
fn the_form_of_the_web_ui_is_read_with_what_was_typed() {
    let text = "a boat, cinematic, sharp focus\nNegative prompt: fog, anime\nSteps: 30, Sampler: DPM++ 2M SDE Karras, \
                Seed: 7, Size: 896x1152, CFG scale: 4.0, Sharpness: 2.0, ADM Guidance: \"(1.5, 0.8, 0.3)\", Model: \
                juggernautXL_v8, Model hash: aeb7e9e689, Performance: Speed, Scheduler: karras, VAE: Default (model), \
                Raw prompt: \"a boat, at sea\", Raw negative prompt: fog, Lora hashes: \"ink: 485268\", Lora weights: \
                \"ink: 0.1, oil: 0.5\", Version: Fooocus v2.5.5";
    let found = read(&Texts::from([("parameters", text), ("fooocus_scheme", "a1111")])).unwrap().unwrap();
    assert_eq!(
        (found.raw.prompt.as_str(), found.raw.negative_prompt.as_deref()),
        ("a boat, at sea", Some("fog"))
    );
    assert_eq!(found.raw.schedule.as_deref(), Some("karras"));
    assert_eq!(found.raw.noise.as_deref(), Some("cpu"));
    let loras: Vec<_> = found.loras.iter().map(|lora| (lora.name.as_str(), lora.unet)).collect();
    assert_eq!(loras, [("ink", 0.1), ("oil", 0.5)]);
    assert_eq!(left(&found), ["Sharpness", "ADM Guidance"]);
}

#[test]
fn a_jpeg_is_known_by_the_program_that_it_names() {
    let texts = Texts::from([("parameters", OWN), ("Software", "Fooocus v2.5.5")]);
    assert_eq!(read(&texts).unwrap().unwrap().raw.prompt, "a boat");
    let broken = Texts::from([("parameters", "{"), ("Software", "Fooocus v2.5.5")]);
    assert_eq!(
        read(&broken).unwrap_err().to_string(),
        "the settings that Fooocus wrote cannot be read: the text `parameters` is not JSON"
    );
}

#[test]
fn a_lora_that_is_switched_off_is_none() {
    assert_eq!(lora("False : ink : 0.5", " : "), None);
    assert_eq!(lora("True : ink : 0.5", " : ").unwrap().name, "ink");
    assert_eq!(lora("ink", " : "), None);
}
