use axum::http::StatusCode;
use serde_json::json;
use server::callers::Access;

use crate::helpers::TestApp;

#[tokio::test]
async fn a_form_on_another_site_is_refused() {
    let app = TestApp::start().await;
    let anna = app.browser();
    anna.get("/").await;
    for headers in [
        [("sec-fetch-site", "cross-site"), ("host", "darkroom.local")],
        [("origin", "https://evil.example"), ("host", "darkroom.local")],
        [("origin", "null"), ("host", "darkroom.local")],
    ] {
        let answer = anna.post_form_with("/", &[("prompt", "a red boat")], &headers).await;
        assert_eq!(
            answer.complaint(),
            "403 invalid_request: this request was sent by another site; only this site's own pages may do that"
        );
    }
    assert!(anna.history("").await.pictures.is_empty());
}

#[tokio::test]
async fn the_sites_own_forms_and_programs_pass() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let own = [
        [("sec-fetch-site", "same-origin"), ("host", "darkroom.local")],
        [("origin", "http://darkroom.local"), ("host", "darkroom.local")],
    ];
    for headers in own {
        let answer = anna.post_form_with("/", &[("prompt", "a red boat")], &headers).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{headers:?}");
    }
    assert_eq!(anna.create_job(json!({ "prompt": "a red boat" })).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn every_answer_tells_the_browser_what_not_to_do() {
    let app = TestApp::start().await;
    app.write_asset("pkg/darkroom.css", b"body{}");
    let anna = app.browser();
    let picture = anna.paint("a red boat").await;
    for path in ["/", "/nothing-here", "/pkg/darkroom.css", "/api/v1/models", &picture.thumbnail_path()] {
        let answer = anna.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert_ne!(answer.header("cache-control"), "", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{path}");
        assert!(answer.header("permissions-policy").contains("camera=()"), "{path}");
    }
}

#[tokio::test]
async fn a_browser_that_came_by_tls_is_told_to_come_by_nothing_else() {
    let trusted_proxies = vec!["127.0.0.1/32".parse().expect("a network")];
    let behind_tls = TestApp::with_access(Access { trusted_proxies, ..Access::default() }).await;
    let said = async |app: &TestApp, scheme: &str| {
        let answer = app.newcomer().get_with("/", &[("x-forwarded-proto", scheme)]).await;
        let is_secure = answer.header("set-cookie").contains("; Secure");
        (answer.header("strict-transport-security").to_owned(), is_secure)
    };
    assert_eq!(said(&behind_tls, "https").await, ("max-age=31536000".to_owned(), true));
    assert_eq!(said(&behind_tls, "http").await, (String::new(), false));
    let untrusting = TestApp::start().await;
    assert_eq!(said(&untrusting, "https").await, (String::new(), false), "anybody may say so");
}
