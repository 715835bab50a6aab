use axum::http::StatusCode;
use backend::engine::fake::{Behaviour, FakeEngine};
use backend::{EngineError, Visitor};
use serde_json::json;
use types::job::{JobInfo, JobStatus};

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
        @"422 invalid_field (prompt): the prompt is empty; write 1 to 2000 characters"
    );
    insta::assert_snapshot!(
        anna.post_text("/generate-image", "application/json", "boat").await.complaint(),
        @"400 invalid_request: the body is not JSON: expected value at line 1 column 1"
    );
}

#[tokio::test]
async fn everything_that_a_job_takes_is_taken_but_for_more_pictures_than_one() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let answer = anna
        .generate_image(json!({
            "prompt": "a red boat", "negative_prompt": "fog", "model": "demo", "quality": "preview",
            "shape": "landscape", "sampler": "euler", "schedule": "normal", "seed": 7, "count": 1,
        }))
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert!(answer.text().contains("Negative prompt: fog\nSteps: 2, Sampler: Euler"), "{}", answer.text());
    insta::assert_snapshot!(
        anna.generate_image(json!({ "prompt": "boats", "count": 2 })).await.complaint(),
        @"422 invalid_field (count): count 2 is not possible here, as the answer is one picture; allowed is 1, and up to 8 at `/api/v1/jobs`"
    );
    assert_eq!(anna.history("").await.n_matches, 1);
}

#[tokio::test]
async fn a_job_that_fails_is_answered_by_the_kind_of_its_mistake() {
    let reason = "tensor `conv_in.weight` in `unet` has shape [4], and [320] is needed".to_owned();
    let unusable = EngineError::Unusable { model: "demo".to_owned(), reason };
    let fault = EngineError::Fault { model: "demo".to_owned(), reason: "out of memory".to_owned() };
    let answer = async |fault| {
        let app = TestApp::with_engine(FakeEngine::new().behaving(Behaviour::Fails(fault))).await;
        app.browser().generate_image(json!({ "prompt": "boat" })).await.complaint()
    };
    insta::assert_snapshot!(
        answer(unusable).await,
        @"422 model_unusable: the job made no picture: model `demo` cannot be used: tensor `conv_in.weight` in `unet` has shape [4], and [320] is needed"
    );
    insta::assert_snapshot!(
        answer(fault).await,
        @"500 internal: the job made no picture: something went wrong on the server; its log has the details"
    );
}

#[tokio::test]
async fn a_job_that_is_cancelled_meanwhile_is_answered_with_a_conflict() {
    let (app, gate) = TestApp::gated().await;
    let anna = app.browser();
    anna.get("/").await;
    let visitor = anna.visitor();
    let cancelling = async {
        let job = first_job(&app, &visitor).await;
        app.services.cancel_job(&visitor, job.id).await.unwrap();
        drop(gate);
    };
    let (answer, ()) = tokio::join!(anna.generate_image(json!({ "prompt": "a red boat" })), cancelling);
    insta::assert_snapshot!(answer.complaint(), @"409 conflict: the job was cancelled");
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
        job = first_job(&app, &visitor) => job,
    };
    let job = app.services.wait(job.id).await.unwrap();
    assert_eq!(job.status, JobStatus::Cancelled);
    drop(gate);
}
