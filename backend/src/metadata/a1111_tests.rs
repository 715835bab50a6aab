use super::*;
use crate::metadata::found::FoundModel;

fn read_text(text: &str) -> Found {
    read(&Texts::from([("parameters", text)])).unwrap().unwrap()
}

fn left(found: &Found) -> Vec<String> {
    found.not_carried.iter().map(|left| format!("{}={}: {}", left.name, left.value, left.reason)).collect()
}

#[test]
fn a_picture_from_words_alone_is_read_to_the_last_setting() {
    let found = read_text(
        "a (red:1.2) boat, at sea <lora:ink:0.8>\nNegative prompt: fog, rain\nSteps: 25, Sampler: DPM++ 2M, Schedule \
         type: Karras, CFG scale: 7.5, Seed: 1234567890, Size: 512x768, Model hash: 6ce0161689, Model: \
         v1-5-pruned-emaonly, Clip skip: 2, Lora hashes: \"ink: 21895f3ba9ab\", Version: v1.10.1",
    );
    assert_eq!(found.program, Program::Automatic1111);
    assert_eq!(found.raw.prompt, "a (red:1.2) boat, at sea <lora:ink:0.8>");
    assert_eq!(found.raw.negative_prompt.as_deref(), Some("fog, rain"));
    assert_eq!(
        (found.raw.steps, found.raw.guidance_scale, found.seed),
        (Some(25), Some(7.5), Some(1_234_567_890))
    );
    assert_eq!(
        (found.raw.sampler.as_deref(), found.raw.schedule.as_deref()),
        (Some("DPM++ 2M"), Some("Karras"))
    );
    assert_eq!((found.raw.width, found.raw.height), (Some(512), Some(768)));
    let model = FoundModel { name: "v1-5-pruned-emaonly".into(), hash: Some("6ce0161689".into()) };
    assert_eq!(found.model, Some(model));
    assert_eq!(found.clip, ClipLayer::FromLastOfSd1(2));
    assert_eq!(found.raw.noise.as_deref(), Some("cuda"), "it is silent about its own source");
    assert_eq!(left(&found), Vec::<String>::new());
}

#[test]
fn noise_of_a_processor_is_said_and_a_variation_has_a_seed_and_a_strength() {
    let found = read_text(
        "boat\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 7, Size: 64x64, Variation seed: 99, Variation seed \
         strength: 0.25, RNG: CPU, Version: v1.6.0",
    );
    assert_eq!(found.raw.noise.as_deref(), Some("cpu"));
    assert_eq!((found.raw.variation_seed, found.raw.variation_strength), (Some(99), Some(0.25)));
}

#[test]
fn a_second_pass_is_read_with_the_steps_of_its_whole_way() {
    let found = read_text(
        "boat\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 7, Size: 512x512, Denoising strength: 0.5, Hires \
         upscale: 2, Hires steps: 10, Hires upscaler: Latent, Hires prompt: \"a boat, large\", Version: v1.8.0",
    );
    assert_eq!((found.raw.hires_scale, found.raw.hires_strength), (Some(2.0), Some(0.5)));
    assert_eq!(found.raw.hires_steps, Some(20), "10 of 20 are walked");
    assert_eq!(found.raw.strength, None);
    assert_eq!(
        left(&found),
        [
            "Hires upscaler=Latent: the picture is enlarged by Lanczos' filter here",
            "Hires prompt=a boat, large: the second pass has the prompt of the first here",
        ]
    );
    let resized = read_text(
        "boat\nSteps: 20, Seed: 7, Size: 448x640, Denoising strength: 0.6, Hires resize: 896x1280, Hires upscaler: \
         Lanczos",
    );
    assert_eq!((resized.raw.hires_scale, resized.raw.hires_steps), (Some(2.0), Some(34)));
    assert_eq!(left(&resized), Vec::<String>::new());
}

#[test]
fn the_first_pass_of_old_has_its_own_size() {
    let found = read_text(
        "boat\nSteps: 20, Seed: 7, Size: 1024x1024, Denoising strength: 0.7, First pass size: 512x512",
    );
    assert_eq!((found.raw.width, found.raw.height), (Some(512), Some(512)));
    assert_eq!(found.raw.hires_scale, Some(2.0));
}

#[test]
fn a_size_that_no_picture_has_is_compared_all_the_same() {
    let found = read_text("boat\nSteps: 20, Seed: 7, Size: 9223372036854775807x8, Hires resize: 16x16");
    assert_eq!((found.raw.width, found.raw.height), (Some(i64::MAX), Some(8)));
    assert_eq!(left(&found), ["Hires resize=16x16: the second pass keeps the shape of the first here"]);
    let same_shape = read_text(
        "boat\nSteps: 20, Seed: 7, Size: 9223372036854775807x9223372036854775807, Hires resize: 16x16",
    );
    assert_eq!(left(&same_shape), Vec::<String>::new());
}

#[test]
fn a_picture_from_another_one_says_so() {
    let found = read_text(
        "boat\nSteps: 20, Seed: 7, Size: 64x64, Denoising strength: 0.4, Init image hash: 12ab, Mask blur: 8, \
         Masked content: latent noise",
    );
    assert_eq!((found.raw.strength, found.raw.mask_feather), (Some(0.4), Some(8)));
    assert_eq!(found.raw.mask_fill.as_deref(), Some("noise"));
    assert_eq!(
        left(&found),
        [
            "start picture=12ab: a file does not hold the picture that it was made from; choose that one as start \
             picture again",
            "Mask blur=8: a file does not hold the mask; paint it again",
        ]
    );
}

#[test]
fn extensions_are_told_once_each_and_unknown_settings_by_their_names() {
    let found = read_text(
        "boat\nSteps: 20, Seed: 7, Size: 64x64, VAE: kl-f8.ckpt, ADetailer model: face_yolov8n.pt, ADetailer prompt: \
         \"a face, calm\", ControlNet 0: \"Module: canny, Weight: 1\", ControlNet 1: \"Module: depth\", ENSD: 31337, \
         Refiner: xl-refiner, Refiner switch at: 0.8, Emphasis: No norm, Version: f2.0.1v1.10.1-previous-1",
    );
    assert_eq!(found.program, Program::Forge);
    assert_eq!(
        left(&found),
        [
            "Emphasis=No norm: the weights of words are applied as in `Original` here",
            "VAE=kl-f8.ckpt: a model is used with its own VAE here",
            "ADetailer model=face_yolov8n.pt: faces and hands are not painted anew here",
            "ControlNet 0=Module: canny, Weight: 1: there is no ControlNet here",
            "ENSD=31337: there is no such setting here",
            "Refiner=xl-refiner: a second model does not take over here",
        ]
    );
}

#[test]
fn a_number_that_is_none_is_left_and_the_rest_is_read() {
    let found = read_text("boat\nSteps: many, Sampler: Euler, Seed: 7, Size: large");
    assert_eq!((found.raw.steps, found.raw.width, found.seed), (None, None, Some(7)));
    assert_eq!(
        left(&found),
        ["Size=large: it is not a size such as `512x768`", "Steps=many: it is not a whole number"]
    );
}

#[test]
fn a_prompt_without_settings_is_refused() {
    assert_eq!(
        read(&Texts::from([("parameters", "a red boat")])).unwrap_err().to_string(),
        "the settings that AUTOMATIC1111 wrote cannot be read: the text `parameters` has no line of settings such as \
         `Steps: 20, Sampler: Euler, Seed: 7`"
    );
}
