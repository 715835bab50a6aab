use super::*;

fn read_text(text: &str) -> Found {
    read(&Texts::from([("parameters", text)])).unwrap().unwrap()
}

fn left(found: &Found) -> Vec<&str> {
    found.not_carried.iter().map(|left| left.name.as_str()).collect()
}

#[test]
fn parameters_are_read_whether_they_are_numbers_or_texts() {
    let found = read_text(
        r#"{"sui_image_params": {"prompt": "a (red:1.3) boat", "negativeprompt": "fog", "model":
        "OfficialStableDiffusion/sd_xl_base_1.0", "seed": "12345", "steps": 20, "cfgscale": "7.0", "aspectratio": "4:3",
        "width": 1152, "height": 896, "sampler": "dpmpp_2m", "scheduler": "karras", "automaticvae": true,
        "loras": ["folder/ink", "oil"], "loraweights": ["0.8", "0.5"], "clipstopatlayer": -2, "variationseed": 9,
        "variationseedstrength": 0.2, "swarm_version": "0.9.6"}, "sui_extra_data": {"date": "2025-01-25"}}"#,
    );
    assert_eq!(found.raw.prompt, "a (red:1.3) boat");
    assert_eq!(found.raw.weighting.as_deref(), Some("compel"));
    assert_eq!((found.seed, found.raw.steps, found.raw.guidance_scale), (Some(12_345), Some(20), Some(7.0)));
    assert_eq!((found.raw.width, found.raw.height), (Some(1152), Some(896)));
    assert_eq!(
        (found.raw.sampler.as_deref(), found.raw.schedule.as_deref()),
        (Some("dpmpp_2m"), Some("karras"))
    );
    assert_eq!((found.raw.variation_seed, found.raw.variation_strength), (Some(9), Some(0.2)));
    assert_eq!(found.clip, ClipLayer::FromLast(2));
    let loras: Vec<_> = found.loras.iter().map(|lora| (lora.name.as_str(), lora.unet)).collect();
    assert_eq!(loras, [("folder/ink", 0.8), ("oil", 0.5)]);
    assert_eq!(left(&found), Vec::<&str>::new());
}

#[test]
fn a_refiner_that_is_the_model_itself_is_a_second_pass_and_another_model_is_not() {
    let found = read_text(
        r#"{"sui_image_params": {"prompt": "boat", "width": 512, "height": 512, "steps": 20, "refinercontrolpercentage":
        0.4, "refinermethod": "PostApply", "refinerupscale": 1.5, "refinerupscalemethod": "latent-bislerp"}}"#,
    );
    assert_eq!((found.raw.hires_scale, found.raw.hires_strength), (Some(1.5), Some(0.4)));
    assert_eq!(
        (found.raw.sampler.as_deref(), found.raw.schedule.as_deref()),
        (Some("euler"), Some("normal"))
    );
    assert_eq!(left(&found), ["refinerupscalemethod"]);
    let other = read_text(
        r#"{"sui_image_params": {"prompt": "boat", "refinercontrolpercentage": 0.2, "refinermodel": "xl_refiner",
        "controlnetmodel": "canny", "controlnetstrength": 1, "initimagecreativity": 0.6}}"#,
    );
    assert_eq!((other.raw.hires_scale, other.raw.strength), (None, Some(0.6)));
    assert_eq!(left(&other), ["refinermodel", "initimage", "controlnetmodel"]);
}

#[test]
fn what_is_no_json_is_said() {
    let texts = Texts::from([("parameters", r#"{"sui_image_params": "#)]);
    let sentence = read(&texts).unwrap_err().to_string();
    assert!(sentence.starts_with(
        "the settings that SwarmUI wrote cannot be read: the text `parameters` is not JSON: EOF"
    ));
}
