use std::net::SocketAddr;

use axum::http::StatusCode;
use backend::engine::fake::FakeEngine;
use serde_json::{Value, json};
use types::note::Note;
use types::picture::PictureInfo;

use crate::helpers::{Browser, TestApp, Transport};
use crate::sse::names;

#[tokio::test]
async fn events_come_numbered_in_order_and_end_with_the_last_one() {
    let (app, gate) = TestApp::gated().await;
    let anna = app.browser();
    let job = anna.ask_for("a red boat").await;
    let stream = anna.open_events(&format!("/api/v1/jobs/{}/events", job.id), &[]).await;
    gate.open();
    let events = stream.rest().await;

    let numbers: Vec<u64> = events.iter().filter_map(|event| event.id).collect();
    assert_eq!(numbers.len(), events.len(), "every event has a number");
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    let names = names(&events);
    assert!(names.contains(&"progress"), "{names:?}");
    assert_eq!(names[names.len() - 2..], ["picture", "done"]);
    assert!(events.iter().all(|event| event.data["type"] == event.name.as_str()));
}

#[tokio::test]
async fn a_model_that_is_loaded_is_told_of_in_the_stream_the_job_and_the_page() {
    let (engine, gate) = FakeEngine::gated();
    let app = TestApp::with_engine(engine.loading()).await;
    let anna = app.browser();
    let job = anna.ask_for("a red boat").await;
    let mut stream = anna.open_events(&format!("/api/v1/jobs/{}/events", job.id), &[]).await;
    gate.allow(2);
    let event = loop {
        let event = stream.next().await.expect("the job goes on");
        if event.data["fraction"] == 0.5 {
            break event;
        }
    };
    assert_eq!(event.name, "loading");
    assert_eq!(event.data, json!({ "type": "loading", "model": "demo", "fraction": 0.5 }));
    let told: Value = anna.job(job.id).await.json();
    assert_eq!(told["loading"], json!({ "model": "demo", "fraction": 0.5 }));
    let page = anna.get(&format!("/j/{}", job.id)).await.text();
    assert!(page.contains("Loading demo: 50 %"), "{page}");

    gate.open();
    let rest = stream.rest().await;
    let names = names(&rest);
    let last_loading = names.iter().rposition(|name| *name == "loading");
    assert!(last_loading < names.iter().position(|name| *name == "progress"), "{names:?}");
    let told: Value = anna.job(job.id).await.json();
    assert!(told.get("loading").is_none(), "{told}");
}

#[tokio::test]
async fn a_note_is_told_in_the_stream_the_job_and_the_page() {
    let app = TestApp::with_engine(FakeEngine::new().noting(vec![Note::DecodedInF32])).await;
    let anna = app.browser();
    let job = anna.ask_for("a red boat").await;
    let events = anna.events(job.id).await;
    let note = events.iter().find(|event| event.name == "note").expect("there is a note");
    assert_eq!(note.data, json!({ "type": "note", "note": "decoded_in_f32" }));
    let told: Value = anna.job(job.id).await.json();
    assert_eq!(told["notes"], json!(["decoded_in_f32"]));
    let page = anna.get(&format!("/j/{}", job.id)).await.text();
    assert!(page.contains("The VAE left the range of f16 and was used in f32."), "{page}");
}

#[tokio::test]
async fn a_reader_that_comes_late_sees_where_the_job_stands() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let picture = anna.paint("a red boat").await;
    let events = anna.events(picture.job_id).await;
    assert_eq!(names(&events), ["picture", "done"]);
    let shown: PictureInfo = serde_json::from_value(events[0].data["picture"].clone()).unwrap();
    assert_eq!(shown, picture);
}

#[tokio::test]
async fn a_broken_stream_goes_on_after_the_last_number_that_was_seen() {
    let (app, gate) = TestApp::gated().await;
    let anna = app.browser();
    let job = anna.ask_for("a red boat").await;
    let path = format!("/api/v1/jobs/{}/events", job.id);
    let mut stream = anna.open_events(&path, &[]).await;
    gate.allow(2);
    let seen = loop {
        let event = stream.next().await.expect("the job goes on");
        if event.name == "progress" {
            break event.id.expect("events have numbers");
        }
    };
    drop(stream);

    let by_header = anna.open_events(&path, &[("last-event-id", &seen.to_string())]).await;
    let by_query = anna.open_events(&format!("{path}?after={seen}"), &[]).await;
    gate.open();
    for stream in [by_header, by_query] {
        let events = stream.rest().await;
        assert!(events.iter().all(|event| event.id > Some(seen)), "{events:?}");
        assert_eq!(events.last().expect("the job has an end").name, "done");
    }
}

#[tokio::test]
async fn a_stream_works_over_a_real_connection() {
    let (app, gate) = TestApp::gated().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(server::run(
        listener,
        app.services.clone(),
        server::callers::Access::default(),
        async {
            // A test that failed has dropped the other end, which stops the server as well.
            let _ = stopped.await;
        },
    ));

    let anna = Browser::new(Transport::Socket(address));
    let job = anna.ask_for("a red boat").await;
    let mut events = anna.open_events(&format!("/api/v1/jobs/{}/events", job.id), &[]).await;
    let first = events.next().await.expect("the stream begins with where the job stands");
    assert!(["queued", "progress"].contains(&first.name.as_str()), "{first:?}");
    gate.open();
    assert_eq!(events.rest().await.last().expect("the job has an end").name, "done");

    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_position_that_is_no_number_is_refused_in_the_address_and_passed_over_in_the_header() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let picture = anna.paint("a red boat").await;
    let path = format!("/api/v1/jobs/{}/events", picture.job_id);
    assert_eq!(anna.get(&format!("{path}?after=x")).await.status, StatusCode::BAD_REQUEST);
    let events = anna.open_events(&path, &[("last-event-id", "x")]).await.rest().await;
    assert_eq!(names(&events), ["picture", "done"]);
}
