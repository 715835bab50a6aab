use std::time::Duration;

use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use types::job::JobStatus;

use crate::helpers::{Browser, TestApp, Transport};

/// Far more than it takes, and far less than anybody would wait.
const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_stop_ends_streams_and_puts_the_running_job_back_into_the_queue() {
    let (app, gate) = TestApp::gated().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
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
    gate.allow(1);
    while events.next().await.expect("the job goes on").name != "progress" {}

    stop.send(()).unwrap();
    let rest = tokio::time::timeout(SOON, events.rest()).await.expect("the stream ends");
    assert!(!rest.iter().any(|event| event.name == "done"), "{rest:?}");
    gate.open();
    tokio::time::timeout(SOON, server).await.expect("the server ends").unwrap().unwrap();
    let job = app.services.job(&anna.visitor(), job.id).await.unwrap();
    assert_eq!(job.status, JobStatus::Queued);
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_slow_step() {
    let (app, gate) = TestApp::gated().await;
    let anna = app.browser();
    let job = anna.ask_for("a red boat").await;
    let mut events = anna.open_events(&format!("/api/v1/jobs/{}/events", job.id), &[]).await;
    gate.allow(1);
    while events.next().await.expect("the job goes on").data["step"] != 1 {}
    // The engine is in the middle of the second step, and stays there.
    tokio::time::timeout(SOON, app.services.shutdown()).await.expect("the services stop");
    let job = app.services.job(&anna.visitor(), job.id).await.unwrap();
    assert_eq!(job.status, JobStatus::Queued);
    drop(gate);
}

#[tokio::test]
async fn after_the_stop_no_job_is_taken() {
    let app = TestApp::start().await;
    app.services.shutdown().await;
    insta::assert_snapshot!(
        app.browser().create_job(json!({ "prompt": "a red boat" })).await.complaint(),
        @"503 shutting_down: the server is stopping; try again in a moment"
    );
}
