use axum::http::StatusCode;
use serde_json::json;
use types::job::JobStatus;

use crate::helpers::TestApp;

#[tokio::test]
async fn one_request_gives_the_pictures_bytes() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let request = json!({ "prompt": "a red boat", "steps": 3, "guidance_scale": 5, "seed": 7, "width": 128, "height": 64 });
    let answer = anna.generate_image(request.clone()).await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "image/png"));
    let pixels = image::load_from_memory(&answer.body).unwrap();
    assert_eq!((pixels.width(), pixels.height()), (128, 64));
    assert!(answer.text().contains("Steps: 3, "));
    assert_eq!(anna.generate_image(request).await.body, answer.body, "the same seed gives the same bytes");
    assert_eq!(anna.get(answer.header("content-location")).await.body, answer.body);
    assert_eq!(anna.history("").await.n_matches, 2);
}

#[tokio::test]
async fn bad_input_is_refused_as_everywhere() {
    let app = TestApp::start().await;
    let anna = app.browser();
    insta::assert_snapshot!(
        anna.generate_image(json!({ "prompt": "boat", "steps": 0 })).await.complaint(),
        @"422 invalid_field (steps): steps 0 is out of range; allowed are 1 to 150"
    );
    insta::assert_snapshot!(
        anna.generate_image(json!({ "steps": 3 })).await.complaint(),
        @"400 invalid_request: the body cannot be used: missing field `prompt`"
    );
    insta::assert_snapshot!(
        anna.post_text("/generate-image", "application/json", "boat").await.complaint(),
        @"400 invalid_request: the body is not JSON: expected value at line 1 column 1"
    );
}

#[tokio::test]
async fn a_caller_who_hangs_up_cancels_the_job() {
    let (app, gate) = TestApp::gated().await;
    let anna = app.browser();
    // The visitor needs the cookie first: the call below never sees its answer.
    anna.get("/").await;
    let call = anna.generate_image(json!({ "prompt": "a red boat" }));
    let visitor = anna.visitor();
    let job = tokio::select! {
        _ = call => panic!("the gate is closed, so there is no answer"),
        job = async {
            loop {
                if let Some(job) = app.services.latest_jobs(&visitor, 1).await.unwrap().pop() {
                    break job;
                }
                tokio::task::yield_now().await;
            }
        } => job,
    };
    let job = app.services.wait(job.id).await.unwrap();
    assert_eq!(job.status, JobStatus::Cancelled);
    drop(gate);
}
