//! What is somebody else's: whoever knows its name or guesses it gets the answer of what is not there, by every way
//! that there is to it.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use types::job::{JobInfo, JobStatus};

use crate::comfyui::graph;
use crate::helpers::{Browser, TestApp};
use crate::uploads::teal;

/// What a stranger may try with a job, a picture and an upload: method, address with `{id}` in it, body.
const JOB: [(Method, &str, &str); 7] = [
    (Method::GET, "/api/v1/jobs/{id}", ""),
    (Method::GET, "/api/v1/jobs/{id}/events", ""),
    (Method::POST, "/api/v1/jobs/{id}/cancel", "{}"),
    (Method::POST, "/api/v1/jobs/{id}/share", r#"{"shared": true}"#),
    (Method::DELETE, "/api/v1/jobs/{id}", ""),
    (Method::POST, "/j/{id}/cancel", ""),
    (Method::POST, "/j/{id}/share", "shared=true"),
];
const PICTURE: [(Method, &str, &str); 10] = [
    (Method::GET, "/api/v1/images/{id}", ""),
    (Method::GET, "/images/{id}.png", ""),
    (Method::GET, "/images/{id}.jpg?download", ""),
    (Method::GET, "/images/{id}.webp", ""),
    (Method::GET, "/images/{id}/thumbnail", ""),
    (Method::POST, "/api/v1/images/{id}/favourite", r#"{"favourite": true}"#),
    (Method::DELETE, "/api/v1/images/{id}", ""),
    (Method::POST, "/api/v1/images/zip", r#"{"ids": ["{id}"]}"#),
    (Method::POST, "/images/{id}/favourite", "on=true"),
    (Method::POST, "/images/{id}/delete", ""),
];
const UPLOAD: [(Method, &str, &str); 3] = [
    (Method::GET, "/api/v1/uploads/{id}", ""),
    (Method::POST, "/api/v1/jobs", r#"{"prompt": "a boat", "start": "{id}"}"#),
    (Method::POST, "/api/v1/jobs", r#"{"prompt": "a boat", "start": "{id}", "mask": "{id}"}"#),
];

/// An id that nothing has.
const NOTHING: &str = "00000000000000000000000000000000";

/// Tries one way with an id: the status, and what is said with the id taken out.
async fn try_with(
    stranger: &Browser,
    (method, path, body): &(Method, &str, &str),
    id: &str,
) -> (StatusCode, String) {
    let (path, body) = (path.replace("{id}", id), body.replace("{id}", id));
    let kind = if body.starts_with('{') { "application/json" } else { "application/x-www-form-urlencoded" };
    let headers = [("content-type", kind), ("if-none-match", "*")];
    // Streams of those who may look would go on for ever.
    let answer = stranger.send_raw(method.clone(), &path, &headers, Body::from(body)).await;
    let status = answer.status();
    if status.is_success() {
        return (status, String::new());
    }
    let bytes =
        http_body_util::BodyExt::collect(answer.into_body()).await.expect("it arrives whole").to_bytes();
    let said = String::from_utf8_lossy(&bytes).replace(id, "ID");
    // Pages have a nonce of their own.
    (status, if said.starts_with("<!DOCTYPE") { "a page".to_owned() } else { said })
}

#[tokio::test]
async fn what_is_somebody_elses_is_answered_as_what_is_not_there_by_every_way() {
    let app = TestApp::start().await;
    let (anna, ben, program) = (app.browser(), app.browser(), app.newcomer());
    let picture = anna.paint("a red quetzalfeather").await;
    let upload = anna.upload(teal(64, 64)).await;
    let ids = [picture.job_id.to_string(), picture.id.to_string(), upload.id.to_string()];
    for stranger in [&ben, &program] {
        for (ways, id) in [&JOB[..], &PICTURE[..], &UPLOAD[..]].into_iter().zip(&ids) {
            for way in ways {
                let theirs = try_with(stranger, way, id).await;
                assert!(theirs.0.is_client_error(), "{way:?}: {theirs:?}");
                assert_eq!(theirs, try_with(stranger, way, NOTHING).await, "{way:?}");
            }
        }
        let page = stranger.get(&format!("/j/{}", ids[0])).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND);
        assert!(!page.text().contains("quetzalfeather"));
        for start in [&ids[1], &ids[2]] {
            let form = [("prompt", "a boat"), ("start", start.as_str())];
            let answer = stranger.post_form("/", &form).await;
            assert!(answer.status.is_client_error(), "{}", answer.status);
            assert!(!answer.text().contains(&format!("/images/{start}")), "{}", answer.text());
        }
        let page = stranger.get(&format!("/?job={}&start={}", ids[0], ids[1])).await.text();
        assert!(!page.contains("quetzalfeather") && !page.contains(&format!("/images/{}", ids[1])));
    }
    let zip = anna.post_json("/api/v1/images/zip", &json!({ "ids": [picture.id] })).await;
    assert_eq!(zip.status, StatusCode::OK);
    let job: JobInfo = anna.job(picture.job_id).await.json();
    assert_eq!(
        (job.status, job.pictures, job.shared),
        (JobStatus::Done, vec![picture], false),
        "it is as it was"
    );
    assert_eq!(anna.get(&format!("/api/v1/uploads/{}", ids[2])).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_other_programs_see_and_stop_is_their_own() {
    let (app, gate) = TestApp::gated().await;
    let (anna, ben) = (app.browser(), app.browser());
    let id = anna.accepted(&graph(&[])).await;
    for prefix in ["", "/api"] {
        let history: Value = ben.get(&format!("{prefix}/history/{id}")).await.json();
        assert_eq!(history, json!({}));
        let queue: Value = ben.get(&format!("{prefix}/queue")).await.json();
        assert_eq!(queue, json!({ "queue_running": [], "queue_pending": [] }));
        for (path, body) in [
            ("/queue", json!({ "delete": [id] })),
            ("/queue", json!({ "clear": true })),
            ("/interrupt", json!({ "prompt_id": id })),
            ("/interrupt", json!({})),
            ("/history", json!({ "delete": [id] })),
            ("/history", json!({ "clear": true })),
        ] {
            ben.post_json(&format!("{prefix}{path}"), &body).await;
        }
    }
    for path in ["/sdapi/v1/interrupt", "/sdapi/v1/skip"] {
        assert_eq!(ben.post_json(path, &json!({})).await.status, StatusCode::OK, "{path}");
    }
    let progress: Value = ben.get("/sdapi/v1/progress").await.json();
    assert_eq!((&progress["progress"], &progress["current_image"]), (&json!(0.0), &Value::Null));
    gate.open();
    let job = app.services.wait(id.parse().unwrap()).await.unwrap();
    assert_eq!(job.status, JobStatus::Done, "nobody else stopped it");
    let history: Value = anna.get(&format!("/history/{id}")).await.json();
    let image = &history[&id]["outputs"]["9"]["images"][0];
    assert_eq!(anna.view(image).await.status, StatusCode::OK);
    assert_eq!(ben.view(image).await.status, StatusCode::NOT_FOUND);
}
