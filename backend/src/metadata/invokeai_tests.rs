use super::*;

fn left(found: &Found) -> Vec<&str> {
    found.not_carried.iter().map(|left| left.name.as_str()).collect()
}

#[test]
fn metadata_of_today_is_read() {
    let json = r#"{"generation_mode": "txt2img", "positive_prompt": "a red++ boat", "negative_prompt": "fog", "width": 512,
        "height": 768, "seed": 3141592653, "rand_device": "cpu", "cfg_scale": 7.5, "cfg_rescale_multiplier": 0.7,
        "steps": 30, "scheduler": "dpmpp_2m_sde_k", "clip_skip": 1, "model": {"key": "x", "hash": "blake3:aa", "name":
        "dreamshaper-8", "base": "sd-1", "type": "main"}, "loras": [{"model": {"name": "ink", "base": "sd-1"}, "weight":
        0.6}, {"lora": {"model_name": "oil"}, "weight": 0.3}], "seamless_x": false, "vae": {"name": "kl-f8"},
        "controlnets": [{"control_weight": 1}], "ipAdapters": [], "app_version": "5.4.2"}"#;
    let found = read(&Texts::from([("invokeai_metadata", json)])).unwrap().unwrap();
    assert_eq!(
        (found.raw.prompt.as_str(), found.raw.weighting.as_deref()),
        ("a (red:1.21) boat", Some("compel"))
    );
    assert_eq!(
        (found.raw.steps, found.raw.guidance_scale, found.seed),
        (Some(30), Some(7.5), Some(3_141_592_653))
    );
    assert_eq!(
        (found.raw.sampler.as_deref(), found.raw.schedule.as_deref()),
        (Some("dpmpp_2m_sde"), Some("karras"))
    );
    assert_eq!(found.raw.guidance_rescale, Some(0.7));
    assert_eq!(found.clip, ClipLayer::FromLast(2), "one is left out");
    assert_eq!(found.model.as_ref().unwrap().name, "dreamshaper-8");
    let loras: Vec<_> = found.loras.iter().map(|lora| (lora.name.as_str(), lora.unet)).collect();
    assert_eq!(loras, [("ink", 0.6), ("oil", 0.3)]);
    assert_eq!(left(&found), ["vae", "controlnets"]);
}

#[test]
fn metadata_of_before_has_the_negative_words_in_square_brackets() {
    let json = r#"{"model": "stable diffusion", "model_weights": "stable-diffusion-1.5", "model_hash": "cc6cb27103",
        "app_id": "invoke-ai/InvokeAI", "app_version": "2.3.5", "image": {"prompt": [{"prompt":
        "a robot reading [fog, text]", "weight": 1.0}], "steps": 50, "cfg_scale": 7.5, "threshold": 0, "perlin": 0.2,
        "height": 512, "width": 640, "seed": 1618033988, "seamless": false, "type": "txt2img", "postprocessing": null,
        "sampler": "k_lms", "variations": []}}"#;
    let found = read(&Texts::from([("sd-metadata", json)])).unwrap().unwrap();
    assert_eq!(found.raw.prompt, "a robot reading");
    assert_eq!(found.raw.negative_prompt.as_deref(), Some("fog, text"));
    assert_eq!((found.raw.steps, found.raw.width, found.seed), (Some(50), Some(640), Some(1_618_033_988)));
    assert_eq!(
        (found.raw.sampler.as_deref(), found.raw.schedule.as_deref()),
        (Some("k_lms"), Some("normal"))
    );
    assert_eq!(left(&found), ["perlin"]);
}

#[test]
fn the_command_of_the_very_first_is_read() {
    let command =
        r#""a "big" boat [fog]" -s 50 -S 1618033988 -W512 -H 640 -C7.5 -A k_euler_a -f0.6 -I start.png"#;
    let found = read(&Texts::from([("Dream", command)])).unwrap().unwrap();
    assert_eq!(
        (found.raw.prompt.as_str(), found.raw.negative_prompt.as_deref()),
        (r#"a "big" boat"#, Some("fog"))
    );
    assert_eq!((found.raw.steps, found.raw.width, found.raw.height), (Some(50), Some(512), Some(640)));
    assert_eq!(
        (found.seed, found.raw.guidance_scale, found.raw.strength),
        (Some(1_618_033_988), Some(7.5), Some(0.6))
    );
    assert_eq!(found.raw.sampler.as_deref(), Some("k_euler_a"));
    assert_eq!(left(&found), ["-I"]);
}

#[test]
fn what_makes_no_sense_is_said() {
    let complaint =
        |keyword: &str, text: &str| read(&Texts::from([(keyword, text)])).unwrap_err().to_string();
    assert_eq!(
        complaint("invokeai_metadata", "[]"),
        "the settings that InvokeAI wrote cannot be read: the text `invokeai_metadata` is no JSON object"
    );
    assert_eq!(
        complaint("Dream", "a boat -s 50"),
        "the settings that InvokeAI wrote cannot be read: the text `Dream` does not begin with a prompt in quotation marks"
    );
}
