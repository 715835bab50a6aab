use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use image::{ImageFormat, Rgb, Rgba, RgbaImage};
use serde_json::{Value, json};

use super::{EDITS, VARIATIONS, complaint, file, pixels};
use crate::helpers::{Multipart, TestApp};
use crate::uploads::{TEAL, encoded, right_half, teal};

fn edit(prompt: &str, image: &[u8]) -> Multipart {
    let form = Multipart::new().field("prompt", prompt).field("response_format", "b64_json");
    form.file("image", "boat.png", image)
}

/// A picture of one colour whose right half is transparent.
fn half_transparent(width: u32, height: u32) -> bytes::Bytes {
    let [red, green, blue] = TEAL.0;
    let alpha = |x| if x < width / 2 { 255 } else { 0 };
    encoded(RgbaImage::from_fn(width, height, |x, _| Rgba([red, green, blue, alpha(x)])), ImageFormat::Png)
}

#[tokio::test]
async fn what_is_transparent_in_the_mask_is_painted_anew_and_the_rest_stays() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let form = edit("a boat", &teal(96, 64)).file("mask", "mask.png", &half_transparent(96, 64));
    let answer = anna.sent(EDITS, form).await;
    let made = file(&answer["data"][0]);
    let picture = pixels(&made);
    assert_eq!((picture.dimensions(), answer["size"].as_str()), ((96, 64), Some("96x64")));
    assert_eq!(*picture.get_pixel(10, 10), TEAL);
    assert_ne!(*picture.get_pixel(90, 10), TEAL);
    let text = String::from_utf8_lossy(&made);
    assert!(text.contains("Denoising strength: 1, RNG: CPU, Mask blur: 4"), "painted anew from nothing");
    assert_eq!(answer["usage"]["input_tokens_details"], json!({ "image_tokens": 96, "text_tokens": 2 }));
}

#[tokio::test]
async fn a_picture_that_is_transparent_is_its_own_mask() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let picture =
        pixels(&file(&anna.sent(EDITS, edit("a boat", &half_transparent(96, 64))).await["data"][0]));
    assert_eq!(*picture.get_pixel(10, 10), TEAL);
    assert!(![TEAL, Rgb([255, 255, 255])].contains(picture.get_pixel(90, 10)));
}

#[tokio::test]
async fn pictures_may_stand_in_json_as_well_and_be_larger_than_other_json() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let url = |file: &[u8]| format!("data:image/png;base64,{}", BASE64_STANDARD.encode(file));
    // As if the picture took more than a megabyte.
    let image = url(&teal(96, 64)) + &"\n".repeat(1 << 20);
    let request = json!({
        "prompt": "a boat", "images": [{ "image_url": image }], "response_format": "b64_json",
        "mask": { "image_url": url(&half_transparent(96, 64)) },
    });
    let answer = anna.post_json(EDITS, &request).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let made = pixels(&file(&answer.json::<Value>()["data"][0]));
    assert_eq!(*made.get_pixel(10, 10), TEAL);
    assert_ne!(*made.get_pixel(90, 10), TEAL);
}

#[tokio::test]
async fn without_a_mask_the_whole_picture_changes_as_far_as_the_strength_says() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let made = file(&anna.sent(EDITS, edit("a boat", &teal(96, 64))).await["data"][0]);
    assert!(String::from_utf8_lossy(&made).contains("Denoising strength: 0.75"));
    let form = edit("a boat", &teal(96, 64)).field("strength", "0.5").field("seed", "7").field("steps", "10");
    let form = form.field("loras[][name]", "ink").field("loras[][weight]", "0.5").field("size", "128x128");
    let made = file(&anna.sent(EDITS, form).await["data"][0]);
    let text = String::from_utf8_lossy(&made);
    assert!(text.contains("<lora:ink:0.5>") && text.contains("Seed: 7, Size: 128x128"), "{text}");
    assert!(text.contains("Denoising strength: 0.5"), "{text}");
}

#[tokio::test]
async fn a_variation_is_painted_after_the_prompt_that_its_picture_tells() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let first = anna.paint("a red boat").await;
    let png = anna.get(&first.path(types::picture::PictureFormat::Png)).await.body;
    let form = Multipart::new().field("n", "2").file("image", "boat.png", &png);
    let answer = anna.sent(VARIATIONS, form).await;
    assert_eq!(answer["data"][0]["revised_prompt"], "a red boat");
    let paths = [0, 1].map(|index| answer["data"][index]["url"].as_str().unwrap().to_owned());
    let [one, other] = [anna.get(&paths[0]).await.body, anna.get(&paths[1]).await.body];
    assert_ne!(pixels(&one), pixels(&other));
    assert!(String::from_utf8_lossy(&one).contains("Denoising strength: 0.6"));

    let form = Multipart::new().field("prompt", "a blue boat").file("image", "boat.png", &png);
    assert_eq!(anna.sent(VARIATIONS, form).await["data"][0]["revised_prompt"], json!(null));
    let form = Multipart::new().file("image", "boat.png", &teal(96, 64));
    assert_eq!(anna.sent(VARIATIONS, form).await["data"][0]["revised_prompt"], "a picture");
}

#[tokio::test]
async fn a_variation_of_a_picture_in_json_may_be_as_large_as_an_edit_and_neither_may_be_larger() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let url = format!("data:image/png;base64,{}", BASE64_STANDARD.encode(teal(96, 64)));
    // As if the picture took more than a megabyte.
    let image = url + &"\n".repeat(1 << 20);
    let answer = anna.post_json(VARIATIONS, &json!({ "images": [{ "image_url": image }] })).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json::<Value>()["data"][0]["revised_prompt"], "a picture");
    for path in [EDITS, VARIATIONS] {
        assert_eq!(
            complaint(&anna.post_text(path, "application/json", " ".repeat((64 << 20) + 1)).await),
            "413 invalid_request_error - -: the body is too large; at most 67108864 bytes are allowed"
        );
    }
}

#[tokio::test]
async fn pictures_and_masks_that_are_none_are_refused_by_their_names() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let refused = async |form| complaint(&anna.post_multipart(EDITS, form).await);
    let boat = teal(96, 64);
    insta::assert_snapshot!(
        refused(Multipart::new().field("prompt", "boat")).await,
        @"400 invalid_request_error image missing_required_parameter: image is missing; send a PNG, JPEG or WebP file in the field `image`"
    );
    insta::assert_snapshot!(
        refused(edit("boat", b"hello")).await,
        @"400 invalid_request_error image invalid_value: the file is not an image; allowed are PNG, JPEG and WebP"
    );
    insta::assert_snapshot!(
        refused(edit("boat", &boat).file("mask", "mask.png", b"hello")).await,
        @"400 invalid_request_error mask invalid_value: the file is not an image; allowed are PNG, JPEG and WebP"
    );
    insta::assert_snapshot!(
        refused(edit("boat", &boat).file("mask", "mask.png", &right_half(96, 64))).await,
        @"400 invalid_request_error mask invalid_value: the mask has no wholly transparent pixel; make transparent (alpha 0) what is to be painted anew"
    );
    insta::assert_snapshot!(
        refused(edit("boat", &boat).file("mask", "mask.png", &half_transparent(64, 64))).await,
        @"400 invalid_request_error mask invalid_value: the mask has 64x64 pixels; allowed are 96x64, as the start picture has"
    );
    let in_variation = Multipart::new().file("image", "boat.png", &boat).file("mask", "mask.png", &boat);
    insta::assert_snapshot!(
        complaint(&anna.post_multipart(VARIATIONS, in_variation).await),
        @"400 invalid_request_error mask unknown_parameter: mask means nothing for a variation; send the picture and its mask to /v1/images/edits"
    );
    insta::assert_snapshot!(
        refused(edit("boat", &boat).file("image", "boat.png", &boat)).await,
        @"400 invalid_request_error image invalid_value: image is there more than once; allowed is 1 picture"
    );
    insta::assert_snapshot!(
        refused(Multipart::new().file("image", "boat.png", &boat)).await,
        @"400 invalid_request_error prompt missing_required_parameter: the prompt is empty; write 1 to 2000 characters"
    );
    insta::assert_snapshot!(
        refused(edit("boat", &boat).field("strength", "2")).await,
        @"400 invalid_request_error strength invalid_value: strength 2 is out of range; allowed are 0 to 1"
    );
    insta::assert_snapshot!(
        refused(edit("boat", &boat).cut_off()).await,
        @"400 invalid_request_error - -: the form broke off before its end"
    );
    insta::assert_snapshot!(
        refused(edit("boat", &vec![0; types::upload::MAX_UPLOAD_BYTES + 1])).await,
        @"413 invalid_request_error image -: the file is too large; at most 33554432 bytes are allowed"
    );
    insta::assert_snapshot!(
        complaint(&anna.post_text(EDITS, "text/plain", "boat").await),
        @"400 invalid_request_error - unsupported_content_type: the header `content-type` says neither that a form with files is sent nor JSON; allowed are multipart/form-data with the picture as a file in the field `image`, and application/json with the picture in `images`"
    );
    insta::assert_snapshot!(
        complaint(&anna.post_json(EDITS, &json!({ "prompt": "boat" })).await),
        @"400 invalid_request_error image missing_required_parameter: image is missing; send a PNG, JPEG or WebP file in the field `image`"
    );
    assert_eq!(anna.history("").await.n_matches, 0);
    let kept = std::fs::read_dir(app.data().join("uploads")).map(Iterator::count).unwrap_or_default();
    assert_eq!(kept, 0, "what came with a call that is refused is not kept");
}
