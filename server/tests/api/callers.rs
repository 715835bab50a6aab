//! Who may call, from where, and how much.

use axum::http::StatusCode;
use backend::access::{Allowance, Limits, NewKey, Ration, Scope};
use backend::engine::fake::FakeEngine;
use serde_json::{Value, json};
use server::callers::{Access, Hosts, Password, Programs, StreamLimits};

use crate::helpers::{Browser, TestApp};

/// What the four APIs are asked that make pictures.
const WAYS: [&str; 4] = ["/api/v1/jobs", "/v1/images/generations", "/sdapi/v1/txt2img", "/prompt"];

async fn key(app: &TestApp, scope: Scope) -> NewKey {
    let allowance = Allowance { scopes: vec![scope], ration: Ration::default() };
    app.services.keyring().create("a test's", allowance).await.expect("a key is made")
}

fn bearer(key: &NewKey) -> String {
    format!("Bearer {}", key.text)
}

/// A request for a picture with these headers.
async fn ask(browser: &Browser, way: &str, headers: &[(&str, &str)]) -> crate::helpers::Answer {
    let json = [("content-type", "application/json")];
    let body = json!({ "prompt": "a red boat" }).to_string();
    browser.send(axum::http::Method::POST, way, &[&json, headers].concat(), body.into()).await
}

/// The sentence of an error, in whichever of the four shapes it comes.
pub fn sentence(body: &Value) -> String {
    let places = [&body["detail"], &body["error"]["message"], &body["errors"]];
    places.into_iter().find_map(Value::as_str).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_page_whose_name_was_made_to_lead_here_is_turned_away() {
    let app = TestApp::start().await;
    for path in ["/", "/api/v1/jobs", "/history", "/v1/models", "/pkg/darkroom.css"] {
        let answer = app.newcomer().get_with(path, &[("host", "rebound.evil.example:3000")]).await;
        assert_eq!(
            answer.complaint(),
            "421 invalid_request: this site does not answer to the name `rebound.evil.example:3000`; whoever runs it can allow it with `--host rebound.evil.example`",
            "{path}"
        );
    }
    for host in ["localhost:3000", "127.0.0.1:3000", "[::1]:3000", "box.local"] {
        assert_eq!(app.newcomer().get_with("/", &[("host", host)]).await.status, StatusCode::OK, "{host}");
    }
    let hosts = Hosts::from_list(&["demo.example.com".to_owned()]).expect("a name");
    let named = TestApp::with_access(Access { hosts, ..Access::default() }).await;
    let answer = named.newcomer().get_with("/", &[("host", "demo.example.com")]).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn a_program_is_told_by_its_key_and_sees_what_is_its_own_alone() {
    let app = TestApp::start().await;
    let (mine, theirs) = (key(&app, Scope::Generate).await, key(&app, Scope::Generate).await);
    let program = app.newcomer();
    let asked = ask(&program, "/api/v1/jobs", &[("authorization", &bearer(&mine))]).await;
    assert_eq!((asked.status, asked.header("set-cookie")), (StatusCode::ACCEPTED, ""));
    let location = asked.header("location").to_owned();
    let seen = async |headers: &[(&str, &str)]| program.get_with(&location, headers).await.status;
    assert_eq!(seen(&[("authorization", &bearer(&mine))]).await, StatusCode::OK);
    assert_eq!(seen(&[("authorization", &bearer(&theirs))]).await, StatusCode::NOT_FOUND);
    assert_eq!(seen(&[]).await, StatusCode::NOT_FOUND);
    // As programs send it that know names and passwords alone.
    let basic =
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("me:{}", mine.text));
    assert_eq!(seen(&[("authorization", &format!("Basic {basic}"))]).await, StatusCode::OK);
}

#[tokio::test]
async fn a_revoked_or_half_typed_key_is_refused_in_the_shape_of_the_api_that_was_called() {
    let app = TestApp::start().await;
    let key = key(&app, Scope::Generate).await;
    app.services.keyring().revoke(&key.info.prefix).await.expect("it is revoked");
    for shown in [bearer(&key), bearer(&key)[..40].to_owned()] {
        for way in WAYS {
            let answer = ask(&app.newcomer(), way, &[("authorization", &shown)]).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{way}");
            assert_eq!(sentence(&answer.json()), "this key is not valid; ask the operator for one", "{way}");
            assert_eq!(answer.header("www-authenticate"), "Bearer", "{way}");
        }
    }
}

#[tokio::test]
async fn a_key_that_may_only_look_makes_nothing() {
    let app = TestApp::start().await;
    let key = bearer(&key(&app, Scope::Read).await);
    let headers = [("authorization", key.as_str())];
    assert_eq!(app.newcomer().get_with("/api/v1/jobs", &headers).await.status, StatusCode::OK);
    for way in WAYS {
        let answer = ask(&app.newcomer(), way, &headers).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{way}");
        assert_eq!(
            sentence(&answer.json()),
            "this key does not allow that; it takes one with the scope `generate`",
            "{way}"
        );
    }
}

#[tokio::test]
async fn where_programs_need_a_key_pages_do_not() {
    let app = TestApp::with_access(Access { programs: Programs::Keys, ..Access::default() }).await;
    for way in WAYS {
        // Whatever is not one of ours counts as none.
        for headers in [&[][..], &[("authorization", "Bearer sk-anything")][..]] {
            let answer = ask(&app.newcomer(), way, headers).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{way}");
            assert!(sentence(&answer.json()).starts_with("programs need a key here"), "{way}");
        }
    }
    let page = app.newcomer();
    assert_eq!(page.get("/").await.status, StatusCode::OK);
    assert_eq!(page.get("/api/v1/jobs").await.status, StatusCode::OK, "the page's own calls have its cookie");
    for way in &WAYS[1..] {
        // Anybody gets a cookie from a page, so it is no key.
        assert_eq!(ask(&page, way, &[]).await.status, StatusCode::UNAUTHORIZED, "{way}");
    }
    let key = bearer(&key(&app, Scope::Generate).await);
    assert_eq!(ask(&app.newcomer(), WAYS[0], &[("authorization", &key)]).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_forged_address_gets_around_no_limit() {
    let address = Ration { requests_per_minute: Some(3), ..Ration::default() };
    let app = TestApp::with_limits(FakeEngine::new(), Limits { address, ..Limits::default() }).await;
    let mut refused = 0;
    for number in 0..6 {
        let forged = format!("192.0.2.{number}");
        let answer = app.newcomer().get_with("/api/v1/models", &[("x-forwarded-for", &forged)]).await;
        refused += usize::from(answer.status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(refused, 3);
}

#[tokio::test]
async fn too_many_requests_are_refused_in_every_shape_and_on_pages_in_words() {
    let visitor = Ration { requests_per_minute: Some(1), ..Ration::default() };
    let app = TestApp::with_limits(FakeEngine::new(), Limits { visitor, ..Limits::default() }).await;
    for way in WAYS {
        let anna = app.browser();
        ask(&anna, way, &[]).await;
        let answer = ask(&anna, way, &[]).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{way}");
        assert!(
            sentence(&answer.json()).starts_with("you sent more than 1 requests in a minute; wait"),
            "{way}"
        );
        let seconds: u64 = answer.header("retry-after").parse().expect("seconds");
        assert!((1..=60).contains(&seconds), "{way}: {seconds}");
    }
    let ben = app.browser();
    ben.get("/").await;
    for answer in [ben.get("/").await, ben.post_form("/", &[("prompt", "a boat")]).await] {
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(answer.text().contains("You sent more than 1 requests in a minute"), "{}", answer.text());
    }
}

#[tokio::test]
async fn too_many_jobs_are_refused_on_the_page_with_what_was_typed() {
    let visitor = Ration { queued_jobs: Some(1), ..Ration::default() };
    let (engine, _gate) = FakeEngine::gated();
    let app = TestApp::with_limits(engine, Limits { visitor, ..Limits::default() }).await;
    let anna = app.browser();
    anna.ask_for("a red boat").await;
    let answer = anna.post_form("/", &[("prompt", "a second boat")]).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.text().contains("You have 1 jobs in the queue already"), "{}", answer.text());
    assert!(answer.text().contains("a second boat"), "what was typed is still there");
    let over_openai = ask(&anna, "/v1/images/generations", &[]).await;
    assert_eq!(over_openai.json::<Value>()["error"]["code"], "rate_limit_exceeded");
    assert_eq!(over_openai.header("retry-after"), "30");
}

#[tokio::test]
async fn no_caller_holds_more_streams_open_than_are_allowed() {
    let limits = StreamLimits { per_caller: 3, per_address: 5, in_all: 100 };
    let (engine, _gate) = FakeEngine::gated();
    let access = Access::default().with_stream_limits(limits);
    let app = TestApp::guarded(engine, backend::Config::default(), access).await;
    let (anna, ben) = (app.browser(), app.browser());
    let job = anna.ask_for("a red boat").await;
    anna.post_json(&format!("/api/v1/jobs/{}/share", job.id), &json!({ "shared": true })).await;
    let path = format!("/api/v1/jobs/{}/events", job.id);
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(anna.open_events(&path, &[]).await);
    }
    let refused = anna.get(&path).await;
    assert_eq!(
        refused.complaint(),
        "429 limit_reached: you have 3 streams open, which is as many as are allowed; close one first"
    );
    for _ in 0..2 {
        open.push(ben.open_events(&path, &[]).await);
    }
    assert!(
        ben.get(&path)
            .await
            .complaint()
            .starts_with("429 limit_reached: 5 streams are open from your address")
    );
    open.clear();
    open.push(anna.open_events(&path, &[]).await);
}

#[tokio::test]
async fn a_site_with_a_password_shows_its_door_alone_until_the_password_is_said() {
    let password = Password::new("correct horse").ok();
    let app = TestApp::with_access(Access { password, ..Access::default() }).await;
    let anna = app.newcomer();
    let turned = anna.get("/history?search=boat").await;
    assert_eq!(turned.status, StatusCode::SEE_OTHER);
    assert_eq!(turned.header("location"), "/enter?to=%2Fhistory%3Fsearch%3Dboat");
    assert_eq!(turned.header("set-cookie"), "");
    for way in WAYS {
        let answer = ask(&app.newcomer(), way, &[]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{way}");
        assert!(sentence(&answer.json()).starts_with("this site has a password"), "{way}");
    }
    for path in ["/history", "/models", "/models/checkpoints"] {
        let answer = app.newcomer().get_with(path, &[("accept", "application/json")]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    let door = anna.get(turned.header("location")).await;
    assert_eq!(door.status, StatusCode::OK);
    assert!(door.text().contains("Who is there?") && door.text().contains("value=\"/history?search=boat\""));

    let wrong = anna.post_form("/enter", &[("password", "wrong horse"), ("to", "/history")]).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert!(wrong.text().contains("This is not the password."), "{}", wrong.text());
    let right = anna.post_form("/enter", &[("password", "correct horse"), ("to", "//evil.example")]).await;
    assert_eq!((right.status, right.header("location")), (StatusCode::SEE_OTHER, "/"));
    assert!(right.header("set-cookie").contains("HttpOnly"), "{}", right.header("set-cookie"));
    assert_eq!(anna.get("/history").await.status, StatusCode::OK);

    let made_up = app.newcomer().get_with("/", &[("cookie", "darkroom_entry=9999999999.00")]).await;
    assert_eq!(made_up.status, StatusCode::SEE_OTHER);
    let said = [("authorization", "Bearer correct horse")];
    assert_eq!(app.newcomer().get_with("/api/v1/models", &said).await.status, StatusCode::OK);
    let key = bearer(&key(&app, Scope::Read).await);
    assert_eq!(
        app.newcomer().get_with("/api/v1/models", &[("authorization", &key)]).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_password_cannot_be_tried_out() {
    let password = Password::new("correct horse").ok();
    let app = TestApp::with_access(Access { password, ..Access::default() }).await;
    for _ in 0..10 {
        let answer = app.newcomer().post_form("/enter", &[("password", "guess")]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    let answer = app.newcomer().post_form("/enter", &[("password", "correct horse")]).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.text().contains("Too many tries; wait"), "{}", answer.text());
    // Nor where programs say it.
    let basic = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, "anybody:correct horse");
    let basic = format!("Basic {basic}");
    let said = [("authorization", basic.as_str())];
    assert_eq!(app.newcomer().get_with("/api/v1/models", &said).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_address_of_a_picture_in_an_answer_of_openais_shape_can_be_handed_on() {
    let app = TestApp::start().await;
    let body = json!({ "prompt": "a red boat", "response_format": "url" });
    let answer: Value = app.browser().post_json("/v1/images/generations", &body).await.json();
    let url = answer["data"][0]["url"].as_str().expect("an address").to_owned();
    let somebody = app.newcomer();
    assert_eq!(somebody.get(&url).await.status, StatusCode::OK);
    let (path, _) = url.split_once('?').expect("a pass");
    assert_eq!(somebody.get(path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(somebody.get(&format!("{path}?pass=1.2")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_cookie_that_somebody_else_chose_is_not_taken_over() {
    let app = TestApp::start().await;
    let fixed = app.newcomer().get_with("/", &[("cookie", "darkroom_visitor=short")]).await;
    assert!(!fixed.header("set-cookie").contains("=short;"), "{}", fixed.header("set-cookie"));
}

#[tokio::test]
async fn the_operators_page_is_shown_on_the_site_to_an_operators_key_alone() {
    let app = TestApp::start().await;
    let (operator, other) = (key(&app, Scope::Operator).await, key(&app, Scope::Generate).await);
    let look = async |headers: &[(&str, &str)]| app.newcomer().get_with("/operator/", headers).await;
    assert_eq!(look(&[]).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(look(&[("authorization", &bearer(&other))]).await.status, StatusCode::UNAUTHORIZED);
    let basic = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        format!("operator:{}", operator.text),
    );
    let page = look(&[("authorization", &format!("Basic {basic}"))]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text().contains("Everything is in order"), "{}", page.text());
    assert!(!page.header("content-security-policy").contains("unsafe"));
    app.services.keyring().revoke(&operator.info.prefix).await.expect("it is revoked");
    assert_eq!(look(&[("authorization", &bearer(&operator))]).await.status, StatusCode::UNAUTHORIZED);
}
