//! Pictures asked for as clients of the AUTOMATIC1111 web UI ask for them.

use axum::http::StatusCode;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use image::{GrayImage, ImageFormat, Luma, RgbImage};
use serde_json::{Value, json};

use crate::helpers::{Answer, Browser, TestApp};
use crate::uploads::{TEAL, encoded, right_half, teal};

impl Browser {
    pub async fn txt2img(&self, request: Value) -> Answer {
        self.post_json("/sdapi/v1/txt2img", &request).await
    }

    pub async fn img2img(&self, request: Value) -> Answer {
        self.post_json("/sdapi/v1/img2img", &request).await
    }
}

impl Answer {
    /// The answer of a call that is expected to have made pictures, with what its `info` says.
    pub fn made(&self) -> Made {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text());
        let answer: Value = self.json();
        let info = answer["info"].as_str().expect("info is JSON in a text");
        let images = answer["images"].as_array().expect("pictures are a list");
        let files = images.iter().map(|image| {
            BASE64_STANDARD.decode(image.as_str().expect("a picture is text")).expect("it is base64")
        });
        Made {
            files: files.collect(),
            info: serde_json::from_str(info).expect("info is JSON"),
            parameters: answer["parameters"].clone(),
        }
    }

    /// An error as one line: status, place, and sentence.
    pub fn refusal(&self) -> String {
        let body: Value = self.json();
        let status = self.status.as_u16();
        match &body["detail"] {
            Value::String(sentence) => format!("{status}: {sentence}"),
            Value::Array(faults) => {
                assert_eq!((faults.len(), &faults[0]["type"]), (1, &json!("value_error")));
                format!("{status} {}: {}", faults[0]["loc"], faults[0]["msg"].as_str().unwrap_or_default())
            }
            other => panic!("an error has a detail, and this one has {other}"),
        }
    }
}

pub struct Made {
    pub files: Vec<Vec<u8>>,
    pub info: Value,
    pub parameters: Value,
}

impl Made {
    fn pixels(&self) -> RgbImage {
        image::load_from_memory(&self.files[0]).expect("a picture is an image").into_rgb8()
    }
}

pub fn base64(file: impl AsRef<[u8]>) -> String {
    BASE64_STANDARD.encode(file)
}

#[tokio::test]
async fn a_prompt_gives_a_picture_with_its_settings() {
    let app = TestApp::start().await;
    let request = json!({
        "prompt": "a red boat", "negative_prompt": "fog", "seed": 7, "steps": 3, "cfg_scale": 5.5, "width": 128,
        "height": 64, "sampler_name": "DPM++ 2M SDE", "scheduler": "Automatic",
    });
    let made = app.browser().txt2img(request).await.made();
    assert_eq!(made.files.len(), 1);
    assert_eq!(made.pixels().dimensions(), (128, 64));
    let infotext = "a red boat\nNegative prompt: fog\nSteps: 3, Sampler: DPM++ 2M SDE, Schedule type: Exponential, \
                    CFG scale: 5.5, Seed: 7, Size: 128x64, Model: demo, RNG: CPU, Version: Darkroom ";
    let told = made.info["infotexts"][0].as_str().expect("there is a text for every picture");
    assert!(told.starts_with(infotext), "{told}");
    assert!(String::from_utf8_lossy(&made.files[0]).contains(told), "the same stands in the file");
    for (name, expected) in [
        ("prompt", json!("a red boat")),
        ("all_prompts", json!(["a red boat"])),
        ("negative_prompt", json!("fog")),
        ("seed", json!(7)),
        ("all_seeds", json!([7])),
        ("subseed_strength", json!(0.0)),
        ("width", json!(128)),
        ("height", json!(64)),
        ("sampler_name", json!("DPM++ 2M SDE")),
        ("cfg_scale", json!(5.5)),
        ("steps", json!(3)),
        ("batch_size", json!(1)),
        ("sd_model_name", json!("demo")),
        ("denoising_strength", json!(null)),
        ("styles", json!([])),
        ("clip_skip", json!(1)),
        ("index_of_first_image", json!(0)),
    ] {
        assert_eq!(made.info[name], expected, "{name}");
    }
    assert_eq!(made.info["job_timestamp"].as_str().expect("it is text").len(), 14);
    assert_eq!(made.parameters["cfg_scale"], 5.5);
    assert_eq!(made.parameters["scheduler"], "Automatic", "as it was sent");
}

#[tokio::test]
async fn what_is_left_out_is_the_models_own_and_is_told() {
    let app = TestApp::start().await;
    let request = json!({ "prompt": "a red boat", "width": null, "sampler_name": "", "nonsense": 1 });
    let made = app.browser().txt2img(request).await.made();
    let told = |name: &str| made.parameters[name].clone();
    assert_eq!((told("steps"), told("width"), told("height")), (json!(4), json!(128), json!(128)));
    assert_eq!((told("cfg_scale"), told("scheduler")), (json!(4.0), json!("Karras")));
    assert_eq!((told("hr_scale"), told("n_iter")), (json!(2.0), json!(1)), "as it is usual there");
    assert_eq!(told("seed"), made.info["seed"], "one was chosen");
    assert_eq!(told("nonsense"), json!(null), "what is not known there is passed over");
}

#[tokio::test]
async fn a_sampler_brings_the_schedule_that_it_has_there() {
    let app = TestApp::start().await;
    let anna = app.browser();
    for (asked, sampler, schedule) in [
        (json!({ "sampler_name": "DPM++ 2M Karras" }), "DPM++ 2M", "Karras"),
        (json!({ "sampler_index": "k_dpmpp_2m_ka" }), "DPM++ 2M", "Karras"),
        (json!({ "sampler_name": "Euler a", "sampler_index": "DDIM" }), "Euler a", "Automatic"),
        (json!({ "sampler_name": "DPM++ 3M SDE" }), "DPM++ 3M SDE", "Exponential"),
        (json!({ "sampler_name": "Euler", "scheduler": "sgm_uniform" }), "Euler", "SGM Uniform"),
        (json!({ "scheduler": "Automatic" }), "DPM++ 2M", "Karras"),
    ] {
        let mut request = json!({ "prompt": "a red boat" });
        request.as_object_mut().unwrap().extend(asked.as_object().unwrap().clone());
        let told = anna.txt2img(request).await.made().info["infotexts"][0].to_string();
        assert!(told.contains(&format!("Sampler: {sampler}, Schedule type: {schedule}, ")), "{told}");
    }
}

#[tokio::test]
async fn batches_are_pictures_of_one_job_each_with_its_seed() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let request = json!({ "prompt": "boats", "seed": "40", "batch_size": 2, "n_iter": 2 });
    let made = anna.txt2img(request).await.made();
    assert_eq!((made.files.len(), &made.info["all_seeds"]), (4, &json!([40, 41, 42, 43])));
    assert_eq!(made.info["infotexts"].as_array().unwrap().len(), 4);
    let request =
        json!({ "prompt": "boats", "seed": 40, "batch_size": 2, "subseed": 9, "subseed_strength": 0.25 });
    let made = anna.txt2img(request).await.made();
    assert_eq!((&made.info["all_seeds"], &made.info["all_subseeds"]), (&json!([40, 40]), &json!([9, 10])));
    assert_eq!(made.info["subseed_strength"], 0.25);
    let made = anna.txt2img(json!({ "prompt": "boats", "send_images": false })).await.made();
    assert!(made.files.is_empty());
    assert_eq!(made.info["all_seeds"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_second_pass_is_asked_for_by_a_factor_or_by_a_size() {
    let app = TestApp::start().await;
    let anna = app.browser();
    for (asked, size) in [
        (json!({ "hr_scale": 1.5 }), (192, 96)),
        (json!({}), (256, 128)),
        (json!({ "hr_resize_x": 320 }), (320, 160)),
        (json!({ "hr_resize_y": 128, "hr_scale": 4 }), (256, 128)),
        (json!({ "hr_resize_x": 192, "hr_resize_y": 96 }), (192, 96)),
    ] {
        let mut request = json!({
            "prompt": "a red boat", "width": 128, "height": 64, "enable_hr": true, "denoising_strength": 0.5,
            "hr_second_pass_steps": 8, "hr_upscaler": "Latent",
        });
        request.as_object_mut().unwrap().extend(asked.as_object().unwrap().clone());
        let made = anna.txt2img(request).await.made();
        assert_eq!(made.pixels().dimensions(), size, "{asked}");
        let told = made.info["infotexts"][0].to_string();
        assert!(told.contains("Denoising strength: 0.5") && told.contains("Hires steps: 8"), "{told}");
    }
    let unused = json!({ "prompt": "a boat", "hr_scale": 3, "denoising_strength": 0.7 });
    assert_eq!(anna.txt2img(unused).await.made().pixels().dimensions(), (128, 128));
    let other_shape =
        json!({ "prompt": "a boat", "enable_hr": true, "hr_resize_x": 256, "hr_resize_y": 512 });
    insta::assert_snapshot!(
        anna.txt2img(other_shape).await.refusal(),
        @r#"422 ["body","hr_resize_y"]: hr_resize_x 256 and hr_resize_y 512 have another shape than 128x128; set one of them to 0, or use hr_scale"#
    );
}

#[tokio::test]
async fn a_picture_gives_a_picture() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let start = format!("data:image/png;base64,{}", base64(teal(96, 64)));
    let request = json!({ "prompt": "a boat", "init_images": [start], "denoising_strength": 0.5, "seed": 7 });
    let made = anna.img2img(request.clone()).await.made();
    assert_eq!(made.pixels().dimensions(), (96, 64), "as large as the picture");
    assert_eq!((&made.info["denoising_strength"], &made.info["steps"]), (&json!(0.5), &json!(4)));
    assert_eq!(made.parameters["init_images"], json!(null), "it is not sent back");
    assert_eq!(made.parameters["denoising_strength"], 0.5);
    let mut request = request;
    request["include_init_images"] = json!(true);
    let made = anna.img2img(request).await.made();
    assert_eq!(made.parameters["init_images"], json!([start]), "unless it is asked for");
}

#[tokio::test]
async fn what_the_mask_leaves_black_stays() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let (start, mask) = (base64(teal(96, 64)), base64(right_half(96, 64)));
    let request = json!({
        "prompt": "a boat", "init_images": [start], "mask": mask, "mask_blur": 0, "denoising_strength": 1, "seed": 7,
    });
    let made = anna.img2img(request.clone()).await.made();
    assert_eq!((*made.pixels().get_pixel(10, 10), *made.pixels().get_pixel(90, 10) == TEAL), (TEAL, false));
    let told = made.info["infotexts"][0].to_string();
    assert!(told.contains("Mask blur: 0, Masked content: fill"), "as it is usual there: {told}");

    let mut inverted = request.clone();
    inverted["inpainting_mask_invert"] = json!(1);
    inverted["inpainting_fill"] = json!(1);
    let made = anna.img2img(inverted).await.made();
    assert_eq!((*made.pixels().get_pixel(10, 10) == TEAL, *made.pixels().get_pixel(90, 10)), (false, TEAL));
    assert!(!made.info["infotexts"][0].to_string().contains("Masked content"));

    // A mask of another size is one all the same.
    let mut small = request;
    small["mask"] = json!(base64(right_half(24, 16)));
    let made = anna.img2img(small).await.made();
    assert_eq!((*made.pixels().get_pixel(10, 10), *made.pixels().get_pixel(90, 10) == TEAL), (TEAL, false));
}

#[tokio::test]
async fn a_picture_of_another_shape_is_stretched_cut_or_extended() {
    let app = TestApp::start().await;
    let anna = app.browser();
    // Black, and white in its right third.
    let start = GrayImage::from_fn(96, 64, |x, _| Luma([if x < 64 { 0 } else { 255 }]));
    let start = base64(encoded(start, ImageFormat::Png));
    // The gradient is laid over by half; where the start is white it is brighter than it can be elsewhere.
    let white_columns = async |resize_mode: i64| {
        let mask = base64(encoded(GrayImage::from_pixel(96, 64, Luma([0])), ImageFormat::Png));
        let request = json!({
            "prompt": "a boat", "init_images": [start], "mask": mask, "width": 64, "height": 64,
            "resize_mode": resize_mode,
        });
        let pixels = anna.img2img(request).await.made().pixels();
        assert_eq!(pixels.dimensions(), (64, 64));
        (0..64).filter(|x| pixels.get_pixel(*x, 32)[0] > 128).count()
    };
    let stretched = white_columns(0).await;
    let cut = white_columns(1).await;
    let extended = white_columns(2).await;
    assert!((20..=23).contains(&stretched), "a third: {stretched}");
    assert!((15..=17).contains(&cut), "what is left of it when both sides are cut: {cut}");
    assert!((20..=23).contains(&extended), "a third: {extended}");
    let request = json!({ "prompt": "a boat", "init_images": [start], "resize_mode": 4 });
    insta::assert_snapshot!(
        anna.img2img(request).await.refusal(),
        @r#"422 ["body","resize_mode"]: resize_mode 4 is unknown; known are 0, 1, 2 and 3"#
    );
}

#[tokio::test]
async fn settings_of_a_call_choose_the_layer_and_the_noise() {
    let app = TestApp::start().await;
    let request = json!({
        "prompt": "a boat",
        "override_settings": {
            "sd_model_checkpoint": "demo.safetensors [0123456789]", "CLIP_stop_at_last_layers": 2,
            "randn_source": "NV", "sd_vae": "none that is here",
        },
    });
    let made = app.browser().txt2img(request).await.made();
    let told = made.info["infotexts"][0].to_string();
    assert!(told.contains("Model: demo, Clip skip: 2, Version"), "{told}");
    assert_eq!(made.info["clip_skip"], 2);
}
