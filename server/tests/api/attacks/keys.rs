//! Keys that are half typed, changed, revoked or made up: every one is refused with the very same answer, so that
//! none tells how near it was. That nothing compares them letter by letter is held by `cargo xtask rules`.

use axum::http::StatusCode;
use backend::access::{Allowance, NewKey, Ration, Scope};

use crate::helpers::{Answer, TestApp};

async fn key(app: &TestApp, scope: Scope) -> NewKey {
    let allowance = Allowance { scopes: vec![scope], ration: Ration::default() };
    app.services.keyring().create("a test's", allowance).await.expect("a key is made")
}

async fn show(app: &TestApp, path: &str, key: &str) -> Answer {
    app.newcomer().get_with(path, &[("authorization", &format!("Bearer {key}"))]).await
}

/// Everything that is nearly this key: its beginnings, the key with one letter changed, and with more behind it.
fn nearly(key: &str) -> Vec<String> {
    let beginnings = (3..key.len()).map(|length| key[..length].to_owned());
    let changed = (3..key.len()).map(|at| {
        let other = if &key[at..=at] == "0" { "1" } else { "0" };
        format!("{}{other}{}", &key[..at], &key[at + 1..])
    });
    let others = [
        format!("{key}0"),
        format!("{key} {key}"),
        format!("{}{}", &key[..3], key[3..].to_uppercase()),
        format!("dk_{}_{}", "0".repeat(12), "0".repeat(64)),
        format!("{}_{}", &key[..15], "%".repeat(64)),
        format!("{}_' OR '1'='1", &key[..15]),
    ];
    beginnings.chain(changed).chain(others).collect()
}

/// What tells one refusal from another, but for what every answer has of its own.
fn facts(answer: &Answer) -> (StatusCode, Vec<(String, Vec<u8>)>, String) {
    let headers = answer.headers.iter().filter(|(name, _)| *name != "x-request-id");
    let headers = headers.filter(|(name, _)| *name != "content-security-policy");
    let mut headers: Vec<_> =
        headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    headers.sort();
    (answer.status, headers, answer.text())
}

#[tokio::test]
async fn every_key_that_is_nearly_one_is_refused_with_the_same_answer_as_a_revoked_and_a_made_up_one() {
    let app = TestApp::start().await;
    let (valid, revoked) = (key(&app, Scope::Read).await, key(&app, Scope::Read).await);
    app.services.keyring().revoke(&revoked.info.prefix).await.expect("it is revoked");
    assert_eq!(show(&app, "/api/v1/jobs", &valid.text).await.status, StatusCode::OK);
    for path in ["/api/v1/jobs", "/v1/models", "/sdapi/v1/samplers", "/queue"] {
        let expected = show(&app, path, &revoked.text).await;
        assert_eq!(expected.status, StatusCode::UNAUTHORIZED, "{path}");
        for wrong in nearly(&valid.text) {
            assert_eq!(facts(&show(&app, path, &wrong).await), facts(&expected), "{path} with {wrong}");
        }
    }
}

#[tokio::test]
async fn the_operators_page_refuses_every_key_that_is_nearly_one_with_the_same_answer() {
    let app = TestApp::start().await;
    let operators = key(&app, Scope::Operator).await;
    let expected = app.newcomer().get("/operator/").await;
    assert_eq!(expected.status, StatusCode::UNAUTHORIZED);
    for wrong in nearly(&operators.text).into_iter().chain([String::new(), key(&app, Scope::Read).await.text])
    {
        assert_eq!(facts(&show(&app, "/operator/", &wrong).await), facts(&expected), "{wrong}");
    }
    assert_eq!(show(&app, "/operator/", &operators.text).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_key_is_no_cookie_and_its_beginning_opens_nothing() {
    let app = TestApp::start().await;
    let key = key(&app, Scope::Generate).await;
    let bearer = format!("Bearer {}", key.text);
    let json = [("content-type", "application/json"), ("authorization", bearer.as_str())];
    let asked = r#"{"prompt": "a red boat"}"#;
    let made = app.newcomer().send(axum::http::Method::POST, "/api/v1/jobs", &json, asked.into()).await;
    let location = made.header("location").to_owned();
    for cookie in [&key.text, &key.info.prefix, &key.text[16..], &format!("key%0A{}", key.info.prefix)] {
        let cookie = format!("darkroom_visitor={cookie}");
        let answer = app.newcomer().get_with(&location, &[("cookie", &cookie)]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{cookie}");
    }
    assert_eq!(
        app.newcomer().get_with(&location, &[("authorization", &bearer)]).await.status,
        StatusCode::OK
    );
}
