//! Words that are not painted, pictures that are not shown, and a model that stands in: as browsers and programs see it.

use axum::http::StatusCode;
use backend::engine::fake::{FakeEngine, fake_model};
use backend::{Config, EngineError, SafetyMode};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use types::model::ModelInfo;

use crate::comfyui::graph;
use crate::helpers::{Multipart, TestApp};
use crate::process::darkroom;
use crate::uploads::teal;

const SENTENCE: &str = "the prompt has words that this site does not paint; say it in other words";

/// An app that paints no knives.
async fn without_knives() -> TestApp {
    let app = TestApp::start().await;
    std::fs::write(app.data().join("blocked-words.txt"), "knife\n").unwrap();
    app
}

#[tokio::test]
async fn every_way_of_asking_refuses_a_word_that_is_not_painted_in_its_own_shape() {
    let app = without_knives().await;
    let anna = app.browser();
    let prompt = "a big Kn\u{456}fe";
    let asked = json!({ "prompt": prompt });
    insta::assert_snapshot!(
        anna.create_job(asked.clone()).await.complaint(),
        @"422 invalid_field (prompt): the prompt has words that this site does not paint; say it in other words"
    );
    for answer in [
        anna.generate_image(asked.clone()).await,
        anna.post_json("/v1/images/generations", &asked).await,
        anna.post_json("/sdapi/v1/txt2img", &asked).await,
        anna.post_workflow(&graph(&[("6", "text", json!(prompt))])).await,
    ] {
        assert!(answer.status.is_client_error(), "{}", answer.status);
        assert!(answer.text().contains(SENTENCE), "{}", answer.text());
    }
    let form = anna.post_form("/", &[("prompt", prompt)]).await;
    assert_eq!(form.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(form.text().contains("he prompt has words that this site does not paint"), "{}", form.text());
    assert!(anna.history("").await.pictures.is_empty());
}

#[tokio::test]
async fn every_way_of_asking_with_a_picture_refuses_such_a_word_as_well() {
    let app = without_knives().await;
    let anna = app.browser();
    let picture = teal(96, 64);
    let url = format!("data:image/png;base64,{}", BASE64_STANDARD.encode(&picture));
    let form = || Multipart::new().field("prompt", "a kn1fe").file("image", "boat.png", &picture);
    let upload = anna.upload(picture.clone()).await.id;
    for answer in [
        anna.create_job(json!({ "prompt": "a kn1fe", "start": upload })).await,
        anna.post_json("/sdapi/v1/img2img", &json!({ "prompt": "a kn1fe", "init_images": [url] })).await,
        anna.post_multipart("/v1/images/edits", form()).await,
        anna.post_multipart("/v1/images/variations", form()).await,
    ] {
        assert!(answer.status.is_client_error(), "{}", answer.status);
        assert!(answer.text().contains(SENTENCE), "{}", answer.text());
    }
}

#[tokio::test]
async fn the_prompt_that_a_picture_tells_of_itself_is_held_to_the_same() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let made: Value = anna.post_json("/sdapi/v1/txt2img", &json!({ "prompt": "a knife" })).await.json();
    std::fs::write(app.data().join("blocked-words.txt"), "knife\n").unwrap();
    let file = BASE64_STANDARD.decode(made["images"][0].as_str().unwrap()).unwrap();
    let form = Multipart::new().file("image", "knife.png", &file);
    let answer = anna.post_multipart("/v1/images/variations", form).await;
    assert!(answer.text().contains(SENTENCE), "{}", answer.text());
}

#[tokio::test]
async fn words_that_stand_for_others_are_written_out_first_whoever_asks() {
    let app = without_knives().await;
    std::fs::write(app.data().join("styles.csv"), "name,prompt,negative_prompt\nSharp,kn1fe,\n").unwrap();
    std::fs::create_dir_all(app.data().join("wildcards")).unwrap();
    std::fs::write(app.data().join("wildcards/tool.txt"), "k n i f e\n").unwrap();
    let anna = app.browser();
    let (list, choice) = ("a __tool__", "a {kni}{fe}");
    for answer in [
        anna.post_json("/sdapi/v1/txt2img", &json!({ "prompt": "a boat", "styles": ["Sharp"] })).await,
        anna.post_json("/sdapi/v1/txt2img", &json!({ "prompt": list })).await,
        anna.post_json("/v1/images/generations", &json!({ "prompt": list })).await,
        anna.post_json("/v1/images/generations", &json!({ "prompt": choice })).await,
        anna.post_workflow(&graph(&[("6", "text", json!(list))])).await,
        anna.post_workflow(&graph(&[("7", "text", json!("(knife:-2)"))])).await,
        anna.generate_image(json!({ "prompt": choice })).await,
        anna.post_form("/", &[("prompt", "a boat"), ("styles", "Sharp")]).await,
    ] {
        assert!(answer.status.is_client_error(), "{}", answer.status);
        assert!(answer.text().contains("words that this site does not paint"), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_prompt_is_not_written_on_from_such_a_word_nor_to_one() {
    let app = without_knives().await;
    let anna = app.browser();
    let refused = anna.post_json("/api/v1/prompts", &json!({ "start": "a knife" })).await;
    insta::assert_snapshot!(
        refused.complaint(),
        @"422 invalid_field (start): the start has words that this site does not paint; say it in other words"
    );
    for answer in [
        anna.post_json("/promptgen/generate", &json!({ "text": "a kn1fe" })).await,
        anna.post_form("/write-prompt", &[("prompt", "a knife")]).await,
    ] {
        assert!(answer.status.is_client_error(), "{}", answer.status);
        assert!(answer.text().contains("words that this site does not paint"), "{}", answer.text());
    }
    std::fs::write(app.data().join("blocked-words.txt"), "calm sea\n").unwrap();
    let written: Value = anna.post_json("/api/v1/prompts", &json!({ "start": "a", "seed": 0 })).await.json();
    assert_eq!(written["prompts"][0]["prompt"], "a red boat calm");
}

#[tokio::test]
async fn a_jobs_page_says_that_its_picture_was_blurred() {
    let config = Config { safety: SafetyMode::Blur, ..Config::default() };
    let app = TestApp::with(FakeEngine::new().with_safety_checker(|_| true), config).await;
    let anna = app.browser();
    let picture = anna.paint("a red boat").await;
    let job = anna.job(picture.job_id).await;
    assert_eq!(job.json::<Value>()["notes"], json!(["blurred"]));
    let page = anna.get(&format!("/j/{}", picture.job_id)).await.text();
    assert!(page.contains("his site's safety checker blurred the picture"), "{page}");
}

#[tokio::test]
async fn a_picture_that_is_refused_is_a_failed_job_with_a_sentence() {
    let config = Config { safety: SafetyMode::Refuse, ..Config::default() };
    let app = TestApp::with(FakeEngine::new().with_safety_checker(|_| true), config).await;
    insta::assert_snapshot!(
        app.browser().generate_image(json!({ "prompt": "a red boat" })).await.complaint(),
        @"422 invalid_field: the job made no picture: the picture was held back by this site's safety checker; change the prompt, or try another seed"
    );
}

#[tokio::test]
async fn a_jobs_page_says_that_another_model_stood_in() {
    let broken = EngineError::Unusable { model: "large".into(), reason: "its weights are gone".into() };
    let models = vec![fake_model(), ModelInfo { name: "large".into(), ..fake_model() }];
    let engine = FakeEngine::new().with_models(models).failing_with("large", broken);
    let config = Config { fallback_model: Some("demo".into()), ..Config::default() };
    let app = TestApp::with(engine, config).await;
    let anna = app.browser();
    let picture = anna.generate_image(json!({ "prompt": "a red boat", "model": "large" })).await;
    assert_eq!(picture.status, StatusCode::OK, "{}", picture.text());
    let job = anna.history("").await.pictures[0].job_id;
    let page = anna.get(&format!("/j/{job}")).await.text();
    assert!(page.contains("so this site's fallback model made the picture"), "{page}");
}

/// The sentence with which the program does not begin to serve.
fn refused_at_start(arguments: &[&str]) -> String {
    refused_with("", arguments)
}

/// The same with these settings in `darkroom.toml`.
fn refused_with(settings: &str, arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("darkroom.toml"), settings).unwrap();
    let ended = darkroom(folder.path())
        .args(["serve", "--addr", "127.0.0.1:0"])
        .args(arguments)
        .output()
        .expect("the program starts");
    assert!(!ended.status.success());
    assert!(ended.stdout.is_empty(), "it does not say that it listens");
    String::from_utf8(ended.stderr).unwrap().trim_end().lines().last().unwrap_or_default().to_owned()
}

#[test]
fn a_setting_that_cannot_be_kept_is_refused_at_the_start() {
    insta::assert_snapshot!(
        refused_at_start(&["--safety-mode", "blur"]),
        @"error: safety mode `blur` needs a safety checker, and none is installed; put the folder `safety_checker` of a Stable Diffusion model into the models folder, or set the mode to `off`"
    );
    insta::assert_snapshot!(
        refused_at_start(&["--fallback-model", "sdxl"]),
        @"error: model `sdxl` is not installed"
    );
}

#[test]
fn a_certificate_that_is_not_there_or_of_no_use_to_this_program_is_refused_at_the_start() {
    let settings = "[safety]\nc2pa_certificate = \"/nowhere/chain.pem\"\nc2pa_key = \"/nowhere/key.pem\"";
    let why = if cfg!(feature = "c2pa") {
        "error: the file `/nowhere/chain.pem` with the certificate that signs pictures cannot be read: "
    } else {
        "error: this program cannot sign pictures: build it with `--features c2pa`, or take "
    };
    let sentence = refused_with(settings, &[]);
    assert!(sentence.starts_with(why), "{sentence}");
    insta::assert_snapshot!(
        refused_with("[safety]\nc2pa_key = \"key.pem\"", &[]),
        @"error: setting `safety.c2pa_key` is wrong: it needs `c2pa_certificate`, whose key it is"
    );
}
