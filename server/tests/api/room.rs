//! How much callers may send and be sent, and for how many answers they may wait.

use std::sync::atomic::{AtomicU32, Ordering};

use axum::body::Body;
use axum::http::{Method, StatusCode};
use backend::Config;
use backend::access::{Limits, Ration};
use backend::engine::fake::FakeEngine;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};
use server::callers::{Access, Bodies, BodyLimits, StreamLimits};
use types::job::JobInfo;

use crate::callers::sentence;
use crate::helpers::{Answer, Browser, Multipart, TestApp};

/// A file of three quarters of a megabyte, which is another one at each call.
fn large() -> Bytes {
    noise(512)
}

/// A file of three bytes a pixel, which is another one at each call.
pub fn noise(side: u32) -> Bytes {
    static N_FILES: AtomicU32 = AtomicU32::new(1);
    let mut state = N_FILES.fetch_add(1, Ordering::Relaxed);
    // Noise cannot be packed (xorshift, Marsaglia 2003).
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    let picture = RgbImage::from_fn(side, side, |_, _| Rgb([noise(), noise(), noise()]));
    crate::uploads::encoded(picture, ImageFormat::Png)
}

/// A large picture by each way that programs have to send one.
async fn sent_by_all_ways(anna: &Browser) -> [(&'static str, Answer); 4] {
    let in_json = json!({ "prompt": "a boat", "init_images": [BASE64_STANDARD.encode(large())] });
    let edit = Multipart::new().field("prompt", "a boat").file("image", "boat.png", &large());
    let image = Multipart::new().file("image", "boat.png", &large());
    [
        ("own", anna.post_text("/api/v1/uploads", "image/png", large()).await),
        ("openai", anna.post_multipart("/v1/images/edits", edit).await),
        ("a1111", anna.post_json("/sdapi/v1/img2img", &in_json).await),
        ("comfyui", anna.post_multipart("/upload/image", image).await),
    ]
}

async fn sent_by_the_page(anna: &Browser) -> Answer {
    let form = Multipart::new().field("prompt", "a second boat").file("start_file", "boat.png", &large());
    anna.post_multipart("/", form).await
}

#[tokio::test]
async fn whoever_sent_as_much_as_is_allowed_in_a_day_is_told_so_in_every_shape_and_on_the_page() {
    let visitor = Ration { uploaded_megabytes_per_day: Some(1), ..Ration::default() };
    let app = TestApp::with_limits(FakeEngine::new(), Limits { visitor, ..Limits::default() }).await;
    let anna = app.browser();
    anna.upload(large()).await;
    for (way, answer) in sent_by_all_ways(&anna).await {
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{way}: {}", answer.text());
        assert!(
            sentence(&answer.json()).starts_with("you have sent 0.8 megabytes of files in the last 24 hours"),
            "{way}: {}",
            answer.text()
        );
        let seconds: u64 = answer.header("retry-after").parse().expect("seconds");
        assert!((86_000..=86_400).contains(&seconds), "{way}: {seconds}");
    }
    let page = sent_by_the_page(&anna).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(page.text().contains("You have sent 0.8 megabytes of files"), "{}", page.text());
    assert!(page.text().contains("a second boat"), "what was typed is still there");
    assert_ne!(page.header("retry-after"), "");
    app.browser().upload(large()).await;
}

#[tokio::test]
async fn a_new_cookie_gets_around_no_limit_of_what_an_address_may_send() {
    let address = Ration { uploaded_megabytes_per_day: Some(1), ..Ration::default() };
    let app = TestApp::with_limits(FakeEngine::new(), Limits { address, ..Limits::default() }).await;
    app.browser().upload(large()).await;
    let answer = app.browser().post_text("/api/v1/uploads", "image/png", large()).await;
    assert!(
        answer
            .complaint()
            .starts_with("429 limit_reached: everybody at your address together has sent 0.8 megabytes"),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn a_body_for_which_there_is_no_room_is_refused_in_every_shape_and_on_the_page_and_small_ones_are_not()
{
    let limits = BodyLimits { per_address: 256 << 10, in_all: 1 << 20 };
    let app = TestApp::with_access(Access { bodies: Bodies::new(limits), ..Access::default() }).await;
    let anna = app.browser();
    for (way, answer) in sent_by_all_ways(&anna).await {
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{way}: {}", answer.text());
        assert!(
            sentence(&answer.json()).starts_with("everybody at your address together is sending as much as"),
            "{way}: {}",
            answer.text()
        );
        assert_eq!(answer.header("retry-after"), "5", "{way}");
    }
    let page = sent_by_the_page(&anna).await;
    assert_eq!((page.status, page.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "5"));
    assert!(page.text().contains("Everybody at your address together is sending"), "{}", page.text());
    anna.ask_for("a red boat").await;
}

#[tokio::test]
async fn an_answer_for_which_there_is_no_room_is_refused_in_every_shape_until_others_are_read() {
    let limits = BodyLimits { per_address: 1 << 20, in_all: 1 << 20 };
    let app = TestApp::with_access(Access { answers: Bodies::new(limits), ..Access::default() }).await;
    let anna = app.browser();
    let own = format!("/api/v1/uploads/{}", anna.upload(large()).await.id);
    let form = Multipart::new().file("image", "boat.png", &large());
    let sent: Value = anna.post_multipart("/upload/image", form).await.json();
    let comfyuis = format!("/view?filename={}&type=input", sent["name"].as_str().unwrap());
    let unread = anna.send_raw(Method::GET, &own, &[], Body::empty()).await;
    assert_eq!(unread.status(), StatusCode::OK);
    for path in [&own, &comfyuis] {
        let answer = anna.get(path).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{path}: {}", answer.text());
        assert!(
            sentence(&answer.json()).starts_with("everybody at your address together is reading as much as"),
            "{path}: {}",
            answer.text()
        );
        assert_eq!(answer.header("retry-after"), "5", "{path}");
    }
    // What is short has no need of room.
    anna.ask_for("a red boat").await;
    drop(unread);
    for path in [&own, &comfyuis, &own] {
        let answer = anna.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
        assert!(answer.body.len() > 512 << 10, "{path}");
    }
}

#[tokio::test]
async fn room_for_a_body_is_free_again_once_it_is_answered() {
    let limits = BodyLimits { per_address: 1 << 20, in_all: 1 << 20 };
    let app = TestApp::with_access(Access { bodies: Bodies::new(limits), ..Access::default() }).await;
    let anna = app.browser();
    for _ in 0..3 {
        anna.upload(large()).await;
    }
}

#[tokio::test]
async fn room_for_a_body_is_free_again_while_its_answer_waits_for_a_picture() {
    let limits = BodyLimits { per_address: 1 << 20, in_all: 1 << 20 };
    let (engine, gate) = FakeEngine::gated();
    let access = Access { bodies: Bodies::new(limits), ..Access::default() };
    let app = TestApp::guarded(engine, Config::default(), access).await;
    let anna = app.browser();
    anna.get("/").await;
    let visitor = anna.visitor();
    let meanwhile = async {
        while app.services.latest_jobs(&visitor, 1).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        anna.upload(large()).await;
        drop(gate);
    };
    let edit = Multipart::new().field("prompt", "a boat").file("image", "boat.png", &large());
    let (answer, ()) = tokio::join!(anna.post_multipart("/v1/images/edits", edit), meanwhile);
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
}

#[tokio::test]
async fn a_refusal_of_too_many_requests_is_a_short_page_without_a_script() {
    let visitor = Ration { requests_per_minute: Some(1), ..Ration::default() };
    let app = TestApp::with_limits(FakeEngine::new(), Limits { visitor, ..Limits::default() }).await;
    app.write_asset("pkg/darkroom.css", b"body{}");
    let anna = app.browser();
    anna.get("/").await;
    for answer in [anna.get("/history").await, anna.post_form("/", &[("prompt", "a boat")]).await] {
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        let page = answer.text();
        assert!(page.contains("You sent more than 1 requests in a minute"), "{page}");
        assert!(!page.contains("<script") && page.len() < 2000, "{page}");
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'; style-src 'self'"));
        let seconds: u64 = answer.header("retry-after").parse().expect("seconds");
        assert!((1..=60).contains(&seconds), "{seconds}");
    }
}

#[tokio::test]
async fn no_caller_waits_for_more_answers_than_are_allowed_and_one_that_comes_makes_room() {
    let limits = StreamLimits { per_caller: 1, per_address: 100, in_all: 100 };
    let (engine, gate) = FakeEngine::gated();
    let access = Access::default().with_waiting_limits(limits);
    let app = TestApp::guarded(engine, Config::default(), access).await;
    let anna = app.browser();
    let first = anna.generate_image(json!({ "prompt": "a red boat" }));
    tokio::pin!(first);
    // Until its job is made, the first has to be moved on.
    loop {
        tokio::select! {
            biased;
            _ = &mut first => panic!("the first answer came through a closed gate"),
            jobs = anna.get("/api/v1/jobs") => {
                if jobs.json::<Value>()["jobs"][0].is_object() {
                    break;
                }
            }
        }
    }
    let body = json!({ "prompt": "a red boat" });
    let wait = [("content-type", "application/json"), ("prefer", "wait=60")];
    let waiting = anna.send(Method::POST, "/api/v1/jobs", &wait, body.to_string().into()).await;
    let mut refused = vec![("own", waiting)];
    for path in ["/generate-image", "/v1/images/generations", "/sdapi/v1/txt2img", "/promptgen/generate"] {
        refused.push((path, anna.post_json(path, &body).await));
    }
    for (way, answer) in refused {
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{way}: {}", answer.text());
        assert_eq!(
            sentence(&answer.json()),
            "you wait for 1 answers, which is as many as are allowed; wait for one first",
            "{way}"
        );
        assert_eq!(answer.header("retry-after"), "10", "{way}");
    }
    // Who does not wait, and who is somebody else, is served.
    let asked: JobInfo = anna.ask_for("a second boat").await;
    gate.open();
    assert_eq!(first.await.status, StatusCode::OK);
    assert_eq!(anna.generate_image(body).await.status, StatusCode::OK);
    assert!(anna.events(asked.id).await.last().is_some_and(|event| event.name == "done"));
}
