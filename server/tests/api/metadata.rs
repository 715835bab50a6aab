//! The settings inside pictures.

use axum::http::StatusCode;
use serde_json::{Value, json};
use types::metadata::ReadSettings;

use crate::helpers::{Multipart, TestApp};
use crate::uploads::teal;

fn sample(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../backend/src/tests/samples");
    std::fs::read(format!("{folder}/{name}")).expect("the sample is there")
}

#[tokio::test]
async fn every_sample_is_read_over_http_as_a_form_and_as_a_file() {
    let app = TestApp::start().await;
    let anna = app.browser();
    for (name, kind, program) in [
        ("automatic1111.png", "image/png", "automatic1111"),
        ("comfyui.png", "image/png", "comfyui"),
        ("invokeai.png", "image/png", "invokeai"),
        ("fooocus.jpg", "image/jpeg", "fooocus"),
        ("swarmui.webp", "image/webp", "swarmui"),
    ] {
        let file = sample(name);
        let form = Multipart::new().file("file", name, &file);
        let answer = anna.post_multipart("/api/v1/metadata", form).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let read: Value = answer.json();
        assert_eq!(read["program"], program);
        let request = &read["request"];
        assert_eq!(request["prompt"], "a red sailing boat, \"calm\" sea: café at sunset", "{name}");
        assert_eq!(request["negative_prompt"], "fog, rain", "{name}");
        assert_eq!((&request["width"], &request["height"]), (&json!(320), &json!(256)), "{name}");
        assert_eq!((&request["steps"], &request["seed"]), (&json!(12), &json!(1_234_567)), "{name}");
        assert_eq!(
            (&request["sampler"], &request["schedule"]),
            (&json!("dpmpp_2m"), &json!("karras")),
            "{name}"
        );
        assert_eq!(request["guidance_scale"], 5.5, "{name}");
        let model = &read["not_carried"].as_array().unwrap().last().unwrap()["reason"];
        assert_eq!(model, "it is not installed here; `demo` takes its place", "{name}");

        let bare = anna.post_text("/api/v1/metadata", kind, file).await;
        assert_eq!(bare.json::<Value>(), read, "{name}");
        let job = anna.create_job(request.clone()).await;
        assert_eq!(job.status, StatusCode::ACCEPTED, "{}", job.text());
    }
}

#[tokio::test]
async fn a_finished_picture_asks_for_itself_again_in_every_format() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let picture = anna
        .generate_image(json!({
            "prompt": "a red boat", "seed": 7, "steps": 3, "noise": "cuda", "weighting": "compel", "clip_skip": 2,
            "guidance_rescale": 0.5, "loras": [{"name": "ink", "weight": 0.5}], "hires_scale": 1.5,
            "variation_seed": 9, "variation_strength": 0.25,
        }))
        .await;
    let png = picture.body.clone();
    let path = picture.header("content-location").trim_end_matches("png").to_owned();
    for ending in ["png", "jpg", "webp"] {
        let file = anna.get(&format!("{path}{ending}")).await;
        let read = anna.post_text("/api/v1/metadata", file.header("content-type"), file.body.clone()).await;
        let read: ReadSettings = read.json();
        assert_eq!(read.not_carried, []);
        let again = anna.generate_image(serde_json::to_value(read.request).unwrap()).await;
        assert!(again.body == png, "from {ending}, byte for byte");
    }
}

#[tokio::test]
async fn what_has_no_settings_is_refused_with_a_sentence() {
    let app = TestApp::start().await;
    let anna = app.browser();
    insta::assert_snapshot!(
        anna.post_text("/api/v1/metadata", "image/png", teal(64, 64)).await.complaint(),
        @"422 invalid_field (file): the picture carries no settings; those of Darkroom, AUTOMATIC1111, Forge, ComfyUI, InvokeAI, Fooocus and SwarmUI are read, as long as nobody took them out"
    );
    insta::assert_snapshot!(
        anna.post_text("/api/v1/metadata", "image/png", "boat").await.complaint(),
        @"422 invalid_field (file): the file is not an image; allowed are PNG, JPEG and WebP"
    );
    insta::assert_snapshot!(
        anna.post_multipart("/api/v1/metadata", Multipart::new().field("prompt", "boat")).await.complaint(),
        @"400 invalid_request: there is no field `prompt` here; known is `file`"
    );
    insta::assert_snapshot!(
        anna.post_text("/api/v1/metadata", "text/plain", "boat").await.complaint(),
        @"415 invalid_request: the header `content-type` does not say that a picture is sent; allowed are image/png, image/jpeg, image/webp, and multipart/form-data with the field `file`"
    );
}

/// Values of the page's fields, by their names: those of inputs, and of what is chosen.
fn value(page: &str, name: &str) -> String {
    let at = page.find(&format!("id=\"{name}\"")).unwrap_or_else(|| panic!("there is a field `{name}`"));
    let tag = &page[at..at + page[at..].find('>').unwrap()];
    let value = tag.split_once("value=\"").map_or("", |(_, rest)| rest.split_once('"').unwrap().0);
    value.to_owned()
}

#[tokio::test]
async fn without_a_script_a_picture_fills_in_the_form_and_says_what_is_missing() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let form = Multipart::new().field("prompt", "typed before").file(
        "settings_file",
        "b.png",
        &sample("automatic1111.png"),
    );
    let answer = anna.post_multipart("/read-settings", form).await;
    assert_eq!(answer.status, StatusCode::OK);
    let page = answer.text();
    assert!(
        page.contains("a red sailing boat, &quot;calm&quot; sea: café at sunset")
            || page.contains("a red sailing boat, \"calm\" sea: café at sunset"),
        "{page}"
    );
    assert!(!page.contains("typed before"), "{page}");
    for (name, expected) in
        [("steps", "12"), ("seed", "1234567"), ("width", "320"), ("height", "256"), ("guidance_scale", "5.5")]
    {
        assert_eq!(value(&page, name), expected, "{name}");
    }
    assert!(
        page.contains("The form is filled in with the settings that AUTOMATIC1111 wrote into the picture.")
    );
    assert!(page.contains("2 settings could not be carried over"), "{page}");
    assert!(page.contains("faces and hands are not painted anew here"));
    assert!(page.contains("it is not installed here; `demo` takes its place"));
}

#[tokio::test]
async fn a_picture_without_settings_leaves_the_form_as_it_was_typed() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let form = || Multipart::new().field("prompt", "typed before").field("steps", "9");
    let answer =
        anna.post_multipart("/read-settings", form().file("settings_file", "b.png", &teal(64, 64))).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = answer.text();
    assert!(page.contains("typed before") && value(&page, "steps") == "9", "{page}");
    assert!(page.contains("The picture carries no settings; those of Darkroom"), "{page}");
    assert!(page.contains("href=\"#settings_file\""), "{page}");

    let answer = anna.post_multipart("/read-settings", form().file("settings_file", "", b"")).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text().contains("No picture was chosen; choose a PNG, JPEG or WebP file"));
    assert_eq!(anna.get("/read-settings").await.header("location"), "/");
}

#[tokio::test]
async fn a_form_with_a_picture_of_settings_that_was_not_read_still_asks_for_pictures() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let form =
        Multipart::new().field("prompt", "a boat").file("settings_file", "b.png", &sample("comfyui.png"));
    let answer = anna.post_multipart("/", form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
}
