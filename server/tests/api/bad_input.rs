use axum::http::{Method, StatusCode};
use backend::EngineError;
use backend::engine::fake::{Behaviour, FakeEngine, fake_model};
use serde_json::{Value, json};

use crate::helpers::TestApp;

async fn refused(request: Value) -> String {
    TestApp::start().await.browser().create_job(request).await.complaint()
}

#[tokio::test]
async fn a_prompt_that_is_empty_too_long_or_not_text() {
    insta::assert_snapshot!(
        refused(json!({ "prompt": "  " })).await,
        @"422 invalid_field (prompt): the prompt is empty; write 1 to 2000 characters"
    );
    insta::assert_snapshot!(
        refused(json!({})).await,
        @"422 invalid_field (prompt): the prompt is empty; write 1 to 2000 characters"
    );
    insta::assert_snapshot!(
        refused(json!({ "prompt": "x".repeat(2001) })).await,
        @"422 invalid_field (prompt): the prompt has 2001 characters; at most 2000 are allowed"
    );
    insta::assert_snapshot!(
        refused(json!({ "prompt": "a\u{7}boat" })).await,
        @"422 invalid_field (prompt): the prompt has the control character U+0007 at position 2; only text is allowed"
    );
}

#[tokio::test]
async fn a_size_that_the_model_cannot_do() {
    insta::assert_snapshot!(
        refused(json!({ "prompt": "boat", "width": 100 })).await,
        @"422 invalid_field (width): width 100 is not possible with model `demo`; allowed are multiples of 8 from 64 to 512"
    );
    insta::assert_snapshot!(
        refused(json!({ "prompt": "boat", "height": 4096 })).await,
        @"422 invalid_field (height): height 4096 is not possible with model `demo`; allowed are multiples of 8 from 64 to 512"
    );
}

#[tokio::test]
async fn steps_out_of_range() {
    for steps in [0, 151, -1] {
        assert_eq!(
            refused(json!({ "prompt": "boat", "steps": steps })).await,
            format!("422 invalid_field (steps): steps {steps} is out of range; allowed are 1 to 150")
        );
    }
}

#[tokio::test]
async fn unknown_names() {
    insta::assert_snapshot!(
        refused(json!({ "prompt": "boat", "model": "sdxl" })).await,
        @"422 invalid_field (model): model `sdxl` is not installed; installed are demo"
    );
    insta::assert_snapshot!(
        refused(json!({ "prompt": "boat", "sampler": "restart" })).await,
        @"422 invalid_field (sampler): sampler `restart` is unknown; known are dpmpp_2m, euler, euler_ancestral, dpmpp_2m_sde, dpmpp_sde, uni_pc, ddim, heun, dpmpp_3m_sde, dpmpp_2s_ancestral, lcm, tcd, dpm_2, dpm_2_ancestral, lms, pndm, ddpm"
    );
    let app = TestApp::start().await;
    let browser = app.browser();
    insta::assert_snapshot!(
        browser.get("/api/v1/jobs/12").await.complaint(),
        @"404 not_found: there is no job with the id 12"
    );
    insta::assert_snapshot!(
        browser.get("/api/v1/jobs/00000000000000000000000000000000").await.complaint(),
        @"404 not_found: there is no job with the id 00000000000000000000000000000000"
    );
    insta::assert_snapshot!(
        browser.get("/api/v1/jobs/12/events").await.complaint(),
        @"404 not_found: there is no job with the id 12"
    );
    insta::assert_snapshot!(
        browser.get("/api/v1/nothing").await.complaint(),
        @"404 not_found: there is nothing at this address; `/api` describes what there is"
    );
}

#[tokio::test]
async fn a_body_that_cannot_be_read() {
    let app = TestApp::start().await;
    let browser = app.browser();
    let complaint = async |content_type: &str, body: &str| {
        browser.post_text("/api/v1/jobs", content_type, body.to_owned()).await.complaint()
    };
    insta::assert_snapshot!(
        complaint("application/json", "prompt=boat").await,
        @"400 invalid_request: the body is not JSON: expected value at line 1 column 1"
    );
    insta::assert_snapshot!(
        complaint("application/json", "").await,
        @r#"400 invalid_request: the body is empty; send a JSON object such as {"prompt": "a red boat"}"#
    );
    insta::assert_snapshot!(
        complaint("application/json", r#"{"prompt": "boat", "steps": "many"}"#).await,
        @r#"400 invalid_request (steps): `steps` cannot be used: invalid type: string "many", expected a whole number"#
    );
    insta::assert_snapshot!(
        complaint("text/plain", r#"{"prompt": "boat"}"#).await,
        @"415 invalid_request: the request has no header `content-type: application/json`; send JSON and say so"
    );
    insta::assert_snapshot!(
        complaint("application/json", r#"["a red boat"]"#).await,
        @r#"400 invalid_request: the body is an array; send a JSON object such as {"prompt": "a red boat"}"#
    );
    assert!(complaint("application/json", r#"{"prompt": "boat", "stepps": 3}"#).await.starts_with(
        "400 invalid_request: the body cannot be used: there is no field `stepps`; known are `prompt`, "
    ));
    let answer = browser.post_json("/api/v1/jobs", &json!({ "prompt": "x".repeat(2 << 20) })).await;
    insta::assert_snapshot!(
        answer.complaint(),
        @"413 invalid_request: the body is too large; at most 1048576 bytes are allowed"
    );
    assert_eq!(browser.history("").await.n_matches, 0, "nothing came of any of them");
}

#[tokio::test]
async fn a_query_that_cannot_be_read() {
    let app = TestApp::start().await;
    let browser = app.browser();
    insta::assert_snapshot!(
        browser.get("/api/v1/images?limit=many").await.complaint(),
        @"400 invalid_request (limit): `limit` cannot be used: expected a whole number from 0 on"
    );
    insta::assert_snapshot!(
        browser.get("/api/v1/images?favourites=perhaps").await.complaint(),
        @"400 invalid_request (favourites): `favourites` cannot be used: expected true or false"
    );
    let answer = browser.get("/api/v1/images?cursor=nonsense").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text());
}

#[tokio::test]
async fn a_query_with_empty_values_is_one_without_them() {
    let app = TestApp::start().await;
    let browser = app.browser();
    browser.paint("a red boat").await;
    let page = browser.history("search=&favourites=&cursor=&limit=").await;
    assert_eq!(page, browser.history("").await);
    assert_eq!(page.n_matches, 1);
}

#[tokio::test]
async fn a_method_that_an_address_does_not_have() {
    let answer = TestApp::start().await.browser().send(Method::PUT, "/api/v1/jobs", &[], "".into()).await;
    insta::assert_snapshot!(
        answer.complaint(),
        @"405 invalid_request: method PUT is not possible at this address; `/api` describes what is"
    );
    let mut allowed: Vec<_> = answer.header("allow").split(',').collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["GET", "HEAD", "POST"]);
}

#[tokio::test]
async fn a_model_that_cannot_be_used() {
    let mut broken = fake_model();
    broken.problem = Some("file `vae/config.json` is missing".to_owned());
    let app = TestApp::with_engine(FakeEngine::new().with_models(vec![broken])).await;
    insta::assert_snapshot!(
        app.browser().create_job(json!({ "prompt": "boat" })).await.complaint(),
        @"422 model_unusable (model): model `demo` cannot be used: file `vae/config.json` is missing"
    );
    assert_eq!(app.browser().get("/api/v1/health").await.json::<Value>()["status"], "no_model");
}

#[tokio::test]
async fn a_model_that_breaks_while_it_paints_fails_the_job_with_a_sentence() {
    let fault = EngineError::Unusable {
        model: "demo".to_owned(),
        reason: "tensor `conv_in.weight` in `unet` has shape [4], and [320] is needed".to_owned(),
    };
    let app = TestApp::with_engine(FakeEngine::new().behaving(Behaviour::Fails(fault))).await;
    let browser = app.browser();
    let job = browser.ask_for("boat").await;
    let events = browser.events(job.id).await;
    let failed = events.last().expect("the job has an end");
    assert_eq!(failed.name, "failed");
    let message = failed.data["message"].as_str().expect("a failure has a sentence");
    assert!(message.contains("has shape [4], and [320] is needed"), "{message}");
}

#[tokio::test]
async fn a_panic_in_the_engine_fails_one_job_and_nothing_else() {
    let app = TestApp::with_engine(FakeEngine::new().behaving(Behaviour::Panics)).await;
    let browser = app.browser();
    for _ in 0..2 {
        let job = browser.ask_for("boat").await;
        assert_eq!(browser.events(job.id).await.last().expect("the job has an end").name, "failed");
    }
}
