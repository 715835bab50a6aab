//! Cookies that somebody else chose: made up, planted before the password was said, or sent along by another site.

use std::collections::HashSet;

use axum::http::StatusCode;
use server::callers::{Access, Password};

use crate::helpers::{Browser, TestApp};

async fn with_password(password: &str) -> TestApp {
    let password = Password::new(password).ok();
    TestApp::with_access(Access { password, ..Access::default() }).await
}

/// The value that an answer gives a cookie.
fn given(cookies: &str) -> &str {
    cookies.split(';').next().and_then(|cookie| cookie.split_once('=')).map_or("", |(_, value)| value)
}

async fn enter(browser: &Browser, headers: &[(&str, &str)]) -> crate::helpers::Answer {
    browser.post_form_with("/enter", &[("password", "correct horse"), ("to", "/history")], headers).await
}

#[tokio::test]
async fn a_cookie_that_has_not_the_form_of_ours_is_replaced_by_a_new_one_each_time() {
    let app = TestApp::start().await;
    let long = "a".repeat(129);
    let made_up =
        ["", "me", "admin", "0", "\"\"", "../../etc/passwd", "<script>", "a b", &"%".repeat(64), &long];
    let mut tokens = HashSet::new();
    for value in made_up {
        let cookie = format!("darkroom_visitor={value}");
        let answer = app.newcomer().get_with("/history", &[("cookie", &cookie)]).await;
        let token = given(answer.header("set-cookie")).to_owned();
        assert!(token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{value}: {token}");
        assert!(tokens.insert(token), "nobody gets the token of somebody else");
    }
}

#[tokio::test]
async fn no_cookie_opens_the_door_but_one_that_the_password_gave() {
    let app = with_password("correct horse").await;
    let anna = app.newcomer();
    let entered = enter(&anna, &[]).await;
    assert_eq!(entered.status, StatusCode::SEE_OTHER);
    let ours = given(entered.header("set-cookie")).to_owned();
    let (until, signature) = ours.split_once('.').expect("it is signed");
    let later = until.parse::<i64>().unwrap() + 1;
    let opens = async |value: &str| {
        let cookie = format!("darkroom_entry={value}");
        app.newcomer().get_with("/history", &[("cookie", &cookie)]).await.status == StatusCode::OK
    };
    assert!(opens(&ours).await);
    let mut cut = (0..ours.len()).map(|length| ours[..length].to_owned()).collect::<Vec<_>>();
    cut.extend([
        format!("{later}.{signature}"),
        format!("+{until}.{signature}"),
        format!("0{until}.{signature}"),
        format!("{until}.{}", signature.to_uppercase().replace(|c: char| c.is_ascii_digit(), "0")),
        format!("{ours}0"),
        format!("-1.{signature}"),
        "true".to_owned(),
    ]);
    for value in cut {
        assert!(!opens(&value).await, "{value}");
    }
    let elsewhere = with_password("correct horse").await;
    let cookie = format!("darkroom_entry={ours}");
    let answer = elsewhere.newcomer().get_with("/history", &[("cookie", &cookie)]).await;
    assert_eq!(
        answer.status,
        StatusCode::SEE_OTHER,
        "another site with the same password has a door of its own"
    );
}

#[tokio::test]
async fn whoever_says_the_password_gets_a_new_entry_whatever_cookie_was_planted_before() {
    let app = with_password("correct horse").await;
    let planted = "darkroom_entry=9999999999.planted";
    let answer = enter(&app.newcomer(), &[("cookie", planted)]).await;
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("darkroom_entry=") && !cookie.contains("planted"), "{cookie}");
    for fact in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(fact), "{cookie}");
    }
    let still = app.newcomer().get_with("/history", &[("cookie", planted)]).await;
    assert_eq!(still.status, StatusCode::SEE_OTHER, "the planted one opens nothing afterwards either");
}

#[tokio::test]
async fn whoever_planted_a_visitors_cookie_sees_nothing_without_the_password() {
    let app = with_password("correct horse").await;
    let anna = app.browser();
    let planted = anna.cookie();
    let entered = enter(&app.newcomer(), &[]).await;
    let entry = format!("darkroom_entry={}", given(entered.header("set-cookie")));
    let both = format!("{planted}; {entry}");
    let asked = app.newcomer();
    let json = [("content-type", "application/json"), ("cookie", both.as_str())];
    let body = r#"{"prompt": "a red boat"}"#;
    let job = asked.send(axum::http::Method::POST, "/api/v1/jobs", &json, body.into()).await;
    let path = job.header("location").to_owned();
    assert_eq!(app.newcomer().get_with(&path, &[("cookie", &both)]).await.status, StatusCode::OK);
    for path in [path.as_str(), "/api/v1/jobs", "/api/v1/images"] {
        assert_eq!(anna.get(path).await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    assert_eq!(anna.get("/history").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn another_site_can_let_nobody_in_and_is_led_to_by_no_door() {
    let app = with_password("correct horse").await;
    for headers in [
        [("sec-fetch-site", "cross-site"), ("host", "darkroom.local")],
        [("origin", "https://evil.example"), ("host", "darkroom.local")],
    ] {
        let answer = enter(&app.newcomer(), &headers).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (StatusCode::FORBIDDEN, ""));
    }
    for to in [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "\t//evil.example",
    ] {
        let fields = [("password", "correct horse"), ("to", to)];
        let answer = app.newcomer().post_form("/enter", &fields).await;
        assert_eq!(answer.header("location"), "/", "{to}");
    }
}
