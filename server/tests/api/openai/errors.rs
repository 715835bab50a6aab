use axum::body::Body;
use axum::http::{Method, StatusCode};
use backend::EngineError;
use backend::engine::fake::{Behaviour, FakeEngine};
use serde_json::{Value, json};

use super::{EDITS, GENERATIONS, complaint};
use crate::helpers::TestApp;

async fn refused(request: Value) -> String {
    complaint(&TestApp::start().await.browser().generations(request).await)
}

#[tokio::test]
async fn values_that_are_not_allowed_are_named_as_they_were_sent() {
    insta::assert_snapshot!(
        refused(json!({})).await,
        @"400 invalid_request_error prompt missing_required_parameter: the prompt is empty; write 1 to 2000 characters"
    );
    insta::assert_snapshot!(
        refused(json!({ "prompt": "boat", "n": 11 })).await,
        @"400 invalid_request_error n invalid_value: n 11 is out of range; allowed are 1 to 8"
    );
    insta::assert_snapshot!(
        refused(json!({ "prompt": "boat", "size": "1024x1024" })).await,
        @"400 invalid_request_error size invalid_value: size `1024x1024`: width 1024 is not possible with model `demo`; allowed are multiples of 8 from 64 to 512"
    );
    insta::assert_snapshot!(
        refused(json!({ "prompt": "boat", "size": "large" })).await,
        @"400 invalid_request_error size invalid_value: size `large` is unknown; allowed are auto and WIDTHxHEIGHT, such as 512x512"
    );
    insta::assert_snapshot!(
        refused(json!({ "prompt": "boat", "model": "sdxl" })).await,
        @"404 invalid_request_error model model_not_found: model `sdxl` is not installed; installed are demo"
    );
    insta::assert_snapshot!(
        refused(json!({ "prompt": "boat", "width": 100 })).await,
        @"400 invalid_request_error width invalid_value: width 100 is not possible with model `demo`; allowed are multiples of 8 from 64 to 512"
    );
    insta::assert_snapshot!(
        refused(json!({ "prompt": "boat", "stepps": 3 })).await,
        @"400 invalid_request_error stepps unknown_parameter: there is no parameter `stepps`; known are those of OpenAI's Images API, and the fields of a request that /api lists"
    );
    insta::assert_snapshot!(
        refused(json!({ "prompt": "boat", "output_format": "gif" })).await,
        @"400 invalid_request_error output_format invalid_value: output_format `gif` is unknown; allowed are png, jpeg, webp"
    );
    insta::assert_snapshot!(
        refused(json!({ "prompt": ["boat"] })).await,
        @"400 invalid_request_error prompt invalid_type: `prompt` cannot be used: invalid type: sequence, expected text"
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_in_openais_shape_as_well() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let json = "application/json";
    insta::assert_snapshot!(
        complaint(&anna.post_text(GENERATIONS, json, "boat").await),
        @"400 invalid_request_error - -: the body is not JSON: expected value at line 1 column 1"
    );
    insta::assert_snapshot!(
        complaint(&anna.post_text(GENERATIONS, json, "[1]").await),
        @r#"400 invalid_request_error - -: the body is an array; send a JSON object such as {"prompt": "a red boat"}"#
    );
    insta::assert_snapshot!(
        complaint(&anna.post_text(GENERATIONS, "text/plain", "boat").await),
        @"400 invalid_request_error - unsupported_content_type: the request has no header `content-type: application/json`; send JSON and say so"
    );
    let long = format!("{{\"prompt\": \"{}\"}}", "x".repeat(1 << 20));
    insta::assert_snapshot!(
        complaint(&anna.post_text(GENERATIONS, json, long).await),
        @"413 invalid_request_error - -: the body is too large; at most 1048576 bytes are allowed"
    );
}

#[tokio::test]
async fn addresses_and_methods_that_are_not_there_are_answered_in_openais_shape() {
    let app = TestApp::start().await;
    let anna = app.browser();
    insta::assert_snapshot!(
        complaint(&anna.get(GENERATIONS).await),
        @"405 invalid_request_error - method_not_supported: method GET is not possible at this address; allowed is POST"
    );
    insta::assert_snapshot!(
        complaint(&anna.post_json("/v1/models", &json!({})).await),
        @"405 invalid_request_error - method_not_supported: method POST is not possible at this address; allowed is GET"
    );
    insta::assert_snapshot!(
        complaint(&anna.post_json("/v1/chat/completions", &json!({})).await),
        @"404 invalid_request_error - unknown_url: there is nothing at POST /v1/chat/completions; known are /v1/images/generations, /v1/images/edits, /v1/images/variations and /v1/models"
    );
    for path in ["/v1", "/v1/", "/v1/images", "/v1/images/edits/more", "/v1/models/demo/more"] {
        let answer = anna.send(Method::DELETE, path, &[], Body::empty()).await;
        assert!(complaint(&answer).starts_with("404 invalid_request_error - unknown_url: "), "{path}");
    }
    assert!(complaint(&anna.get(EDITS).await).starts_with("405 "));
}

#[tokio::test]
async fn a_job_that_fails_is_told_and_not_asked_for_again() {
    let reason = "tensor `conv_in.weight` is missing".to_owned();
    let unusable = EngineError::Unusable { model: "demo".to_owned(), reason };
    let fault = EngineError::Fault { model: "demo".to_owned(), reason: "out of memory".to_owned() };
    let answer = async |fault| {
        let app = TestApp::with_engine(FakeEngine::new().behaving(Behaviour::Fails(fault))).await;
        let answer = app.browser().generations(json!({ "prompt": "boat" })).await;
        assert_eq!(answer.header("x-should-retry"), "false");
        complaint(&answer)
    };
    insta::assert_snapshot!(
        answer(unusable).await,
        @"400 invalid_request_error - model_unusable: the job made no picture: model `demo` cannot be used: tensor `conv_in.weight` is missing"
    );
    insta::assert_snapshot!(
        answer(fault).await,
        @"500 server_error - internal: the job made no picture: something went wrong on the server; its log has the details"
    );
}

#[tokio::test]
async fn a_server_that_stops_asks_its_caller_to_come_again() {
    let app = TestApp::start().await;
    app.services.shutdown().await;
    let answer = app.browser().generations(json!({ "prompt": "boat" })).await;
    assert_eq!((answer.status, answer.header("x-should-retry")), (StatusCode::SERVICE_UNAVAILABLE, "true"));
    insta::assert_snapshot!(
        complaint(&answer),
        @"503 server_error - shutting_down: the server is stopping; try again in a moment"
    );
}
