//! What whoever operates the site sees on a listener of their own, and nobody else.

use std::collections::HashSet;

use axum::http::StatusCode;
use backend::EngineError;
use backend::engine::fake::{Behaviour, FakeEngine};
use serde_json::{Value, json};

use crate::helpers::TestApp;

/// In every prompt of the test, and nowhere else on earth.
const MARK: &str = "quetzalfeather";

#[tokio::test]
async fn nothing_of_the_operators_is_reachable_on_the_sites_listener() {
    let app = TestApp::start().await;
    let anna = app.browser();
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(anna.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert!(!anna.get("/").await.text().contains("operator-page"));
    assert_eq!(anna.get("/api/v1/health").await.json::<Value>()["status"], "ok");
}

#[tokio::test]
async fn nothing_of_the_site_is_reachable_on_the_operators_listener_but_its_looks() {
    let app = TestApp::start().await;
    app.write_asset("pkg/darkroom.css", b"body{}");
    app.write_asset("pkg/darkroom.js", b"run()");
    let operator = app.operator();
    for path in ["/history", "/api", "/api/v1/jobs", "/api/v1/models", "/pkg/darkroom.js", "/nothing"] {
        assert_eq!(operator.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let created = operator.create_job(json!({ "prompt": "a red boat" })).await;
    assert_eq!(created.status, StatusCode::NOT_FOUND);
    assert_eq!(operator.get("/pkg/darkroom.css").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_process_that_answers_lives_and_one_that_can_work_is_ready() {
    let app = TestApp::start().await;
    let operator = app.operator();
    let live = operator.get("/livez").await;
    assert_eq!((live.status, live.text().as_str()), (StatusCode::OK, "ok\n"));
    let ready = operator.get("/readyz").await;
    assert_eq!(ready.status, StatusCode::OK);
    insta::assert_snapshot!(
        ready.text(),
        @r#"{"status":"ready","checks":[{"name":"program","ok":true},{"name":"database","ok":true},{"name":"worker","ok":true},{"name":"data_folder","ok":true},{"name":"blocked_words","ok":true}]}"#
    );

    app.services.shutdown().await;
    assert_eq!(operator.get("/livez").await.status, StatusCode::OK);
    let ready = operator.get("/readyz").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    insta::assert_snapshot!(
        ready.text(),
        @r#"{"status":"not_ready","checks":[{"name":"program","ok":false,"problem":"the program is stopping"},{"name":"database","ok":true},{"name":"worker","ok":false,"problem":"nobody works off the queue any more"},{"name":"data_folder","ok":true},{"name":"blocked_words","ok":true}]}"#
    );
}

#[tokio::test]
async fn metrics_come_in_the_form_that_prometheus_reads() {
    let app = TestApp::start().await;
    app.browser().paint("a red boat").await;
    let answer = app.operator().get("/metrics").await;
    assert_eq!(answer.status, StatusCode::OK);
    let kind = answer.header("content-type");
    assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
    let text = answer.text();
    let mut known = HashSet::new();
    for line in text.lines() {
        if let Some(described) = line.strip_prefix("# TYPE ") {
            assert!(known.insert(described.split(' ').next().unwrap()), "{line} comes twice");
        } else if !line.starts_with('#') {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
            let name = name.split('{').next().unwrap();
            let family = ["_bucket", "_sum", "_count"]
                .into_iter()
                .find_map(|ending| name.strip_suffix(ending).filter(|family| known.contains(family)));
            assert!(known.contains(family.unwrap_or(name)), "{line} is not described");
        }
    }
}

#[tokio::test]
async fn requests_are_counted_by_their_route_and_never_by_what_stands_in_their_path() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let job = anna.ask_for("a red boat").await;
    anna.events(job.id).await;
    anna.job(job.id).await;
    anna.get(&format!("/{MARK}")).await;
    anna.get(&format!("/api/v1/jobs/{MARK}")).await;
    let text = app.operator().get("/metrics").await.text();
    for line in [
        "darkroom_http_requests_total{method=\"GET\",route=\"/api/v1/jobs/{id}\",status=\"200\"} 1",
        "darkroom_http_requests_total{method=\"POST\",route=\"/api/v1/jobs\",status=\"202\"} 1",
        "darkroom_http_requests_total{method=\"GET\",route=\"other\",status=\"404\"} 1",
        "darkroom_open_streams{route=\"/api/v1/jobs/{id}/events\"} 0",
    ] {
        assert!(text.lines().any(|told| told == line), "{line} in {text}");
    }
    let timed = "darkroom_http_request_seconds_count{method=\"GET\",route=\"/api/v1/jobs/{id}\"} 2";
    assert!(text.lines().any(|told| told == timed), "{text}");
    assert!(!text.contains(MARK) && !text.contains(&job.id.to_string()), "{text}");
}

#[tokio::test]
async fn whoever_follows_a_job_is_counted_until_they_leave() {
    let (app, gate) = TestApp::gated().await;
    let anna = app.browser();
    let job = anna.ask_for("a red boat").await;
    let path = format!("/api/v1/jobs/{}/events", job.id);
    let (one, other) = (anna.open_events(&path, &[]).await, anna.open_events(&path, &[]).await);
    let n_open = async || {
        let text = app.operator().get("/metrics").await.text();
        let line = text.lines().find(|line| line.starts_with("darkroom_open_streams{"));
        line.map(|line| line.rsplit(' ').next().unwrap().to_owned())
    };
    assert_eq!(n_open().await.as_deref(), Some("2"));
    drop(one);
    assert_eq!(n_open().await.as_deref(), Some("1"));
    gate.open();
    other.rest().await;
    assert_eq!(n_open().await.as_deref(), Some("0"));
}

#[tokio::test]
async fn no_label_tells_of_a_prompt_a_visitor_or_a_job() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let picture = anna.paint(&format!("a red {MARK}")).await;
    anna.history(&format!("search={MARK}")).await;
    let text = app.operator().get("/metrics").await.text();
    let token = anna.cookie().split_once('=').unwrap().1.to_owned();
    for secret in [MARK, &token, &picture.id.to_string(), &picture.job_id.to_string(), "127.0.0.1"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[tokio::test]
async fn the_page_shows_jobs_and_prompts_to_those_who_ask_for_them() {
    let (app, gate) = TestApp::gated().await;
    let anna = app.browser();
    let first = anna.ask_for("a red boat").await;
    let second = anna.ask_for(&format!("a blue <i>{MARK}</i>")).await;
    let mut events = anna.open_events(&format!("/api/v1/jobs/{}/events", first.id), &[]).await;
    gate.allow(1);
    while events.next().await.expect("the job goes on").data["step"] != 1 {}

    let operator = app.operator();
    let answer = operator.get("/").await;
    assert_eq!(answer.status, StatusCode::OK);
    let page = answer.text();
    for told in [
        first.id.to_string(),
        second.id.to_string(),
        "picture 1 of 1, step 1 of 4".to_owned(),
        "The queue: 1 job".to_owned(),
        "place 2, for ".to_owned(),
    ] {
        assert!(page.contains(&told), "{told} in {page}");
    }
    assert!(!page.contains(MARK), "{page}");
    let page = operator.get("/?prompts=show&refresh=off").await.text();
    assert!(page.contains(&format!("a blue &lt;i&gt;{MARK}")), "{page}");
    assert!(!page.contains("http-equiv"), "{page}");
    gate.open();
}

#[tokio::test]
async fn the_page_may_load_its_style_sheet_and_nothing_else() {
    let app = TestApp::start().await;
    app.write_asset("pkg/darkroom.css", b"body{}");
    let operator = app.operator();
    for path in ["/", "/metrics", "/livez", "/nothing", "/pkg/darkroom.css"] {
        let answer = operator.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'self';"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("set-cookie"), "", "{path}");
    }
    let page = operator.get("/").await.text();
    let style = page.split("rel=\"stylesheet\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(operator.get(style).await.text(), "body{}");
}

#[tokio::test]
async fn a_failure_is_on_the_page_with_its_sentence() {
    let fault = EngineError::Unusable { model: "demo".into(), reason: "it has no VAE".into() };
    let app = TestApp::with_engine(FakeEngine::new().behaving(Behaviour::Fails(fault))).await;
    let anna = app.browser();
    let job = anna.ask_for("a red boat").await;
    anna.events(job.id).await;
    let page = app.operator().get("/").await.text();
    assert!(page.contains("Model `demo` cannot be used: it has no VAE."), "{page}");
    assert!(page.contains("model_unusable"), "{page}");
}

#[tokio::test]
async fn every_answer_of_the_site_has_a_name_of_its_own_that_nobody_chose() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let id = async |headers: &[(&str, &str)]| {
        anna.get_with("/api/v1/models", headers).await.header("x-request-id").to_owned()
    };
    let (one, other) = (id(&[]).await, id(&[("x-request-id", MARK)]).await);
    assert_ne!(one, other);
    for id in [one, other] {
        assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    }
}
