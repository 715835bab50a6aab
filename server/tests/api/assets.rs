use axum::http::StatusCode;

use crate::helpers::TestApp;

#[tokio::test]
async fn a_browser_that_reads_brotli_gets_it() {
    let app = TestApp::start().await;
    app.write_asset("pkg/darkroom.wasm", b"plain");
    app.write_asset("pkg/darkroom.wasm.br", b"packed");
    let anna = app.browser();

    let packed = anna.get_with("/pkg/darkroom.wasm", &[("accept-encoding", "gzip, br")]).await;
    assert_eq!((&packed.body[..], packed.header("content-encoding")), (&b"packed"[..], "br"));
    let plain = anna.get("/pkg/darkroom.wasm").await;
    assert_eq!((&plain.body[..], plain.header("content-encoding")), (&b"plain"[..], ""));
    for answer in [&packed, &plain] {
        assert_eq!(answer.header("content-type"), "application/wasm");
        assert_eq!(answer.header("vary"), "accept-encoding");
    }
    assert_ne!(packed.header("etag"), plain.header("etag"));
}

#[tokio::test]
async fn a_file_that_may_change_is_asked_about_at_every_use() {
    let app = TestApp::start().await;
    app.write_asset("pkg/darkroom.css", b"body{}");
    let anna = app.browser();
    let answer = anna.get("/pkg/darkroom.css").await;
    assert_eq!(answer.header("cache-control"), "no-cache");
    let again = anna.get_with("/pkg/darkroom.css", &[("if-none-match", answer.header("etag"))]).await;
    assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
}

#[tokio::test]
async fn the_icon_is_there_for_browsers_that_ask_unasked() {
    let app = TestApp::start().await;
    app.write_asset("favicon.svg", b"<svg/>");
    let answer = app.browser().get("/favicon.ico").await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (StatusCode::OK, "image/svg+xml; charset=utf-8")
    );
}

#[tokio::test]
async fn nothing_outside_the_site_is_served() {
    let app = TestApp::start().await;
    std::fs::write(app.site().join("../secret.txt"), "secret").unwrap();
    for path in ["/../secret.txt", "/pkg/../../secret.txt", "/%2e%2e/secret.txt", "/pkg"] {
        let answer = app.browser().get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
}
