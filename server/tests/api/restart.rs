//! The program with the demo models, stopped in good order and not.

use serde_json::json;
use types::job::{JobInfo, JobStatus};

use crate::process::Server;

#[tokio::test]
async fn a_job_that_was_cut_off_by_a_kill_is_finished_once_after_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let anna = server.browser();
    let job: JobInfo =
        anna.create_job(json!({ "prompt": "a red boat", "seed": 7, "steps": 30 })).await.json();
    let mut events = anna.open_events(&format!("/api/v1/jobs/{}/events", job.id), &[]).await;
    let last_seen = loop {
        let event = events.next().await.expect("the job goes on");
        if event.name == "progress" {
            break event.id.expect("events have numbers");
        }
    };
    server.kill();

    let server = Server::start(folder.path());
    let anna = anna.moved_to(server.address);
    let path = format!("/api/v1/jobs/{}/events", job.id);
    let events = anna.open_events(&path, &[("last-event-id", &last_seen.to_string())]).await.rest().await;
    assert!(events.iter().all(|event| event.id > Some(last_seen)), "numbers grow over restarts");
    assert_eq!(events.iter().filter(|event| event.name == "picture").count(), 1);
    assert_eq!(events.last().expect("the job has an end").name, "done");

    let job: JobInfo = anna.job(job.id).await.json();
    assert_eq!((job.status, job.pictures.len()), (JobStatus::Done, 1));
    assert_eq!(anna.history("").await.pictures, job.pictures);
}

#[tokio::test]
async fn a_request_to_terminate_ends_the_program_in_good_order() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let anna = server.browser();
    let job = anna.ask_for("a red boat").await;
    let mut events = anna.open_events(&format!("/api/v1/jobs/{}/events", job.id), &[]).await;
    events.next().await.expect("the stream begins");
    assert_eq!(server.terminate().code(), Some(0));

    let server = Server::start(folder.path());
    let anna = anna.moved_to(server.address);
    assert_eq!(anna.events(job.id).await.last().expect("the job has an end").name, "done");
    assert_eq!(anna.history("").await.n_matches, 1);
}
