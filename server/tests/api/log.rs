//! What the log keeps to itself.

use std::fs::File;

use axum::http::StatusCode;
use serde_json::json;

use crate::process::Server;

/// In every prompt of the test, and nowhere else on earth.
const MARK: &str = "quetzalfeather";

/// Where the visitor says to come from, as a proxy in front of the program would.
const ELSEWHERE: &str = "203.0.113.77";

#[tokio::test]
async fn prompts_cookies_and_addresses_are_not_logged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let server = Server::start_with(folder.path(), &["--log", "debug"], File::create(&path).unwrap());
    let anna = server.browser();
    let prompt = format!("a red {MARK} on a calm sea");
    let job = anna.ask_for(&prompt).await;
    anna.events(job.id).await;
    anna.get_with("/", &[("x-forwarded-for", ELSEWHERE)]).await;
    anna.get(&format!("/history?search={MARK}")).await;
    anna.history(&format!("search={MARK}")).await;
    anna.get(&format!("/api/v1/prompts/stream?start={MARK}")).await;
    let refused = anna.create_job(json!({ "prompt": format!("{MARK}\u{7}") })).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    anna.post_form("/", &[("prompt", &prompt), ("steps", MARK)]).await;
    let token = anna.cookie().split_once('=').unwrap().1.to_owned();
    assert_eq!(server.terminate().code(), Some(0));

    let log = std::fs::read_to_string(path).unwrap();
    assert!(log.contains("a job ends") && log.contains("/api/v1/jobs"), "the log is written: {log}");
    for secret in [MARK, &token, ELSEWHERE, "127.0.0.1"] {
        let found: Vec<_> = log.lines().filter(|line| line.contains(secret)).collect();
        assert_eq!(found, [""; 0]);
    }
}
