use axum::http::HeaderName;
use server::callers::Access;

use crate::helpers::TestApp;

#[tokio::test]
async fn a_newcomer_gets_a_cookie_that_no_script_and_no_other_site_can_use() {
    let app = TestApp::start().await;
    let answer = app.newcomer().get("/").await;
    let cookie = answer.header("set-cookie");
    let mut parts = cookie.split("; ").collect::<Vec<_>>();
    let (name, token) = parts.remove(0).split_once('=').expect("a cookie has a name");
    assert_eq!((name, token.len()), ("darkroom_visitor", 64));
    parts.sort_unstable();
    assert_eq!(parts, ["HttpOnly", "Max-Age=31536000", "Path=/", "SameSite=Lax"]);
}

#[tokio::test]
async fn every_page_gives_the_same_cookie_for_another_year_and_nothing_else_does() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    let given = anna.get("/").await.header("set-cookie").to_owned();
    assert!(given.contains("; Max-Age=31536000"), "{given}");
    assert_eq!(anna.get("/history").await.header("set-cookie"), given);
    assert_eq!(anna.get("/api/v1/images").await.header("set-cookie"), "");
}

#[tokio::test]
async fn behind_tls_the_cookie_does_not_travel_without_it() {
    let headers = [("x-forwarded-proto", "https")];
    let trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    let trusting = TestApp::with_access(Access { trusted_proxies, ..Access::default() }).await;
    let answer = trusting.newcomer().get_with("/", &headers).await;
    assert!(answer.header("set-cookie").contains("; Secure"));
    let other = TestApp::start().await.newcomer().get_with("/", &headers).await;
    assert!(!other.header("set-cookie").contains("; Secure"), "whoever is no trusted proxy is not believed");
}

#[tokio::test]
async fn a_made_up_cookie_is_replaced() {
    let app = TestApp::start().await;
    let answer = app.newcomer().get_with("/history", &[("cookie", "darkroom_visitor=me")]).await;
    assert_ne!(answer.header("set-cookie"), "");
}

#[tokio::test]
async fn what_is_the_same_for_everybody_gives_out_no_cookie() {
    let app = TestApp::start().await;
    app.write_asset("pkg/darkroom.css", b"body{}");
    for path in ["/pkg/darkroom.css", "/api/v1/models", "/nothing-here"] {
        assert_eq!(app.newcomer().get(path).await.header("set-cookie"), "", "{path}");
    }
}

#[tokio::test]
async fn nothing_but_the_cookie_itself_holds_the_token() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    let token = anna.get("/").await.header("set-cookie")[17..81].to_owned();
    let page = anna.get("/history").await;
    assert!(!page.text().contains(&token));
    assert!(!page.headers.iter().any(|(name, value)| {
        *name != HeaderName::from_static("set-cookie")
            && value.to_str().is_ok_and(|value| value.contains(&token))
    }));
}
