//! What clients of the AUTOMATIC1111 web UI ask besides pictures: progress, interruption, options, lists.

use axum::http::{Method, StatusCode};
use backend::Visitor;
use backend::engine::fake::{FakeEngine, fake_model};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures::StreamExt;
use serde_json::{Value, json};
use types::event::JobEvent;
use types::job::JobInfo;
use types::model::ModelInfo;

use crate::helpers::{Browser, TestApp};
use crate::uploads::teal;

impl Browser {
    async fn sdapi(&self, path: &str) -> Value {
        let answer = self.get(&format!("/sdapi/v1/{path}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        answer.json()
    }
}

/// The job that somebody is about to ask for.
async fn first_job(app: &TestApp, visitor: &Visitor) -> JobInfo {
    loop {
        if let Some(job) = app.services.latest_jobs(visitor, 1).await.unwrap().pop() {
            return job;
        }
        tokio::task::yield_now().await;
    }
}

/// Waits until the job that somebody is about to ask for has done this step of its picture `index`.
async fn at_step(app: &TestApp, visitor: &Visitor, index: u32, step: u32) {
    let job = first_job(app, visitor).await;
    let mut events = app.services.events(visitor, job.id, None).await.unwrap();
    while let Some(event) = events.next().await {
        if let JobEvent::Progress { progress, .. } = event.event
            && (progress.picture, progress.step) == (index + 1, step)
        {
            return;
        }
    }
    panic!("the job ended before step {step} of picture {index}");
}

#[tokio::test]
async fn progress_tells_of_the_visitors_own_job_step_by_step() {
    let (app, gate) = TestApp::gated().await;
    let (anna, ben) = (app.browser(), app.browser());
    anna.get("/").await;
    ben.get("/").await;
    let visitor = anna.visitor();
    let watching = async {
        gate.allow(3);
        at_step(&app, &visitor, 0, 3).await;
        let told = anna.sdapi("progress").await;
        let state = &told["state"];
        assert_eq!((&state["sampling_step"], &state["sampling_steps"]), (&json!(3), &json!(4)));
        assert_eq!((&state["job_no"], &state["job_count"]), (&json!(0), &json!(2)));
        assert_eq!((&state["job"], &state["interrupted"]), (&json!("scripts_txt2img"), &json!(false)));
        assert_eq!(state["job_timestamp"].as_str().unwrap().len(), 14);
        let progress = told["progress"].as_f64().unwrap();
        assert!((0.385..0.3851).contains(&progress), "3 of 8 steps, and a hundredth: {progress}");
        assert!(told["eta_relative"].as_f64().unwrap() >= 0.0);
        let image = BASE64_STANDARD.decode(told["current_image"].as_str().unwrap()).unwrap();
        assert_eq!(image::guess_format(&image).unwrap(), image::ImageFormat::Jpeg);
        assert_eq!(anna.sdapi("progress?skip_current_image=true").await["current_image"], json!(null));
        assert_eq!(
            ben.sdapi("progress").await["state"]["job_count"],
            0,
            "it is no business of anybody else's"
        );
        drop(gate);
    };
    let asking = anna.txt2img(json!({ "prompt": "a red boat", "batch_size": 2 }));
    let (answer, ()) = tokio::join!(asking, watching);
    assert_eq!(answer.made().files.len(), 2);
    insta::assert_snapshot!(
        anna.get("/sdapi/v1/progress").await.text(),
        @r#"{"current_image":null,"eta_relative":0.0,"progress":0.0,"state":{"interrupted":false,"job":"","job_count":0,"job_no":0,"job_timestamp":"0","sampling_step":0,"sampling_steps":0,"skipped":false,"stopping_generation":false},"textinfo":null}"#
    );
}

#[tokio::test]
async fn a_job_that_waits_is_told_as_one_and_has_no_progress() {
    let (app, gate) = TestApp::gated().await;
    let (anna, ben) = (app.browser(), app.browser());
    ben.ask_for("a blue boat").await;
    anna.get("/").await;
    let visitor = anna.visitor();
    let watching = async {
        first_job(&app, &visitor).await;
        let told = anna.sdapi("progress").await;
        assert_eq!((&told["progress"], &told["state"]["job_count"]), (&json!(0.0), &json!(1)));
        assert_eq!(told["textinfo"], "waiting, 1 job is ahead");
        drop(gate);
    };
    let (answer, ()) = tokio::join!(anna.txt2img(json!({ "prompt": "a red boat" })), watching);
    assert_eq!(answer.made().files.len(), 1);
}

#[tokio::test]
async fn an_interrupted_call_is_answered_with_the_pictures_that_are_finished() {
    for (path, expected) in [("/sdapi/v1/interrupt", json!({})), ("/sdapi/v1/skip", json!(null))] {
        let (app, gate) = TestApp::gated().await;
        let anna = app.browser();
        anna.get("/").await;
        let visitor = anna.visitor();
        let interrupting = async {
            gate.allow(5);
            at_step(&app, &visitor, 1, 1).await;
            let answer = anna.send(Method::POST, path, &[], "".into()).await;
            assert_eq!((answer.status, answer.json::<Value>()), (StatusCode::OK, expected));
            drop(gate);
        };
        let request = json!({ "prompt": "boats", "seed": 7, "n_iter": 3 });
        let (answer, ()) = tokio::join!(anna.txt2img(request), interrupting);
        let made = answer.made();
        assert_eq!((made.files.len(), &made.info["all_seeds"]), (1, &json!([7])));
    }
}

#[tokio::test]
async fn a_call_that_is_interrupted_before_its_first_picture_is_answered_with_none() {
    let (app, gate) = TestApp::gated().await;
    let anna = app.browser();
    anna.get("/").await;
    let visitor = anna.visitor();
    let interrupting = async {
        first_job(&app, &visitor).await;
        anna.send(Method::POST, "/sdapi/v1/interrupt", &[], "".into()).await;
        drop(gate);
    };
    let (answer, ()) = tokio::join!(anna.txt2img(json!({ "prompt": "a boat", "seed": 7 })), interrupting);
    let made = answer.made();
    assert_eq!((made.files.len(), &made.info["seed"]), (0, &json!(7)));
    // With nothing to interrupt there is nothing to complain of.
    let answer = anna.send(Method::POST, "/sdapi/v1/interrupt", &[], "".into()).await;
    assert_eq!((answer.status, answer.text().as_str()), (StatusCode::OK, "{}"));
}

fn two_models() -> FakeEngine {
    let other = ModelInfo { name: "Dream Shaper".into(), title: "Dreams".into(), ..fake_model() };
    FakeEngine::new().with_models(vec![fake_model(), other])
}

#[tokio::test]
async fn options_are_each_visitors_own_and_choose_the_model_of_later_calls() {
    let app = TestApp::with_engine(two_models()).await;
    let (anna, ben) = (app.browser(), app.browser());
    anna.get("/").await;
    ben.get("/").await;
    let mut options = anna.sdapi("options").await;
    assert_eq!(options["sd_model_checkpoint"], "demo");
    // As Open WebUI does it: all of them come back, one of them changed.
    options["sd_model_checkpoint"] = json!("dream shaper.safetensors");
    options["CLIP_stop_at_last_layers"] = json!(2);
    options["show_progress_every_n_steps"] = json!(5);
    let answer = anna.post_json("/sdapi/v1/options", &options).await;
    assert_eq!((answer.status, answer.text().as_str()), (StatusCode::OK, "null"));

    let options = anna.sdapi("options").await;
    assert_eq!(options["sd_model_checkpoint"], "Dream Shaper");
    assert_eq!(options["show_progress_every_n_steps"], 5, "what has no effect is kept all the same");
    let made = anna.txt2img(json!({ "prompt": "a boat" })).await.made();
    assert_eq!((&made.info["sd_model_name"], &made.info["clip_skip"]), (&json!("Dream Shaper"), &json!(2)));
    let made = ben.txt2img(json!({ "prompt": "a boat" })).await.made();
    assert_eq!((&made.info["sd_model_name"], &made.info["clip_skip"]), (&json!("demo"), &json!(1)));
}

#[tokio::test]
async fn settings_of_a_call_go_before_the_options_and_stay_if_that_is_asked_for() {
    let app = TestApp::with_engine(two_models()).await;
    let anna = app.browser();
    let paint = async |more: Value| {
        let mut request = json!({ "prompt": "a boat" });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        anna.txt2img(request).await.made().info["sd_model_name"].clone()
    };
    let dreams = json!({ "sd_model_checkpoint": "Dreams" });
    assert_eq!(paint(json!({ "override_settings": dreams })).await, "Dream Shaper");
    assert_eq!(paint(json!({})).await, "demo");
    let stays = json!({ "override_settings": dreams, "override_settings_restore_afterwards": false });
    assert_eq!(paint(stays).await, "Dream Shaper");
    assert_eq!(paint(json!({})).await, "Dream Shaper");
}

#[tokio::test]
async fn options_that_would_fail_every_later_call_are_refused_at_once() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let said = async |options: Value| anna.post_json("/sdapi/v1/options", &options).await.refusal();
    insta::assert_snapshot!(
        said(json!({ "sd_model_checkpoint": "sdxl" })).await,
        @"404: model `sdxl` is not installed; installed are demo"
    );
    insta::assert_snapshot!(
        said(json!({ "CLIP_stop_at_last_layers": 13 })).await,
        @r#"422 ["body","CLIP_stop_at_last_layers"]: CLIP_stop_at_last_layers 13 is out of range; allowed are 1 to 12"#
    );
    insta::assert_snapshot!(
        said(json!({ "randn_source": "dice" })).await,
        @r#"422 ["body","randn_source"]: randn_source `dice` is unknown; known are CPU, GPU, NV"#
    );
    insta::assert_snapshot!(
        said(json!({ "notes": "x".repeat(70_000) })).await,
        @"413: the options have 70012 bytes; at most 65536 are allowed"
    );
    assert_eq!(anna.sdapi("options").await["sd_model_checkpoint"], "demo");
}

#[tokio::test]
async fn what_is_installed_is_listed_in_the_shapes_that_clients_know() {
    let broken = ModelInfo { name: "half".into(), problem: Some("it has no VAE".into()), ..fake_model() };
    let app = TestApp::with_engine(FakeEngine::new().with_models(vec![fake_model(), broken])).await;
    let anna = app.browser();
    insta::assert_snapshot!(
        anna.sdapi("sd-models").await,
        @r#"[{"config":null,"filename":"demo","hash":null,"model_name":"demo","sha256":null,"title":"demo"}]"#
    );
    insta::assert_snapshot!(
        anna.sdapi("loras").await,
        @r#"[{"alias":"ink","metadata":{},"name":"ink","path":"ink.safetensors"}]"#
    );
    let samplers = anna.sdapi("samplers").await;
    insta::assert_snapshot!(
        samplers[0],
        @r#"{"aliases":["k_dpmpp_2m"],"name":"DPM++ 2M","options":{"scheduler":"karras"}}"#
    );
    assert_eq!(samplers.as_array().unwrap().len(), 17);
    let schedulers = anna.sdapi("schedulers").await;
    insta::assert_snapshot!(
        schedulers[1],
        @r#"{"aliases":null,"default_rho":7.0,"label":"Karras","name":"karras","need_inner_model":false}"#
    );
    assert_eq!(schedulers[0]["label"], "Automatic");
    for nothing in [
        "latent-upscale-modes",
        "sd-vae",
        "hypernetworks",
        "face-restorers",
        "realesrgan-models",
        "script-info",
        "extensions",
    ] {
        assert_eq!(anna.sdapi(nothing).await, json!([]), "{nothing}");
    }
    assert_eq!(anna.sdapi("scripts").await, json!({ "txt2img": [], "img2img": [] }));
    assert_eq!(anna.sdapi("embeddings").await, json!({ "loaded": {}, "skipped": {} }));
    let styles = anna.sdapi("prompt-styles").await;
    assert_eq!(styles[0]["name"], "Product photograph");
    assert!(styles[0]["prompt"].as_str().unwrap().contains("{prompt}"));
    assert_eq!(anna.sdapi("upscalers").await[1]["name"], "Lanczos");
    assert_eq!(anna.sdapi("cmd-flags").await["api"], true);
    let memory = anna.sdapi("memory").await;
    assert!(memory["ram"]["used"].as_u64().unwrap() < memory["ram"]["total"].as_u64().unwrap());
    for list in ["refresh-checkpoints", "refresh-loras", "refresh-vae"] {
        let answer = anna.send(Method::POST, &format!("/sdapi/v1/{list}"), &[], "".into()).await;
        assert_eq!((answer.status, answer.text().as_str()), (StatusCode::OK, "null"), "{list}");
    }
}

#[tokio::test]
async fn every_sampler_and_schedule_that_is_listed_is_one_that_can_be_asked_for() {
    let app = TestApp::start().await;
    let anna = app.browser();
    for list in ["samplers", "schedulers"] {
        for item in anna.sdapi(list).await.as_array().unwrap() {
            let field = if list == "samplers" { "sampler_name" } else { "scheduler" };
            let request = json!({ "prompt": "a boat", "steps": 1, field: item["name"] });
            assert_eq!(anna.txt2img(request).await.made().files.len(), 1, "{item}");
        }
    }
}

#[tokio::test]
async fn the_settings_of_a_picture_are_read_out_of_it() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let made =
        anna.txt2img(json!({ "prompt": "a boat, red", "negative_prompt": "fog", "seed": 7 })).await.made();
    let image = format!("data:image/png;base64,{}", BASE64_STANDARD.encode(&made.files[0]));
    let found: Value = anna.post_json("/sdapi/v1/png-info", &json!({ "image": image })).await.json();
    assert_eq!(found["info"], made.info["infotexts"][0]);
    let parameters = &found["parameters"];
    assert_eq!(
        (&parameters["Prompt"], &parameters["Negative prompt"]),
        (&json!("a boat, red"), &json!("fog"))
    );
    assert_eq!((&parameters["Seed"], &parameters["Size-1"]), (&json!("7"), &json!("128")));
    assert!(found["items"]["darkroom"].as_str().unwrap().contains("\"seed\":7"));

    let bare = json!({ "image": BASE64_STANDARD.encode(teal(8, 8)) });
    let found = anna.post_json("/sdapi/v1/png-info", &bare).await;
    assert_eq!(found.text(), r#"{"info":"","items":{},"parameters":{}}"#);
    insta::assert_snapshot!(
        anna.post_json("/sdapi/v1/png-info", &json!({})).await.refusal(),
        @r#"422 ["body","image"]: image is missing; send a PNG in base64"#
    );
}

#[tokio::test]
async fn gpt_2_writes_prompts_as_the_extension_of_that_web_ui_does() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let listed: Value = anna.get("/promptgen/list_models").await.json();
    assert_eq!(listed, json!({ "available_models": ["demo-prompts"] }));
    let write = async |request: Value| anna.post_json("/promptgen/generate", &request).await;
    let request = json!({ "model_name": "demo-prompts", "text": "a red", "batch_size": 2, "batch_count": 2 });
    let written: Value = write(request).await.json();
    let prompts = written["prompts"].as_array().unwrap();
    assert_eq!(prompts.len(), 4);
    assert!(prompts.iter().all(|prompt| prompt.as_str().unwrap().starts_with("a red ")), "{prompts:?}");
    // What its clients name where nobody chose a model.
    let usual = json!({ "model_name": "AUTOMATIC/promptgen-lexart", "top_k": 12 });
    assert_eq!(write(usual).await.json::<Value>()["prompts"].as_array().unwrap().len(), 1);
    insta::assert_snapshot!(
        write(json!({ "model_name": "gpt2-xl" })).await.refusal(),
        @"404: model `gpt2-xl` is not installed; installed are demo-prompts"
    );
    insta::assert_snapshot!(
        write(json!({ "batch_size": 0 })).await.refusal(),
        @r#"422 ["body","batch_size"]: batch_size 0 is out of range; allowed are 1 to 100"#
    );
    insta::assert_snapshot!(
        write(json!({ "batch_size": 20, "batch_count": 6 })).await.refusal(),
        @r#"422 ["body","batch_size"]: batch_count times batch_size, 120 is out of range; allowed are 1 to 100"#
    );
    insta::assert_snapshot!(
        write(json!({ "text": "x".repeat(2001) })).await.refusal(),
        @r#"422 ["body","text"]: the start has 2001 characters; at most 2000 are allowed"#
    );
}

#[tokio::test]
async fn an_address_that_is_none_is_told_in_the_same_shape() {
    let app = TestApp::start().await;
    insta::assert_snapshot!(
        app.browser().post_json("/sdapi/v1/interrogate", &json!({})).await.refusal(),
        @"404: there is no POST /sdapi/v1/interrogate here"
    );
    insta::assert_snapshot!(
        app.browser().get("/promptgen/models").await.refusal(),
        @"404: there is no GET /promptgen/models here"
    );
}

#[tokio::test]
async fn a_method_that_is_not_possible_is_told_in_the_same_shape() {
    let app = TestApp::start().await;
    let answer = app.browser().get("/sdapi/v1/txt2img").await;
    insta::assert_snapshot!(
        answer.refusal(),
        @"405: method GET is not possible at /sdapi/v1/txt2img; the header `allow` of this answer says what is"
    );
    assert_eq!(answer.header("allow"), "POST");
    let answer = app.browser().post_json("/promptgen/list_models", &json!({})).await;
    insta::assert_snapshot!(
        answer.refusal(),
        @"405: method POST is not possible at /promptgen/list_models; the header `allow` of this answer says what is"
    );
    assert_eq!(answer.header("allow"), "GET,HEAD");
}
