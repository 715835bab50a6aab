use axum::http::StatusCode;
use serde_json::json;
use types::job::{JobInfo, JobStatus};

use crate::helpers::TestApp;

#[tokio::test]
async fn a_job_is_accepted_and_its_address_is_told() {
    let app = TestApp::start().await;
    let answer = app.browser().create_job(json!({ "prompt": "a red boat", "seed": 7 })).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let job: JobInfo = answer.json();
    assert_eq!(answer.header("location"), format!("/api/v1/jobs/{}", job.id));
    assert_eq!((job.request.prompt.as_str(), job.request.seed), ("a red boat", 7));
    assert!(job.is_owner);
}

#[tokio::test]
async fn a_job_ends_with_its_pictures() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let job: JobInfo = anna.create_job(json!({ "prompt": "boats", "seed": 7, "count": 3 })).await.json();
    anna.events(job.id).await;
    let job: JobInfo = anna.job(job.id).await.json();
    assert_eq!(job.status, JobStatus::Done);
    assert_eq!(job.pictures.iter().map(|picture| picture.seed).collect::<Vec<_>>(), [7, 8, 9]);
}

#[tokio::test]
async fn a_running_job_is_cancelled_by_its_owner_and_only_once() {
    let (app, gate) = TestApp::gated().await;
    let anna = app.browser();
    let job = anna.ask_for("a red boat").await;
    let mut events = anna.open_events(&format!("/api/v1/jobs/{}/events", job.id), &[]).await;
    gate.allow(1);
    while events.next().await.expect("the job goes on").name != "progress" {}

    let answer = anna.cancel_job(job.id).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json::<JobInfo>().status, JobStatus::Cancelled);
    assert_eq!(events.rest().await.last().expect("there is an end").name, "cancelled");
    insta::assert_snapshot!(anna.cancel_job(job.id).await.complaint(), @"409 conflict: the job is already cancelled");
}

#[tokio::test]
async fn a_stranger_sees_a_job_once_it_is_shared_and_may_not_cancel_it() {
    let (app, _gate) = TestApp::gated().await;
    let (anna, ben) = (app.browser(), app.browser());
    let job = anna.ask_for("a red boat").await;

    let missing = format!("404 not_found: there is no job with the id {}", job.id);
    let events = format!("/api/v1/jobs/{}/events", job.id);
    assert_eq!(ben.job(job.id).await.complaint(), missing);
    assert_eq!(ben.get(&events).await.complaint(), missing);
    assert_eq!(ben.get(&format!("/j/{}", job.id)).await.status, StatusCode::NOT_FOUND);
    let share = format!("/api/v1/jobs/{}/share", job.id);
    assert_eq!(ben.post_json(&share, &json!({ "shared": true })).await.complaint(), missing);
    assert!(anna.post_json(&share, &json!({ "shared": true })).await.json::<JobInfo>().shared);
    let seen: JobInfo = ben.job(job.id).await.json();
    assert!(!seen.is_owner);
    let answer = ben.cancel_job(job.id).await;
    assert_eq!(answer.complaint(), missing);
    anna.post_json(&share, &json!({ "shared": false })).await;
    assert_eq!(ben.job(job.id).await.complaint(), missing);
    assert!(!anna.job(job.id).await.json::<JobInfo>().status.is_final());
}

#[tokio::test]
async fn the_models_are_listed() {
    let app = TestApp::start().await;
    let models: Vec<types::model::ModelInfo> = app.browser().get("/api/v1/models").await.json();
    assert_eq!(models.iter().map(|model| model.name.as_str()).collect::<Vec<_>>(), ["demo"]);
}

#[tokio::test]
async fn the_health_says_that_all_is_well() {
    let app = TestApp::start().await;
    let answer = app.browser().get("/api/v1/health").await;
    assert_eq!(answer.json::<serde_json::Value>()["status"], "ok");
    assert_eq!(answer.header("set-cookie"), "", "whoever watches is no visitor");
}
