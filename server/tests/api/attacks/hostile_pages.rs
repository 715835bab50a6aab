//! Markup and marks that turn text around, in every field that a page shows again.
//! `end2end/tests/hostile-words.spec.ts` looks at the same pages in a browser.

use axum::http::StatusCode;
use backend::EngineError;
use backend::engine::fake::{Behaviour, FakeEngine};
use serde_json::json;
use types::job::JobInfo;

use super::HOSTILE;
use crate::helpers::{Browser, Multipart, TestApp};
use crate::uploads::teal;

/// A text as a part of an address.
fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// A job with the hostile words in all its texts.
async fn ask(browser: &Browser, more: serde_json::Value) -> JobInfo {
    let mut request = json!({ "prompt": HOSTILE, "negative_prompt": HOSTILE, "seed": 7 });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = browser.create_job(request).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    answer.json()
}

/// The texts of a page that turn something around, but for those that stand alone in a block of their own.
fn turning_texts(page: &str) -> Vec<&str> {
    let is_mark = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    // A text begins behind a tag and ends before the next one. Attributes are no texts.
    let texts = page.split('>').filter_map(|part| part.split('<').next());
    texts
        .filter(|text| text.contains(is_mark) && !text.trim_start().starts_with("&lt;script&gt;HACKED"))
        .collect()
}

#[tokio::test]
async fn hostile_words_are_words_on_every_page_of_whoever_wrote_them() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let job = ask(&anna, json!({ "styles": ["Watercolour"] })).await;
    let picture = app.services.wait(job.id).await.unwrap().pictures.remove(0);
    let (id, words) = (job.id, encoded(HOSTILE));
    for path in [
        "/".to_owned(),
        format!("/?job={id}"),
        format!("/?job={id}&start={}", picture.id),
        format!("/?prompt={words}&negative_prompt={words}&model={words}&steps={words}&beginning={words}"),
        format!("/?prompt={words}&grid_columns_field=prompt_part&grid_columns_values={words}"),
        format!("/j/{id}"),
        "/history".to_owned(),
        "/history?search=HACKED".to_owned(),
        format!("/history?search={words}"),
        format!("/history?search=none{words}&favourites=true"),
    ] {
        let answer = anna.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        let page = answer.assert_tame(&path);
        assert!(page.contains("HACKED"), "{path} shows what was typed");
        assert_eq!(turning_texts(&page), [""; 0], "{path}");
    }
}

#[tokio::test]
async fn hostile_words_are_words_on_the_page_of_a_job_in_every_state_and_to_everybody_who_sees_it() {
    let fault = EngineError::Unusable { model: HOSTILE.into(), reason: HOSTILE.into() };
    let failing = TestApp::with_engine(FakeEngine::new().behaving(Behaviour::Fails(fault))).await;
    let anna = failing.browser();
    let failed = ask(&anna, json!({})).await;
    failing.services.wait(failed.id).await.unwrap();
    let operator = failing.operator().get("/?prompts=show").await.assert_tame("the operator's page");
    assert!(operator.contains("&lt;script&gt;HACKED"), "{operator}");
    for path in [format!("/j/{}", failed.id), "/".to_owned()] {
        assert_eq!(turning_texts(&anna.get(&path).await.assert_tame(&path)), [""; 0], "{path}");
    }

    let (app, _gate) = TestApp::gated().await;
    let anna = app.browser();
    let (running, waiting, cancelled) =
        (ask(&anna, json!({})).await, ask(&anna, json!({})).await, ask(&anna, json!({})).await);
    assert_eq!(anna.cancel_job(cancelled.id).await.status, StatusCode::OK);
    anna.post_json(&format!("/api/v1/jobs/{}/share", waiting.id), &json!({ "shared": true })).await;
    for (viewer, id) in
        [(&anna, running.id), (&anna, waiting.id), (&anna, cancelled.id), (&app.newcomer(), waiting.id)]
    {
        let page = viewer.get(&format!("/j/{id}")).await.assert_tame("a job's page");
        assert!(page.contains("&lt;script&gt;HACKED"), "{page}");
        let title = page.split("<title>").nth(1).unwrap().split("</title>").next().unwrap();
        assert!(title.contains("HACKED") && !title.contains('\u{202e}'), "{title}");
    }
    let operator = app.operator();
    let page = operator.get("/?prompts=show").await.assert_tame("the operator's page");
    assert!(page.contains("&lt;script&gt;HACKED"), "{page}");
    let page =
        operator.get(&format!("/?refresh={}", encoded(HOSTILE))).await.assert_tame("the operator's page");
    assert!(!page.contains("HACKED"), "{page}");
}

#[tokio::test]
async fn hostile_words_are_words_in_every_field_of_a_form_that_is_refused() {
    let app = TestApp::start().await;
    let anna = app.browser();
    anna.get("/").await;
    for field in [
        "negative_prompt",
        "model",
        "steps",
        "guidance_scale",
        "sampler",
        "schedule",
        "seed",
        "count",
        "width",
        "height",
        "shape",
        "aspect_ratio",
        "quality",
        "styles",
        "loras",
        "start",
        "strength",
        "mask",
        "mask_fill",
        "hires_scale",
        "variation_seed",
        "clip_skip",
        "weighting",
        "noise",
        "outpaint_left",
        "grid_columns_values",
        "extend",
        "beginning",
    ] {
        // What is allowed there is refused for its steps.
        let mut typed = vec![("prompt", HOSTILE), ("grid_columns_field", "steps"), (field, HOSTILE)];
        if field != "steps" {
            typed.push(("steps", "9999"));
        }
        let answer = anna.post_form("/", &typed).await;
        assert!(answer.status.is_client_error(), "{field}: {}", answer.status);
        let page = answer.assert_tame(field);
        assert!(page.contains("&lt;script&gt;HACKED"), "{field}: the prompt is kept");
        assert_eq!(turning_texts(&page), [""; 0], "{field}");
    }
    let written = anna.post_form("/write-prompt", &[("prompt", HOSTILE), ("beginning", HOSTILE)]).await;
    assert_eq!(written.status, StatusCode::SEE_OTHER, "{}", written.text());
    let page = anna.get(written.header("location")).await.assert_tame("a written prompt");
    assert!(page.contains("&lt;script&gt;HACKED"), "{page}");
    assert_eq!(turning_texts(&page), [""; 0]);
}

#[tokio::test]
async fn hostile_words_inside_a_picture_are_words_on_the_page_that_reads_them() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let settings = format!(
        "{HOSTILE}\nSteps: 20, Sampler: {HOSTILE}, Seed: 7, Size: 64x64, Model: {HOSTILE}, {HOSTILE}: 3"
    );
    let picture = with_text(&teal(64, 64), "parameters", &settings);
    let form = Multipart::new().field("prompt", "").file("settings_file", "boat.png", &picture);
    let answer = anna.post_multipart("/read-settings", form).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let page = answer.assert_tame("the form that is filled in");
    assert!(page.contains("could not be carried over") && page.contains("&lt;script&gt;HACKED"), "{page}");
    let missing = page.split("id=\"filled\"").nth(1).unwrap().split("</details>").next().unwrap();
    assert!(missing.contains("HACKED") && !missing.contains('\u{202e}'), "{missing}");
}

#[tokio::test]
async fn hostile_words_in_addresses_are_words_on_the_pages_of_errors() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let words = encoded(HOSTILE);
    for (path, status) in [
        (format!("/{words}"), StatusCode::NOT_FOUND),
        (format!("/j/{words}"), StatusCode::NOT_FOUND),
        (format!("/history/{words}/more"), StatusCode::NOT_FOUND),
        (format!("/enter?to=/{words}"), StatusCode::OK),
        (format!("/models?{words}={words}"), StatusCode::OK),
        (format!("/api?{words}={words}"), StatusCode::OK),
        (format!("/history?cursor={words}"), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let answer = anna.get_with(&path, &[("accept", "text/html")]).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(turning_texts(&answer.assert_tame(&path)), [""; 0], "{path}");
    }
    let referer = format!("http://localhost:3000/history?search={words}");
    for path in ["/history/zip", "/history/delete"] {
        let answer = anna.post_form_with(path, &[("picture", HOSTILE)], &[("referer", &referer)]).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
        assert_eq!(turning_texts(&answer.assert_tame(path)), [""; 0], "{path}");
    }
    for path in [format!("/j/{words}/cancel"), format!("/j/{words}/share"), format!("/images/{words}/delete")]
    {
        let answer = anna.post_form(&path, &[("shared", HOSTILE), ("on", HOSTILE)]).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
        assert_eq!(turning_texts(&answer.assert_tame(&path)), [""; 0], "{path}");
    }
}

/// A PNG with one more text inside, in UTF-8, behind its header.
pub fn with_text(png: &[u8], keyword: &str, text: &str) -> Vec<u8> {
    /// Behind the signature and the header's chunk.
    const AT: usize = 8 + 25;
    let body = [b"iTXt", keyword.as_bytes(), b"\0\0\0\0\0", text.as_bytes()].concat();
    let length = u32::try_from(body.len() - 4).unwrap().to_be_bytes();
    let checksum = crate::uploads::crc32(&body).to_be_bytes();
    [&png[..AT], &length, &body, &checksum, &png[AT..]].concat()
}
