//! What strangers try, each with what comes of it. `docs/attacks.md` lists all of it, and where it is tried.

mod bombs;
mod download_names;
mod hostile_exports;
mod hostile_pages;
mod keys;
mod others;
mod sessions;
mod weights;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use bytes::Bytes;
use futures::stream;
use serde_json::json;

use crate::helpers::{Answer, Multipart, TestApp};

/// Words that would be markup, end what they stand in, or turn around what is written after them, wherever they are not
/// taken for words. `HACKED` is in them, and nowhere else.
const HOSTILE: &str = "<script>HACKED()</script><img src=x onerror=HACKED()> </textarea></title>--> \" autofocus \
                       onfocus=HACKED() x='y' `&lt; \u{2069}\u{202e}gnp.exe\u{202c}";

impl Answer {
    /// A page on which [`HOSTILE`] is words alone. Whether it is there at all is for the caller to ask.
    fn assert_tame(&self, place: &str) -> String {
        let page = self.text();
        assert!(
            self.header("content-type").starts_with("text/html"),
            "{place}: {}",
            self.header("content-type")
        );
        for markup in ["<script>HACKED", "<img src=x"] {
            assert!(!page.contains(markup), "{place} has {markup}");
        }
        for box_ in ["textarea", "title", "script"] {
            let (opened, closed) = (format!("<{box_}"), format!("</{box_}>"));
            assert_eq!(page.matches(&opened).count(), page.matches(&closed).count(), "{place}: {box_}");
        }
        let unquoted = unquoted_in_tags(&page);
        assert!(
            !unquoted.contains("HACKED") && !unquoted.contains(" on"),
            "{place} has an attribute of the words"
        );
        page
    }
}

/// What stands in a page's tags, but for the values of attributes.
fn unquoted_in_tags(page: &str) -> String {
    let (mut unquoted, mut is_tag, mut quote) = (String::new(), false, None);
    let next = page.chars().skip(1).chain([' ']);
    for (c, next) in page.chars().zip(next) {
        match (is_tag, quote) {
            (false, _) => is_tag = c == '<' && (next.is_ascii_alphabetic() || next == '/'),
            (true, Some(end)) => quote = (c != end).then_some(end),
            (true, None) if c == '>' => is_tag = false,
            (true, None) => {
                quote = ['"', '\''].contains(&c).then_some(c);
                unquoted.push(c);
            }
        }
    }
    unquoted
}

/// A body of so many bytes that is never in memory as a whole.
fn zeros(n_bytes: usize) -> Body {
    const PIECE: usize = 1 << 14;
    let pieces = (0..n_bytes / PIECE).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(&[b'0'; PIECE])));
    Body::from_stream(stream::iter(pieces))
}

#[tokio::test]
async fn a_body_of_a_hundred_megabytes_is_refused_wherever_it_is_sent() {
    let app = TestApp::start().await;
    let anna = app.browser();
    for (path, kind) in [
        ("/api/v1/jobs", "application/json"),
        ("/api/v1/uploads", "image/png"),
        ("/generate-image", "application/json"),
        ("/v1/images/generations", "application/json"),
        ("/v1/images/edits", "application/json"),
        ("/sdapi/v1/txt2img", "application/json"),
        ("/sdapi/v1/img2img", "application/json"),
        ("/prompt", "application/json"),
        ("/", "application/x-www-form-urlencoded"),
    ] {
        let answer = anna.send(Method::POST, path, &[("content-type", kind)], zeros(100 << 20)).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}: {}", answer.text());
    }
    assert!(anna.history("").await.pictures.is_empty());
}

#[tokio::test]
async fn a_body_of_many_small_values_is_refused_wherever_json_is_read_and_a_prompt_with_many_commas_is_not() {
    let app = TestApp::start().await;
    let anna = app.browser();
    for path in [
        "/api/v1/jobs",
        "/generate-image",
        "/v1/images/generations",
        "/v1/images/edits",
        "/v1/images/variations",
        "/sdapi/v1/txt2img",
        "/sdapi/v1/img2img",
        "/prompt",
        "/queue",
        "/history",
        "/interrupt",
    ] {
        let many = format!("{{\"prompt\": \"boat\", \"images\": [0{}]}}", ",0".repeat(400_000));
        let answer = anna.post_text(path, "application/json", many).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}: {}", answer.text());
        let sentence = "the body has 400003 commas and opening brackets; at most 100000 are allowed";
        assert!(answer.text().contains(sentence), "{path}: {}", answer.text());
    }
    let answer = anna.create_job(json!({ "prompt": format!("boat{}", ", red".repeat(300)) })).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
}

#[tokio::test]
async fn a_prompt_of_ten_megabytes_is_refused_and_a_long_one_is_told_its_limit() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let answer = anna.create_job(json!({ "prompt": "a".repeat(10 << 20) })).await;
    assert_eq!(
        answer.complaint(),
        "413 invalid_request: the body is too large; at most 1048576 bytes are allowed"
    );
    let answer = anna.create_job(json!({ "prompt": "a".repeat(900_000) })).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        answer.complaint(),
        "422 invalid_field (prompt): the prompt has 900000 characters; at most 2000 are allowed"
    );
}

#[tokio::test]
async fn no_name_leads_out_of_its_folder() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let secret = app.data().join("darkroom.sqlite3");
    assert!(secret.is_file());
    let way_out = "../../data/darkroom.sqlite3";
    for request in [
        json!({ "prompt": "boat", "model": way_out }),
        json!({ "prompt": "boat", "loras": [{ "name": way_out }] }),
        json!({ "prompt": format!("boat <lora:{way_out}:1>") }),
        json!({ "prompt": format!("__{way_out}__") }),
        json!({ "prompt": "boat", "start": way_out }),
        json!({ "prompt": "boat", "styles": [way_out] }),
    ] {
        let answer = anna.create_job(request.clone()).await;
        assert!(!answer.text().contains("SQLite format"), "{request}");
        if answer.status == StatusCode::ACCEPTED {
            // What is no name of anything is text.
            assert!(request["prompt"].as_str().is_some_and(|prompt| prompt != "boat"), "{request}");
        } else {
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{request}: {}", answer.text());
        }
    }
    for path in [
        "/images/..%2f..%2fdarkroom.sqlite3",
        "/pkg/..%2f..%2fdata%2fdarkroom.sqlite3",
        "/pkg/../../data/darkroom.sqlite3",
        "/view?filename=..%2f..%2fdarkroom.sqlite3&type=input",
        "/view?filename=x.png&subfolder=..%2f..&type=output",
        "/v1/models/..%2f..%2fdarkroom.sqlite3",
        "/models/..%2f..",
    ] {
        let answer = anna.get(path).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
        assert!(!answer.text().contains("SQLite format"), "{path}");
    }
    let form = Multipart::new().file("image", "../../evil.png", b"no picture").field("subfolder", "../..");
    let answer = anna.post_multipart("/upload/image", form).await;
    assert!(answer.status.is_client_error(), "{}", answer.text());
}

#[tokio::test]
async fn a_forged_address_is_believed_of_a_trusted_proxy_alone_and_there_of_its_last_entry() {
    use backend::access::{Limits, Ration};
    use backend::engine::fake::FakeEngine;
    use server::callers::Access;
    let address = Ration { requests_per_minute: Some(2), ..Ration::default() };
    let config =
        backend::Config { limits: Limits { address, ..Limits::default() }, ..backend::Config::default() };
    let trusted_proxies = vec!["127.0.0.1/32".parse().expect("a network")];
    let access = Access { trusted_proxies, ..Access::default() };
    let app = TestApp::guarded(FakeEngine::new(), config, access).await;
    let call = async |forwarded: &str| {
        app.newcomer().get_with("/api/v1/models", &[("x-forwarded-for", forwarded)]).await.status
    };
    for number in 0..4 {
        // Whatever the caller writes first, the proxy writes where they came from.
        let expected = if number < 2 { StatusCode::OK } else { StatusCode::TOO_MANY_REQUESTS };
        assert_eq!(call(&format!("203.0.113.{number}, 192.0.2.1")).await, expected, "{number}");
    }
    assert_eq!(call("192.0.2.2").await, StatusCode::OK);
}

#[tokio::test]
async fn no_page_may_run_what_stands_in_it_or_load_from_elsewhere() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let picture = anna.paint("a red boat").await;
    let paths =
        ["/", "/history", "/models", "/api", "/enter", "/nothing-here", &format!("/j/{}", picture.job_id)];
    for path in paths {
        let answer = anna.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{path}: {policy}");
        assert!(policy.contains("default-src 'self'") && policy.contains("nonce-"), "{path}: {policy}");
        assert!(!answer.text().contains(" style=\""), "{path} has a style that its policy forbids");
    }
}

#[tokio::test]
async fn of_two_thousand_streams_of_one_client_no_more_are_open_than_are_allowed() {
    let (app, _gate) = TestApp::gated().await;
    let anna = app.browser();
    let path = format!("/api/v1/jobs/{}/events", anna.ask_for("a red boat").await.id);
    let mut open = Vec::new();
    let mut n_refused = 0;
    for _ in 0..2000 {
        let answer = anna.send_raw(Method::GET, &path, &[], Body::empty()).await;
        match answer.status() {
            StatusCode::OK => open.push(answer),
            status => {
                assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
                n_refused += 1;
            }
        }
    }
    assert_eq!((open.len(), n_refused), (64, 1936));
    let ben = app.browser();
    assert_eq!(ben.get("/api/v1/jobs").await.status, StatusCode::OK, "others are served meanwhile");
}
