//! Jobs and pictures as lists, askings that are known already, and the document of the API.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use types::history::JobPage;
use types::job::{JobInfo, JobStatus};
use types::picture::PictureInfo;

use crate::helpers::{Answer, Browser, TestApp};

async fn ask_with(browser: &Browser, headers: &[(&str, &str)], request: &Value) -> Answer {
    let headers = [&[("content-type", "application/json")], headers].concat();
    browser.send(Method::POST, "/api/v1/jobs", &headers, Body::from(request.to_string())).await
}

async fn delete(browser: &Browser, path: &str) -> Answer {
    browser.send(Method::DELETE, path, &[], Body::empty()).await
}

#[tokio::test]
async fn whoever_prefers_to_wait_gets_the_job_at_its_end() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let answer = ask_with(&anna, &[("prefer", "wait=60")], &json!({ "prompt": "a boat" })).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("preference-applied"), "wait=60");
    let job: JobInfo = answer.json();
    assert_eq!(answer.header("location"), format!("/api/v1/jobs/{}", job.id));
    assert_eq!((job.status, job.pictures.len()), (JobStatus::Done, 1));
}

#[tokio::test]
async fn whoever_waits_for_too_short_a_time_gets_the_job_as_it_is() {
    let (app, _gate) = TestApp::gated().await;
    let answer = ask_with(&app.browser(), &[("prefer", "wait=0")], &json!({ "prompt": "a boat" })).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert!(!answer.json::<JobInfo>().status.is_final());
}

#[tokio::test]
async fn a_job_is_asked_for_once_under_one_key() {
    let app = TestApp::start().await;
    let (anna, ben) = (app.browser(), app.browser());
    let key = [("idempotency-key", "order-7")];
    let first: JobInfo = ask_with(&anna, &key, &json!({ "prompt": "a boat" })).await.json();
    let again: JobInfo = ask_with(&anna, &key, &json!({ "prompt": "a boat" })).await.json();
    assert_eq!(first.id, again.id);
    assert_eq!(first.request.seed, again.request.seed, "no second seed was chosen");
    let of_ben: JobInfo = ask_with(&ben, &key, &json!({ "prompt": "a boat" })).await.json();
    assert_ne!(of_ben.id, first.id, "a key is its owner's");
    let other = ask_with(&anna, &key, &json!({ "prompt": "a cat" })).await;
    assert_eq!(
        other.complaint(),
        "422 invalid_field (idempotency_key): the idempotency key `order-7` stands for another request already; take a new \
         one for every request"
    );
}

#[tokio::test]
async fn a_key_that_is_none_is_refused() {
    let app = TestApp::start().await;
    let (anna, long) = (app.browser(), "k".repeat(256));
    for key in [" ", "", "two words", long.as_str()] {
        let answer = ask_with(&anna, &[("idempotency-key", key)], &json!({ "prompt": "a boat" })).await;
        let complaint = answer.complaint();
        assert!(
            complaint.starts_with("422 invalid_field (idempotency_key): the idempotency key has "),
            "{complaint}"
        );
        assert!(complaint.ends_with("allowed are 1 to 255 visible ASCII characters"), "{complaint}");
    }
}

#[tokio::test]
async fn jobs_are_listed_in_pages_each_to_its_owner() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let mut asked = Vec::new();
    for prompt in ["a boat", "a cat", "a tent"] {
        asked.push(anna.ask_for(prompt).await.id);
    }
    anna.events(asked[2]).await;
    let page: JobPage = anna.get("/api/v1/jobs?limit=2").await.json();
    let ids: Vec<_> = page.jobs.iter().map(|job| job.id).collect();
    assert_eq!(ids, [asked[2], asked[1]]);
    let next = page.next.expect("there is a third");
    let rest: JobPage = anna.get(&format!("/api/v1/jobs?limit=2&cursor={next}")).await.json();
    assert_eq!((rest.jobs.len(), rest.jobs[0].id, rest.next), (1, asked[0], None));
    let done: JobPage = anna.get("/api/v1/jobs?status=done").await.json();
    assert_eq!(done.jobs.len(), 3);
    let failed: JobPage = anna.get("/api/v1/jobs?status=failed").await.json();
    assert_eq!(failed.jobs, []);
    let of_ben: JobPage = app.browser().get("/api/v1/jobs").await.json();
    assert_eq!(of_ben.jobs, []);
}

#[tokio::test]
async fn a_list_refuses_what_it_cannot_show() {
    let app = TestApp::start().await;
    let anna = app.browser();
    for (query, complaint) in [
        (
            "limit=101",
            "422 invalid_field (limit): limit 101 is out of range; allowed are 1 to 100, or 0 for the usual 24",
        ),
        (
            "cursor=x",
            "422 invalid_field (cursor): cursor `x` is not one that a page ended with; leave it out for the first page",
        ),
    ] {
        assert_eq!(anna.get(&format!("/api/v1/jobs?{query}")).await.complaint(), complaint);
    }
    assert_eq!(anna.get("/api/v1/jobs?status=asleep").await.status.as_u16(), 400);
}

#[tokio::test]
async fn a_job_is_deleted_with_its_pictures_by_its_owner_alone() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let picture = anna.paint("a boat").await;
    let job = format!("/api/v1/jobs/{}", picture.job_id);
    assert_eq!(delete(&app.browser(), &job).await.status, StatusCode::NOT_FOUND);
    assert_eq!(delete(&anna, &job).await.status, StatusCode::NO_CONTENT);
    assert_eq!(anna.get(&job).await.status, StatusCode::NOT_FOUND);
    assert_eq!(anna.get(&format!("/images/{}.png", picture.id)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(anna.history("search=boat").await.pictures, []);
    assert_eq!(delete(&anna, &job).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_job_that_is_not_at_its_end_has_to_be_cancelled_before_it_is_deleted() {
    let (app, _gate) = TestApp::gated().await;
    let anna = app.browser();
    let job = anna.ask_for("a boat").await.id;
    let refused = delete(&anna, &format!("/api/v1/jobs/{job}")).await;
    assert!(refused.complaint().ends_with("; cancel it first"), "{}", refused.complaint());
    assert_eq!(refused.status, StatusCode::CONFLICT);
    anna.cancel_job(job).await;
    assert_eq!(delete(&anna, &format!("/api/v1/jobs/{job}")).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_picture_is_told_without_its_pixels_and_several_are_sent_as_one_zip_file() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let picture = anna.paint("a boat").await;
    let told: PictureInfo = anna.get(&format!("/api/v1/images/{}", picture.id)).await.json();
    assert_eq!(told, picture);
    let zip = anna.post_json("/api/v1/images/zip", &json!({ "ids": [picture.id] })).await;
    assert_eq!((zip.status, zip.header("content-type")), (StatusCode::OK, "application/zip"));
    assert!(zip.body.starts_with(b"PK"));
    let none = anna.post_json("/api/v1/images/zip", &json!({ "ids": [] })).await;
    assert_eq!(none.complaint(), "400 invalid_request: no picture is selected; select at least one");
}

#[tokio::test]
async fn what_was_made_before_is_given_again_and_says_so() {
    let app = TestApp::caching().await;
    let (anna, ben) = (app.browser(), app.browser());
    let ask = |more: Value| {
        let mut request = json!({ "prompt": "a boat", "seed": 7, "count": 2 });
        request.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        request
    };
    let wait = [("prefer", "wait=60")];
    let first: JobInfo = ask_with(&anna, &wait, &ask(json!({}))).await.json();
    assert!(!first.cached);
    let again: JobInfo = ask_with(&ben, &wait, &ask(json!({}))).await.json();
    assert!(again.cached);
    assert_eq!((again.status, again.pictures.len()), (JobStatus::Done, 2));
    for (old, new) in first.pictures.iter().zip(&again.pictures) {
        assert_ne!(old.id, new.id, "each has a picture of its own");
        let [old, new] = [old, new].map(|picture| format!("/images/{}.png", picture.id));
        assert_eq!(anna.get(&old).await.body, ben.get(&new).await.body);
    }
    for other in [json!({ "cache": false }), json!({ "seed": 8 }), json!({ "steps": 3 })] {
        let job: JobInfo = ask_with(&anna, &wait, &ask(other.clone())).await.json();
        assert!(!job.cached, "{other}");
    }
    let without_seed: JobInfo = ask_with(&anna, &wait, &json!({ "prompt": "a boat" })).await.json();
    assert!(!without_seed.cached);
}

#[tokio::test]
async fn what_was_deleted_is_made_anew() {
    let app = TestApp::caching().await;
    let anna = app.browser();
    let picture = anna.paint("a boat").await;
    anna.delete_picture(picture.id).await;
    let job: JobInfo =
        ask_with(&anna, &[("prefer", "wait=60")], &json!({ "prompt": "a boat", "seed": 7 })).await.json();
    assert_eq!((job.cached, job.pictures.len()), (false, 1));
}

#[tokio::test]
async fn the_document_names_every_endpoint_and_every_field_of_a_request() {
    let app = TestApp::start().await;
    let answer = app.browser().get("/api/v1/openapi.json").await;
    assert_eq!(answer.header("content-type"), "application/json");
    let document: Value = answer.json();
    assert_eq!(document["openapi"], "3.1.0");
    for path in
        ["/generate-image", "/api/v1/jobs", "/api/v1/jobs/{id}/events", "/api/v1/images", "/images/{file}"]
    {
        assert!(document["paths"].get(path).is_some(), "{path}");
    }
    let fields = document["components"]["schemas"]["RawRequest"]["properties"].as_object().expect("fields");
    for (name, field) in fields {
        let is_described = field["description"].as_str().is_some_and(|text| !text.is_empty());
        assert!(
            is_described || field.get("$ref").is_some() || field.get("oneOf").is_some(),
            "{name}: {field}"
        );
    }
    let all = serde_json::to_value(types::request::RawRequest { cache: Some(true), ..Default::default() });
    for name in all.expect("a request becomes JSON").as_object().expect("an object").keys() {
        assert!(fields.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn the_page_of_the_api_is_drawn_from_the_document() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let (page, document) = (anna.get("/api").await.text(), anna.get("/api/v1/openapi.json").await);
    let document: Value = document.json();
    for path in document["paths"].as_object().expect("paths").keys() {
        assert!(page.contains(path.as_str()), "{path}");
    }
    for name in document["components"]["schemas"].as_object().expect("types").keys() {
        assert!(page.contains(&format!("id=\"type-{name}\"")), "{name}");
    }
}

#[tokio::test]
async fn an_error_is_a_problem_document() {
    let app = TestApp::start().await;
    let answer = app.browser().create_job(json!({ "prompt": "a boat", "steps": 500 })).await;
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(
        answer.json::<Value>(),
        json!({
            "type": "/api#invalid_field",
            "title": "A field holds a value that is not allowed",
            "status": 422,
            "detail": "steps 500 is out of range; allowed are 1 to 150",
            "code": "invalid_field",
            "field": "steps",
        })
    );
}
