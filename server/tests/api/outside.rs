//! Where nobody is known yet: the door, the operator's page, addresses that do not exist, keys that are none, and what another
//! site makes a browser ask for.

use axum::http::{Method, StatusCode};
use backend::Config;
use backend::access::{Allowance, Limits, Ration, Scope};
use backend::engine::fake::FakeEngine;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use server::callers::{Access, Password};

use crate::callers::sentence;
use crate::helpers::{Multipart, TestApp};

async fn key(app: &TestApp, scope: Scope) -> String {
    let allowance = Allowance { scopes: vec![scope], ration: Ration::default() };
    app.services.keyring().create("a test's", allowance).await.expect("a key is made").text
}

async fn with_password() -> TestApp {
    let password = Password::new("correct horse").ok();
    TestApp::with_access(Access { password, ..Access::default() }).await
}

/// A site on which an address has three requests a minute.
async fn with_three_requests() -> TestApp {
    let address = Ration { requests_per_minute: Some(3), ..Ration::default() };
    let config = Config { limits: Limits { address, ..Limits::default() }, ..Config::default() };
    TestApp::guarded(FakeEngine::new(), config, Access::default()).await
}

/// Whether the door opens to whoever says the password.
async fn opens(app: &TestApp) -> bool {
    let answer = app.newcomer().post_form("/enter", &[("password", "correct horse")]).await;
    answer.status == StatusCode::SEE_OTHER
}

#[tokio::test]
async fn the_operators_key_is_asked_for_in_a_folder_that_holds_nothing_else() {
    let app = TestApp::start().await;
    let led = app.newcomer().get("/operator?refresh=off").await;
    assert_eq!((led.status, led.header("location")), (StatusCode::PERMANENT_REDIRECT, "/operator/"));
    assert_eq!(led.header("www-authenticate"), "");
    let asked = app.newcomer().get("/operator/").await;
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
    assert!(asked.header("www-authenticate").starts_with("Basic "), "{}", asked.header("www-authenticate"));
}

#[tokio::test]
async fn a_key_that_a_browser_sends_along_is_no_try_of_the_password() {
    let app = with_password().await;
    let basic = STANDARD.encode(format!("operator:{}", key(&app, Scope::Operator).await));
    let said = format!("Basic {basic}");
    let headers = [("authorization", said.as_str())];
    for _ in 0..20 {
        assert_eq!(app.newcomer().get_with("/", &headers).await.status, StatusCode::SEE_OTHER);
    }
    assert!(opens(&app).await);
}

#[tokio::test]
async fn what_clients_have_to_send_as_a_key_locks_nobody_out_and_tries_no_password_out() {
    let app = with_password().await;
    let say = async |text: &str| {
        let said = format!("Bearer {text}");
        let headers = [("authorization", said.as_str())];
        app.newcomer().get_with("/v1/models", &headers).await.status
    };
    assert_eq!(say("correct horse").await, StatusCode::OK);
    for number in 0..10 {
        assert_eq!(say(&format!("sk-{number}")).await, StatusCode::UNAUTHORIZED);
    }
    assert!(opens(&app).await);
    assert_eq!(say("correct horse").await, StatusCode::UNAUTHORIZED, "there it was tried too often");
}

#[tokio::test]
async fn whoever_asks_for_what_does_not_exist_or_knocks_at_a_door_is_counted_by_address() {
    for path in ["/nothing", "/api/v1/nothing", "/enter", "/operator", "/operator/"] {
        let app = with_three_requests().await;
        app.write_asset("pkg/darkroom.css", b"body{}");
        for _ in 0..3 {
            assert_ne!(app.newcomer().get(path).await.status, StatusCode::TOO_MANY_REQUESTS, "{path}");
        }
        let refused = app.newcomer().get(path).await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "{path}");
        assert_ne!(refused.header("retry-after"), "", "{path}");
        let file = app.newcomer().get("/pkg/darkroom.css").await;
        assert_eq!(file.status, StatusCode::OK, "files do not count");
    }
}

#[tokio::test]
async fn keys_that_are_none_are_counted_by_address_and_those_that_are_one_are_not() {
    let app = with_three_requests().await;
    let ask = async |path: &str, key: &str| {
        app.newcomer().get_with(path, &[("authorization", &format!("Bearer {key}"))]).await
    };
    let made_up = format!("dk_{}_{}", "0".repeat(12), "0".repeat(64));
    for _ in 0..3 {
        assert_eq!(ask("/v1/models", &made_up).await.status, StatusCode::UNAUTHORIZED);
    }
    let refused = ask("/v1/models", &made_up).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(sentence(&refused.json()).starts_with("everybody at your address together sent more than 3"));
    let key = key(&app, Scope::Read).await;
    for _ in 0..5 {
        assert_eq!(ask("/api/v1/models", &key).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_password_that_was_not_said_is_counted_by_address() {
    let address = Ration { requests_per_minute: Some(3), ..Ration::default() };
    let config = Config { limits: Limits { address, ..Limits::default() }, ..Config::default() };
    let password = Password::new("correct horse").ok();
    let access = Access { password, ..Access::default() };
    let app = TestApp::guarded(FakeEngine::new(), config, access).await;
    for path in ["/", "/api/v1/jobs", "/history"] {
        assert_ne!(app.newcomer().get(path).await.status, StatusCode::TOO_MANY_REQUESTS, "{path}");
    }
    for path in ["/", "/api/v1/jobs", "/enter"] {
        assert_eq!(app.newcomer().get(path).await.status, StatusCode::TOO_MANY_REQUESTS, "{path}");
    }
}

#[tokio::test]
async fn another_site_sets_nothing_to_work_and_may_link_to_pages() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let stream = "/api/v1/prompts/stream?start=a%20red&seed=7";
    for headers in [
        [("sec-fetch-site", "cross-site"), ("host", "darkroom.local")],
        [("origin", "https://evil.example"), ("host", "darkroom.local")],
    ] {
        assert_eq!(
            anna.get_with(stream, &headers).await.complaint(),
            "403 forbidden: this request was sent by another site; only this site's own pages may do that"
        );
        for path in ["/", "/models", "/api/v1/models"] {
            assert_eq!(anna.get_with(path, &headers).await.status, StatusCode::OK, "{path}");
        }
    }
    for headers in [
        [("sec-fetch-site", "same-origin"), ("host", "darkroom.local")],
        [("origin", "http://darkroom.local"), ("host", "darkroom.local")],
    ] {
        assert_eq!(anna.get_with(stream, &headers).await.status, StatusCode::OK, "{headers:?}");
    }
}

#[tokio::test]
async fn a_key_that_may_only_look_reads_what_is_posted_and_sets_nothing_to_work() {
    let app = TestApp::start().await;
    let bearer = format!("Bearer {}", key(&app, Scope::Read).await);
    let form = Multipart::content_type();
    for (path, kind, body) in [
        ("/api/v1/images/zip", "application/json", json!({ "ids": [] }).to_string().into_bytes()),
        ("/sdapi/v1/png-info", "application/json", json!({ "image": "" }).to_string().into_bytes()),
        ("/api/v1/metadata", form.as_str(), Multipart::new().into_body()),
    ] {
        let headers = [("content-type", kind), ("authorization", bearer.as_str())];
        let answer = app.newcomer().send(Method::POST, path, &headers, body.into()).await;
        let is_refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&answer.status);
        assert!(!is_refused, "{path}: {}", answer.text());
    }
    let stream = app.newcomer().get_with("/api/v1/prompts/stream", &[("authorization", &bearer)]).await;
    assert_eq!(
        stream.complaint(),
        "403 forbidden: this key does not allow that; it takes one with the scope `generate`"
    );
}
