//! What the log tells, and what it keeps to itself.

use std::fs::File;
use std::path::Path;

use axum::http::StatusCode;
use serde_json::{Value, json};
use types::job::JobId;

use crate::process::Server;

/// In every prompt of the test, and nowhere else on earth.
const MARK: &str = "quetzalfeather";

/// In every key of the test.
const KEY: &str = "sk-ocelotwhisker";

/// Where the visitor says to come from, as a proxy in front of the program would.
const ELSEWHERE: &str = "203.0.113.77";

/// What a visitor lived through, and what of it is nobody's business.
struct Visit {
    log: String,
    job: JobId,
    request_id: String,
    secrets: Vec<String>,
}

/// A visit to a program that logs with these flags. The demo model is loaded and paints.
async fn visit(folder: &Path, flags: &[&str]) -> Visit {
    let path = folder.join("log");
    let server = Server::start_with(folder, flags, File::create(&path).unwrap());
    let anna = server.browser();
    let prompt = format!("a red {MARK} on a calm sea");
    let job = anna.ask_for(&prompt).await;
    anna.events(job.id).await;
    anna.get_with("/", &[("x-forwarded-for", ELSEWHERE)]).await;
    anna.get(&format!("/history?search={MARK}")).await;
    anna.history(&format!("search={MARK}")).await;
    anna.get(&format!("/api/v1/prompts/stream?start={MARK}")).await;
    let key = format!("Bearer {KEY}");
    anna.get_with("/v1/models", &[("authorization", &key), ("x-request-id", MARK)]).await;
    let refused = anna.create_job(json!({ "prompt": format!("{MARK}\u{7}") })).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    anna.post_form("/", &[("prompt", &prompt), ("steps", MARK)]).await;
    let token = anna.cookie().split_once('=').unwrap().1.to_owned();
    assert_eq!(server.terminate().code(), Some(0));

    let secrets = [MARK, &token, KEY, ELSEWHERE, "127.0.0.1"].map(str::to_owned).into();
    let request_id = refused.header("x-request-id").to_owned();
    Visit { log: std::fs::read_to_string(path).unwrap(), job: job.id, request_id, secrets }
}

impl Visit {
    fn assert_secrets_are_kept(&self) {
        for secret in &self.secrets {
            let found: Vec<_> = self.log.lines().filter(|line| line.contains(secret)).collect();
            assert_eq!(found, [""; 0]);
        }
    }
}

#[tokio::test]
async fn prompts_cookies_keys_and_addresses_are_not_logged() {
    let folder = tempfile::tempdir().unwrap();
    let visit = visit(folder.path(), &["--log", "debug"]).await;
    let Visit { log, request_id, .. } = &visit;
    assert!(log.contains("a job ends") && log.contains("/api/v1/jobs"), "the log is written: {log}");
    assert!(log.contains(request_id), "{request_id} in {log}");
    visit.assert_secrets_are_kept();
}

#[tokio::test]
async fn every_line_of_a_job_names_it_and_in_json_none_tells_more_than_in_text() {
    let folder = tempfile::tempdir().unwrap();
    let visit = visit(folder.path(), &["--log", "debug", "--log-format", "json"]).await;
    visit.assert_secrets_are_kept();
    let job = visit.job.to_string();
    let mut said = Vec::new();
    let mut has_request = false;
    for line in visit.log.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
        assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
        let spans = line["spans"].as_array().cloned().unwrap_or_default();
        if spans.iter().any(|span| span["job.id"] == job.as_str()) {
            said.push(line["message"].as_str().unwrap_or_default().to_owned());
        }
        has_request |= spans.iter().any(|span| span["request.id"] == visit.request_id.as_str());
    }
    // The model is loaded by the thread that paints.
    for message in ["a job begins", "a model was loaded", "a job ends"] {
        assert!(said.iter().any(|line| line == message), "{message} in {said:?}");
    }
    assert!(has_request, "a line of request {} in {}", visit.request_id, visit.log);
}
