use image::RgbImage;
use types::picture::PictureFormat;
use types::request::{GenerationRequest, RawRequest};

use super::*;
use crate::pictures::encode;

fn request(more: &str) -> GenerationRequest {
    let json = format!(
        r#"{{"prompt": "a Ã© boat", "negative_prompt": "rain", "model": "demo", "steps": 12, "guidance_scale": 4.5,
            "sampler": "heun", "schedule": "beta", "seed": 7, "width": 64, "height": 96, "count": 3{more}}}"#
    );
    serde_json::from_str(&json).unwrap()
}

#[test]
fn the_very_request_comes_back_out_of_every_format() {
    let request = request(
        r#", "noise": "cuda", "weighting": "compel", "guidance_rescale": 0.7, "clip_skip": 2,
            "variation": {"seed": 100, "strength": 0.2}, "loras": [{"name": "ink", "weight": 0.5}],
            "hires": {"scale": 1.5, "width": 96, "height": 144, "steps": 9, "strength": 0.6}"#,
    );
    for format in PictureFormat::ALL {
        let file = encode(&RgbImage::new(64, 96), &request, 2, format).unwrap();
        let found = read(&file).unwrap();
        assert_eq!(
            (found.program, found.raw),
            (Program::Darkroom, RawRequest::one_of(&request, 2)),
            "{format:?}"
        );
    }
}

#[test]
fn a_file_of_before_still_gives_its_parameters() {
    let text = types::parameters::to_text(&request(""), 1);
    let found = a1111::read(&Texts::from([("parameters", text.as_str())])).unwrap().unwrap();
    assert_eq!(found.program, Program::Darkroom);
    assert_eq!((found.raw.prompt.as_str(), found.raw.noise.as_deref()), ("a Ã© boat", Some("cpu")));
    assert_eq!((found.raw.steps, found.seed, found.raw.width), (Some(12), Some(8), Some(64)));
}

#[test]
fn a_made_up_request_is_refused_and_not_counted_on() {
    let json = |index: u64, seed: u64| {
        let request =
            serde_json::to_string(&request("")).unwrap().replace(r#""seed":7"#, &format!(r#""seed":{seed}"#));
        format!(r#"{{"version": "1", "index": {index}, "request": {request}}}"#)
    };
    let complaint = |json: &str| darkroom::read(&Texts::from([("darkroom", json)])).unwrap_err().to_string();
    assert_eq!(
        complaint(&json(4_000_000_000, 7)),
        "the settings that Darkroom wrote cannot be read: picture 4000000000 of a job; there are at most 8"
    );
    assert_eq!(
        complaint(&json(1, u64::MAX)),
        "the settings that Darkroom wrote cannot be read: seed 18446744073709551615 is out of range; allowed are 0 to \
         9007199254740991"
    );
    assert!(complaint("{").starts_with("the settings that Darkroom wrote cannot be read: EOF"));
}

#[test]
fn a_picture_without_settings_and_a_file_that_is_no_picture_are_told_apart() {
    let mut plain = std::io::Cursor::new(Vec::new());
    RgbImage::new(8, 8).write_to(&mut plain, image::ImageFormat::Png).unwrap();
    assert_eq!(
        read(plain.get_ref()).unwrap_err().to_string(),
        "the picture carries no settings; those of Darkroom, AUTOMATIC1111, Forge, ComfyUI, InvokeAI, Fooocus and \
         SwarmUI are read, as long as nobody took them out"
    );
    assert_eq!(
        read(b"no picture").unwrap_err().to_string(),
        "the file is not an image; allowed are PNG, JPEG and WebP"
    );
    assert_eq!(read(b"").unwrap_err().to_string(), "the file is empty; send a PNG, JPEG or WebP image");
}

#[test]
fn what_one_program_wrote_badly_another_may_have_written_well() {
    let texts = Texts::from([("prompt", "{"), ("parameters", "boat\nSteps: 20, Seed: 7, Size: 64x64")]);
    assert!(comfyui::read(&texts).is_err());
    assert_eq!(a1111::read(&texts).unwrap().unwrap().raw.prompt, "boat");
}

#[test]
fn deep_and_endless_texts_end_with_a_sentence() {
    let deep = "[".repeat(1 << 20);
    let object = r#"{"a":"#.repeat(100_000);
    for text in
        [deep.as_str(), object.as_str(), &"x".repeat(1 << 20), &":".repeat(1 << 20), &"a:[".repeat(1 << 18)]
    {
        for keyword in
            ["darkroom", "invokeai_metadata", "sd-metadata", "Dream", "parameters", "prompt", "workflow"]
        {
            let texts = Texts::from([(keyword, text)]);
            for reader in
                [darkroom::read, invokeai::read, fooocus::read, swarmui::read, comfyui::read, a1111::read]
            {
                assert!(!matches!(reader(&texts), Ok(Some(_))), "{keyword}");
            }
        }
    }
}
