//! Pictures that programs send in ComfyUI's way, and workflows that begin with them.

use axum::http::StatusCode;
use bytes::Bytes;
use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};
use serde_json::{Value, json};

use crate::comfyui::{graph, with_node};
use crate::helpers::{Answer, Browser, Multipart, TestApp};
use crate::uploads::{TEAL, encoded, right_half, teal};

/// Teal all over, and transparent in its right half.
fn transparent_on_the_right(width: u32, height: u32) -> Bytes {
    let [red, green, blue] = TEAL.0;
    let alpha = |x| if x < width / 2 { 255 } else { 0 };
    encoded(RgbaImage::from_fn(width, height, |x, _| Rgba([red, green, blue, alpha(x)])), ImageFormat::Png)
}

impl Browser {
    async fn send_picture(&self, name: &str, bytes: &[u8], fields: &[(&str, &str)]) -> Answer {
        let form = Multipart::new().file("image", name, bytes);
        let form = fields.iter().fold(form, |form, (name, value)| form.field(name, value));
        self.post_multipart("/upload/image", form).await
    }

    /// A picture that is expected to be kept: the name that it got.
    async fn named(&self, name: &str, bytes: &[u8], fields: &[(&str, &str)]) -> Value {
        let answer = self.send_picture(name, bytes, fields).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        answer.json()
    }
}

/// A workflow that begins with a picture.
fn from_picture(name: &str, denoise: f64) -> Value {
    let graph =
        with_node(graph(&[("3", "denoise", json!(denoise))]), "1", "LoadImage", json!({ "image": name }));
    with_node(graph, "5", "VAEEncode", json!({ "pixels": ["1", 0], "vae": ["4", 2] }))
}

/// The same with a mask over it.
fn masked(name: &str, denoise: f64, mask: Value) -> Value {
    let mut graph = from_picture(name, denoise);
    graph["3"]["inputs"]["latent_image"] = json!(["20", 0]);
    let mut inputs = json!({ "samples": ["5", 0] });
    inputs["mask"] = mask;
    with_node(graph, "20", "SetLatentNoiseMask", inputs)
}

/// The pixels at the left and at the right edge of the first picture.
async fn edges(anna: &Browser, entry: &Value) -> [[u8; 3]; 2] {
    let picture = anna.view(&entry["outputs"]["9"]["images"][0]).await;
    let pixels = image::load_from_memory(&picture.body).unwrap().into_rgb8();
    let y = pixels.height() / 2;
    [pixels.get_pixel(1, y).0, pixels.get_pixel(pixels.width() - 2, y).0]
}

#[tokio::test]
async fn a_picture_is_kept_under_its_name_and_had_back_by_it() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    let sent = teal(96, 64);
    let kept = anna.named("boat.png", &sent, &[("subfolder", "boats"), ("type", "input")]).await;
    assert_eq!(kept, json!({ "name": "boat.png", "subfolder": "boats", "type": "input" }));
    let back = anna.get("/view?filename=boat.png&subfolder=boats&type=input").await;
    assert_eq!((back.status, &back.body, back.header("content-type")), (StatusCode::OK, &sent, "image/png"));
    anna.named("look.png", &sent, &[("type", "temp")]).await;
    assert_eq!(anna.get("/view?filename=look.png&type=temp").await.body, sent);
    // It is nobody else's.
    let other = [("authorization", "Bearer ben")];
    let refused = anna.get_with("/view?filename=boat.png&subfolder=boats&type=input", &other).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    let list: Value = anna.get("/object_info/LoadImage").await.json();
    let config = &list["LoadImage"]["input"]["required"]["image"];
    assert_eq!(*config, json!([["boats/boat.png", "look.png"], { "image_upload": true }]));
}

#[tokio::test]
async fn a_name_that_is_taken_gets_a_number_unless_it_is_the_same_picture_or_is_to_be_overwritten() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    let (first, second) = (teal(96, 64), teal(64, 96));
    let name = |kept: Value| kept["name"].as_str().unwrap().to_owned();
    assert_eq!(name(anna.named("boat.png", &first, &[]).await), "boat.png");
    assert_eq!(name(anna.named("boat.png", &first, &[]).await), "boat.png");
    assert_eq!(name(anna.named("boat.png", &second, &[]).await), "boat (1).png");
    assert_eq!(name(anna.named("boat.png", &second, &[]).await), "boat (1).png");
    assert_eq!(anna.get("/view?filename=boat.png&type=input").await.body, first);
    assert_eq!(name(anna.named("boat.png", &second, &[("overwrite", "true")]).await), "boat.png");
    assert_eq!(anna.get("/view?filename=boat.png&type=input").await.body, second);
}

#[tokio::test]
async fn a_name_that_is_taken_with_twenty_numbers_gets_the_pictures_id() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    let pictures: Vec<Bytes> = (1..=23).map(|i| teal(64, 8 * i)).collect();
    let mut names = Vec::new();
    for picture in &pictures {
        names.push(anna.named("boat.png", picture, &[]).await["name"].as_str().unwrap().to_owned());
    }
    assert_eq!((names[0].as_str(), names[20].as_str()), ("boat.png", "boat (20).png"));
    for (name, picture) in names.iter().zip(&pictures).skip(21) {
        let id = name.strip_prefix("boat (").and_then(|rest| rest.strip_suffix(").png"));
        assert!(id.is_some_and(|id| id.parse::<types::upload::UploadId>().is_ok()), "{name}");
        let back = anna.get(&format!("/view?filename={}&type=input", name.replace(' ', "%20"))).await;
        assert!(back.body == *picture, "{name} is another picture");
    }
    assert_ne!(names[21], names[22]);
}

#[tokio::test]
async fn pictures_that_are_sent_at_once_under_one_name_each_get_one_of_their_own() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    let pictures: Vec<Bytes> = (1..=6).map(|i| teal(64, 8 * i)).collect();
    let sending = pictures.iter().map(|picture| anna.named("boat.png", picture, &[]));
    let kept = futures::future::join_all(sending).await;
    for (kept, picture) in kept.iter().zip(&pictures) {
        let name = kept["name"].as_str().unwrap().replace(' ', "%20");
        let back = anna.get(&format!("/view?filename={name}&type=input")).await;
        assert!(back.body == *picture, "{name} is another picture");
    }
}

#[tokio::test]
async fn what_is_no_picture_and_what_is_no_name_is_refused_with_a_sentence() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    let complaint = |answer: &Answer| {
        let body: Value = answer.json();
        format!("{} {}", answer.status.as_u16(), body["error"]["message"].as_str().unwrap_or(""))
    };
    insta::assert_snapshot!(complaint(&anna.send_picture("boat.png", b"boat", &[]).await), @"422 the file is not an image; allowed are PNG, JPEG and WebP");
    for name in ["..", "a/b.png", "a\\b.png"] {
        let answer = anna.send_picture(name, &teal(64, 64), &[]).await;
        let sentence = format!("422 `{name}` is no name for a picture; send one such as `boat.png`");
        assert_eq!(complaint(&answer), sentence.replace("a\\\\b", "a\\b"));
    }
    let answer = anna.send_picture("boat.png", &teal(64, 64), &[("subfolder", "../other")]).await;
    insta::assert_snapshot!(complaint(&answer), @"422 `../other/boat.png` is no name for a picture; send one such as `boat.png`");
    let answer = anna.post_multipart("/upload/image", Multipart::new().field("image", "boat")).await;
    insta::assert_snapshot!(complaint(&answer), @"422 the form has no file in the field `image`; send one");
    let answer = anna.post_json("/upload/image", &json!({})).await;
    insta::assert_snapshot!(complaint(&answer), @"422 the body is no form with files; send multipart/form-data with the field `image`");
    for query in
        ["", "?filename=..%2F..%2Fetc%2Fpasswd", "?filename=boats_0123456789abcdef0123456789abcdef.png"]
    {
        assert_eq!(anna.get(&format!("/view{query}")).await.status, StatusCode::NOT_FOUND, "{query}");
    }
}

#[tokio::test]
async fn a_picture_that_was_sent_shines_through_as_far_as_denoise_leaves_it() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    anna.named("boat.png", &teal(128, 64), &[]).await;
    let (id, entry) = anna.worked_off(&app, &from_picture("boat.png", 0.5)).await;
    let job =
        app.services.job(&crate::comfyui::program(&app.services), crate::comfyui::job_of(&id)).await.unwrap();
    // Three steps at half of the noise are the last of six.
    assert_eq!((job.request.steps, job.request.n_steps(), job.request.strength()), (6, 3, Some(0.5)));
    let [left, _] = edges(&anna, &entry).await;
    let (_, whole) = anna.worked_off(&app, &from_picture("boat.png", 1.0)).await;
    assert_ne!(edges(&anna, &whole).await[0], left);
}

#[tokio::test]
async fn a_picture_that_was_made_is_begun_with_by_the_name_that_it_got() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    let (_, entry) = anna.worked_off(&app, &graph(&[])).await;
    let name = entry["outputs"]["9"]["images"][0]["filename"].as_str().unwrap().to_owned();
    let (_, again) = anna.worked_off(&app, &from_picture(&format!("{name} [output]"), 0.5)).await;
    assert_eq!(again["status"]["status_str"], "success");
}

#[tokio::test]
async fn only_what_is_transparent_is_painted_anew_and_what_is_under_it_is_known() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    anna.named("hole.png", &transparent_on_the_right(128, 64), &[]).await;
    let (_, entry) = anna.worked_off(&app, &masked("hole.png", 0.5, json!(["1", 1]))).await;
    let [left, right] = edges(&anna, &entry).await;
    assert_eq!(left, TEAL.0);
    assert_ne!(right, TEAL.0);
    // Half of it is what was there: teal, and not the white that a page shows under it.
    anna.named("whole.png", &teal(128, 64), &[]).await;
    let (_, whole) = anna.worked_off(&app, &from_picture("whole.png", 0.5)).await;
    assert_eq!(edges(&anna, &whole).await[1], right);
}

#[tokio::test]
async fn a_mask_is_a_channel_of_another_picture_of_any_size() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    anna.named("boat.png", &teal(128, 64), &[]).await;
    anna.named("mask.png", &right_half(64, 32), &[]).await;
    let with_channel = |channel: &str| {
        let graph = masked("boat.png", 1.0, json!(["2", 0]));
        with_node(graph, "2", "LoadImageMask", json!({ "image": "mask.png", "channel": channel }))
    };
    let (_, entry) = anna.worked_off(&app, &with_channel("red")).await;
    let [left, right] = edges(&anna, &entry).await;
    assert_eq!(left, TEAL.0);
    assert_ne!(right, TEAL.0);
    // A picture without transparency is no mask of it: nothing is painted anew.
    let (_, entry) = anna.worked_off(&app, &with_channel("alpha")).await;
    assert_eq!(edges(&anna, &entry).await, [TEAL.0; 2]);
}

#[tokio::test]
async fn inpainting_hides_what_is_masked_in_grey_and_lets_the_mask_grow() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    anna.named("hole.png", &transparent_on_the_right(128, 64), &[]).await;
    let inpainting = |grow: u32| {
        let inputs = json!({ "pixels": ["1", 0], "vae": ["4", 2], "mask": ["1", 1], "grow_mask_by": grow });
        with_node(from_picture("hole.png", 0.5), "5", "VAEEncodeForInpaint", inputs)
    };
    let (_, entry) = anna.worked_off(&app, &inpainting(0)).await;
    let [left, right] = edges(&anna, &entry).await;
    assert_eq!(left, TEAL.0);
    let (_, seen) = anna.worked_off(&app, &masked("hole.png", 0.5, json!(["1", 1]))).await;
    assert_ne!(edges(&anna, &seen).await[1], right, "grey shines through in the place of teal");
    let changed = async |entry: &Value| {
        let picture = anna.view(&entry["outputs"]["9"]["images"][0]).await;
        let pixels = image::load_from_memory(&picture.body).unwrap().into_rgb8();
        pixels.pixels().filter(|pixel| pixel.0 != TEAL.0).count()
    };
    let (_, grown) = anna.worked_off(&app, &inpainting(20)).await;
    assert_eq!(changed(&entry).await, 64 * 64);
    assert_eq!(changed(&grown).await, 64 * (64 + 9));
}

#[tokio::test]
async fn a_mask_that_is_sent_for_a_picture_becomes_its_transparency() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    anna.named("boat.png", &teal(128, 64), &[("subfolder", "boats")]).await;
    let original = json!({ "filename": "boat.png", "subfolder": "boats", "type": "input" }).to_string();
    let mask = transparent_on_the_right(128, 64);
    let form = Multipart::new().file("image", "masked.png", &mask).field("original_ref", &original);
    let answer = anna.post_multipart("/upload/mask", form).await;
    assert_eq!(answer.json::<Value>()["name"], "masked.png", "{}", answer.text());
    let back = anna.get("/view?filename=masked.png&type=input").await;
    let DynamicImage::ImageRgba8(pixels) = image::load_from_memory(&back.body).unwrap() else {
        panic!("a picture with transparency has four channels");
    };
    let [red, green, blue] = TEAL.0;
    assert_eq!(pixels.get_pixel(1, 1).0, [red, green, blue, 255]);
    assert_eq!(pixels.get_pixel(126, 1).0, [red, green, blue, 0]);

    let form = Multipart::new().file("image", "masked.png", &mask).field("original_ref", "{}");
    let answer = anna.post_multipart("/upload/mask", form).await;
    let body: Value = answer.json();
    assert_eq!(body["error"]["message"], "`original_ref` names no picture of yours: ``");
}

#[tokio::test]
async fn a_picture_is_viewed_small_where_a_preview_is_asked_for() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    let (_, entry) = anna.worked_off(&app, &graph(&[])).await;
    let name = entry["outputs"]["9"]["images"][0]["filename"].as_str().unwrap().to_owned();
    for (preview, kind) in [("webp;90", "image/webp"), ("jpeg", "image/jpeg")] {
        let answer = anna.get(&format!("/view?filename={name}&preview={preview}")).await;
        assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, kind));
    }
}
