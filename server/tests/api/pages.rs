use axum::http::StatusCode;
use backend::engine::fake::{FakeEngine, fake_lora, fake_model};
use types::lora::LoraInfo;
use types::model::{Family, ModelInfo};

use crate::helpers::TestApp;

#[tokio::test]
async fn every_page_is_there() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let picture = anna.paint("a red boat").await;
    for path in ["/", "/history", "/models", "/api", &format!("/j/{}", picture.job_id)] {
        let answer = anna.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert!(answer.header("content-type").starts_with("text/html"), "{path}");
        assert!(answer.text().trim_start().to_ascii_lowercase().starts_with("<!doctype html>"), "{path}");
    }
}

#[tokio::test]
async fn what_does_not_exist_is_said_so_with_its_status() {
    let app = TestApp::start().await;
    for path in ["/nothing-here", "/j/12", "/j/00000000000000000000000000000000", "/pkg/nothing.js"] {
        let answer = app.browser().get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(answer.header("content-type").starts_with("text/html"), "{path}");
    }
}

#[tokio::test]
async fn a_page_runs_only_the_scripts_that_carry_its_nonce() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let page = anna.get("/").await;
    let policy = page.header("content-security-policy");
    let nonce =
        policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("there is a nonce");
    assert!(policy.contains("frame-ancestors 'none'"));
    assert!(policy.contains(&format!("script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval';")));
    assert!(page.text().contains(&format!("nonce=\"{nonce}\"")));
    assert!(!anna.get("/").await.header("content-security-policy").contains(nonce), "every page has its own");
}

#[tokio::test]
async fn a_page_asks_no_other_host_for_anything() {
    let app = TestApp::start().await;
    for path in ["/", "/history", "/models"] {
        let page = app.browser().get(path).await.text();
        for attribute in ["src=\"http", "src=\"//", "rel=\"stylesheet\" href=\"http", "url(http"] {
            assert!(!page.contains(attribute), "{path} has {attribute}");
        }
    }
}

#[tokio::test]
async fn a_page_is_packed_for_a_browser_that_unpacks_it_and_a_stream_is_not() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let gzip = [("accept-encoding", "gzip")];
    let page = anna.get_with("/", &gzip).await;
    assert_eq!(page.header("content-encoding"), "gzip");
    assert!(page.body.len() * 2 < anna.get("/").await.body.len());
    let picture = anna.paint("a red boat").await;
    for path in [format!("/api/v1/jobs/{}/events", picture.job_id), picture.thumbnail_path()] {
        assert_eq!(anna.get_with(&path, &gzip).await.header("content-encoding"), "", "{path}");
    }
}

#[tokio::test]
async fn the_models_page_tells_what_families_there_are_and_what_is_wrong_with_a_lora() {
    let model = ModelInfo { family: Family::Sd2, ..fake_model() };
    let broken = LoraInfo { name: "half".into(), problem: Some("it is cut off".into()), ..fake_lora() };
    let engine = FakeEngine::new().with_models(vec![model]).with_loras(vec![fake_lora(), broken]);
    let page = TestApp::with_engine(engine).await.browser().get("/models").await.text();
    for told in ["Stable Diffusion 2.x", "ink", "half", "Cannot be used. It is cut off."] {
        assert!(page.contains(told), "`{told}` is missing: {page}");
    }
}

#[tokio::test]
async fn the_models_page_says_nothing_of_loras_where_there_are_none() {
    let engine = FakeEngine::new().with_loras(Vec::new());
    let page = TestApp::with_engine(engine).await.browser().get("/models").await.text();
    assert!(!page.contains("<h2>LoRAs"), "{page}");
}
