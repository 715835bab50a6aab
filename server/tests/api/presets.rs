//! What preview, standard and premium mean, and sizes by ratio.

use axum::http::StatusCode;
use backend::engine::fake::{FakeEngine, fake_model};
use serde_json::{Value, json};
use types::job::JobInfo;
use types::model::{ModelInfo, SizeLimits};
use types::preset::{Preset, Presets};

use crate::helpers::{Browser, TestApp};

/// A second model, with larger pictures.
fn large() -> ModelInfo {
    ModelInfo {
        name: "large".into(),
        title: "Large".into(),
        limits: SizeLimits { multiple: 8, min_side: 256, max_side: 1024 },
        sizes: [(512, 512), (640, 384), (384, 640)],
        ..fake_model()
    }
}

fn engine() -> FakeEngine {
    FakeEngine::new().with_models(vec![fake_model(), large()])
}

/// Model, steps and size of what a request becomes.
async fn becomes(browser: &Browser, request: Value) -> (String, u32, (u32, u32)) {
    let answer = browser.create_job(request).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    let JobInfo { request, .. } = answer.json();
    (request.model, request.steps, (request.width, request.height))
}

fn is(model: &str, steps: u32, width: u32, height: u32) -> (String, u32, (u32, u32)) {
    (model.to_owned(), steps, (width, height))
}

#[tokio::test]
async fn without_any_settings_the_qualities_are_steps_of_the_usual_model() {
    let app = TestApp::with_engine(engine()).await;
    assert_eq!(
        app.browser().get("/api/v1/presets").await.json::<Value>(),
        json!([
            { "name": "preview", "model": "demo", "steps": 2, "width": 128, "height": 128, "problem": null },
            { "name": "standard", "model": "demo", "steps": 4, "width": 128, "height": 128, "problem": null },
            { "name": "premium", "model": "demo", "steps": 8, "width": 128, "height": 128, "problem": null },
        ])
    );
}

fn presets() -> Presets {
    let premium =
        Preset { model: Some("large".into()), width: Some(768), height: Some(512), steps: Some(40) };
    let preview = Preset { width: Some(96), height: Some(96), ..Preset::default() };
    Presets { premium, preview, ..Presets::default() }
}

#[tokio::test]
async fn a_preset_says_model_size_and_steps_and_the_request_goes_before_it() {
    let app = TestApp::with_presets(engine(), presets()).await;
    let anna = app.browser();
    assert_eq!(
        anna.get("/api/v1/presets").await.json::<Value>()[2],
        json!({ "name": "premium", "model": "large", "steps": 40, "width": 768, "height": 512, "problem": null })
    );
    let asked = |more: Value| {
        let mut asked = json!({ "prompt": "a boat" });
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        asked
    };
    for (more, expected) in [
        (json!({}), is("demo", 4, 128, 128)),
        (json!({ "quality": "premium" }), is("large", 40, 768, 512)),
        (json!({ "quality": "premium", "steps": 5, "width": 512 }), is("large", 5, 512, 512)),
        (json!({ "quality": "premium", "model": "demo" }), is("demo", 8, 128, 128)),
        (json!({ "quality": "premium", "model": "large", "height": 256 }), is("large", 40, 768, 256)),
        // A form by name has as many pixels as the preset says.
        (json!({ "quality": "premium", "shape": "square" }), is("large", 40, 640, 640)),
        (json!({ "quality": "premium", "aspect_ratio": "9:16" }), is("large", 40, 448, 832)),
        (json!({ "quality": "preview" }), is("demo", 2, 96, 96)),
        // As near as the model can go.
        (json!({ "quality": "preview", "model": "large" }), is("large", 2, 256, 256)),
    ] {
        assert_eq!(becomes(&anna, asked(more.clone())).await, expected, "{more}");
    }
}

#[tokio::test]
async fn a_preset_whose_model_is_not_there_says_so_and_is_refused() {
    let premium = Preset { model: Some("sdxl".into()), ..Preset::default() };
    let app = TestApp::with_presets(engine(), Presets { premium, ..Presets::default() }).await;
    let anna = app.browser();
    let problem =
        "quality `premium` is set to model `sdxl`, which is not installed; installed are demo, large";
    assert_eq!(anna.get("/api/v1/presets").await.json::<Value>()[2]["problem"], problem);
    insta::assert_snapshot!(
        anna.create_job(json!({ "prompt": "a boat", "quality": "premium" })).await.complaint(),
        @"422 invalid_field (quality): quality `premium` is set to model `sdxl`, which is not installed; installed are demo, large"
    );
    assert_eq!(becomes(&anna, json!({ "prompt": "a boat" })).await, is("demo", 4, 128, 128));
    assert!(anna.get("/").await.text().contains("not there now"));
}

#[tokio::test]
async fn the_page_leaves_the_model_to_the_quality_where_one_names_a_model() {
    let form = async |app: &TestApp, model: &str| {
        let anna = app.browser();
        let fields = [("prompt", "a boat"), ("quality", "premium"), ("model", model), ("shape", "square")];
        let answer = anna.post_form("/", &fields).await;
        let id = answer.header("location").strip_prefix("/j/").expect("it leads to the job").parse().unwrap();
        anna.job(id).await.json::<JobInfo>().request.model
    };
    let app = TestApp::with_presets(engine(), presets()).await;
    let page = app.browser().get("/").await.text();
    assert!(page.contains("what the quality stands for"));
    assert!(page.contains("Large, 40 steps, about 768 × 512"), "{page}");
    assert_eq!(form(&app, "").await, "large");
    assert_eq!(form(&app, "demo").await, "demo");
    let plain = TestApp::with_engine(engine()).await;
    assert!(!plain.browser().get("/").await.text().contains("what the quality stands for"));
}

#[tokio::test]
async fn every_model_tells_its_sizes_by_ratio_and_makes_them() {
    let app = TestApp::with_engine(engine()).await;
    let anna = app.browser();
    let models: Value = anna.get("/api/v1/models").await.json();
    assert_eq!(models[0]["name"], "demo", "what was told before is told still");
    assert_eq!(models[0]["sizes"][0], json!([128, 128]));
    for model in models.as_array().unwrap() {
        let name = model["name"].as_str().unwrap();
        let ratios = model["aspect_ratios"].as_object().unwrap();
        assert_eq!(ratios.len(), 11);
        for (ratio, size) in ratios {
            let asked = json!({ "prompt": "a boat", "model": name, "aspect_ratio": ratio, "steps": 1 });
            let (_, _, (width, height)) = becomes(&anna, asked).await;
            assert_eq!(*size, json!([width, height]), "{name} {ratio}");
        }
    }
    assert_eq!(models[1]["aspect_ratios"]["16:9"], json!([704, 384]));
}

#[tokio::test]
async fn numbers_go_before_a_ratio_and_a_ratio_before_a_shape() {
    let app = TestApp::with_engine(engine()).await;
    let anna = app.browser();
    let size = async |more: Value| {
        let mut asked =
            json!({ "prompt": "a boat", "model": "large", "aspect_ratio": "16:9", "shape": "portrait" });
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        becomes(&anna, asked).await.2
    };
    assert_eq!(size(json!({})).await, (704, 384));
    assert_eq!(size(json!({ "width": 512 })).await, (512, 384));
    assert_eq!(size(json!({ "aspect_ratio": "" })).await, (384, 640));
    insta::assert_snapshot!(
        anna.create_job(json!({ "prompt": "a boat", "aspect_ratio": "7:5" })).await.complaint(),
        @"422 invalid_field (aspect_ratio): aspect ratio `7:5` is unknown; known are 1:1, 5:4, 4:3, 3:2, 16:9, 21:9, 4:5, 3:4, 2:3, 9:16, 9:21"
    );
    let fields = [("prompt", "a boat"), ("model", "large"), ("shape", "square"), ("aspect_ratio", "21:9")];
    let answer = anna.post_form("/", &fields).await;
    let id = answer.header("location").strip_prefix("/j/").expect("it leads to the job").to_owned();
    let again = anna.get(&format!("/?job={id}")).await.text();
    let option = again.split_once("value=\"21:9\"").expect("it is offered").1;
    assert!(option.split('>').next().unwrap().contains("selected"), "{option:.80}");
}
