use axum::http::Method;
use serde_json::{Value, json};

use super::{GENERATIONS, file, pixels};
use crate::helpers::TestApp;

#[tokio::test]
async fn a_prompt_alone_is_answered_with_the_pictures_address() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let headers = [("content-type", "application/json"), ("host", "pictures.local")];
    let answer = anna.send(Method::POST, GENERATIONS, &headers, r#"{"prompt": "a red boat"}"#.into()).await;
    assert_eq!(answer.header("set-cookie"), "", "programs keep no cookies");
    let mut body: Value = answer.json();
    assert!(body["created"].as_i64().unwrap() > 1_700_000_000);
    let url = body["data"][0]["url"].as_str().unwrap().to_owned();
    let path = url.strip_prefix("http://pictures.local").expect("the address is the caller's own");
    let picture = anna.get(path).await;
    assert_eq!(picture.header("content-type"), "image/png");
    assert_eq!(pixels(&picture.body).dimensions(), (128, 128));
    body["created"] = Value::Null;
    body["data"][0]["url"] = Value::Null;
    assert_eq!(
        body,
        json!({
            "created": null, "background": "opaque", "data": [{ "url": null }], "output_format": "png",
            "quality": "medium", "size": "128x128",
            "usage": {
                "input_tokens": 3, "input_tokens_details": { "image_tokens": 0, "text_tokens": 3 },
                "output_tokens": 256, "output_tokens_details": { "image_tokens": 256, "text_tokens": 0 },
                "total_tokens": 259,
            },
        })
    );
}

#[tokio::test]
async fn pictures_come_as_base64_where_that_is_asked_for_or_the_models_name_knows_nothing_else() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let request = json!({ "prompt": "boats", "n": 2, "size": "160x96", "response_format": "b64_json", "model": "dall-e-3" });
    let answer = anna.generated(request).await;
    assert_eq!(answer["size"], "160x96");
    let [first, second] = [0, 1].map(|index| pixels(&file(&answer["data"][index])));
    assert_eq!((first.dimensions(), second.dimensions()), ((160, 96), (160, 96)));
    assert_ne!(first, second);
    assert_eq!(answer["data"].as_array().unwrap().len(), 2);
    let answer = anna.generated(json!({ "prompt": "boats", "model": "gpt-image-1" })).await;
    assert_eq!(pixels(&file(&answer["data"][0])).dimensions(), (128, 128));
    assert_eq!(
        anna.generated(json!({ "prompt": "boats", "model": "demo" })).await["data"][0]["b64_json"],
        json!(null)
    );
}

#[tokio::test]
async fn darkrooms_own_fields_are_taken_beside_openais() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let mut request = json!({
        "prompt": "a red boat", "response_format": "b64_json", "quality": "high", "user": "anna", "style": "vivid",
        "background": "auto", "moderation": "low", "seed": 7, "negative_prompt": "rain", "sampler": "euler",
        "guidance_scale": 5, "loras": [{ "name": "ink", "weight": 0.5 }],
    });
    let first = anna.generated(request.clone()).await;
    let made = String::from_utf8_lossy(&file(&first["data"][0])).into_owned();
    assert!(made.contains("Negative prompt: rain\nSteps: 8, Sampler: Euler"), "{made}");
    assert!(made.contains("CFG scale: 5, Seed: 7"), "{made}");
    assert!(made.contains("<lora:ink:0.5>"), "{made}");
    assert_eq!(first["quality"], "high");
    // Made anew, and not copied from the first.
    request["cache"] = json!(false);
    assert_eq!(
        file(&anna.generated(request).await["data"][0]),
        file(&first["data"][0]),
        "the same seed, the same file"
    );
}

#[tokio::test]
async fn a_prompt_that_was_extended_is_told_as_revised() {
    let app = TestApp::start().await;
    let answer = app.browser().generated(json!({ "prompt": "a calm", "extend": true, "seed": 7 })).await;
    let revised = answer["data"][0]["revised_prompt"].as_str().expect("the prompt is another one");
    assert!(revised.strip_prefix("a calm ").is_some_and(|written| !written.is_empty()), "{revised}");
}

#[tokio::test]
async fn files_come_in_the_format_and_with_the_quality_that_are_asked_for() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let made = async |format: &str, compression: Option<u8>| {
        let request = json!({
            "prompt": "boat", "seed": 7, "response_format": "b64_json", "output_format": format,
            "output_compression": compression,
        });
        let answer = anna.generated(request).await;
        assert_eq!(answer["output_format"], format);
        file(&answer["data"][0])
    };
    let jpeg = made("jpeg", Some(90)).await;
    assert_eq!(image::guess_format(&jpeg).unwrap(), image::ImageFormat::Jpeg);
    assert!(made("jpeg", Some(5)).await.len() < jpeg.len());
    assert_eq!(image::guess_format(&made("webp", None).await).unwrap(), image::ImageFormat::WebP);
    let answer = anna.generated(json!({ "prompt": "boat", "output_format": "jpeg" })).await;
    let url = answer["data"][0]["url"].as_str().unwrap();
    assert!(url.contains(".jpg?pass="), "{url}");
    assert_eq!(anna.get(url).await.header("content-type"), "image/jpeg");
}

#[tokio::test]
async fn what_a_program_made_is_in_the_history_of_its_own_key_alone() {
    let app = TestApp::start().await;
    let (anna, ben) = (app.browser(), app.browser());
    anna.get("/").await;
    ben.get("/").await;
    anna.generated(json!({ "prompt": "boat" })).await;
    assert_eq!((anna.history("").await.n_matches, ben.history("").await.n_matches), (1, 0));
}
