//! Markup, line breaks and marks that turn text around, in everything that leaves the site besides its pages. Each
//! gives the words back as they were typed, as data: whoever shows them has to take them for words.

use axum::http::StatusCode;
use serde_json::{Value, json};
use types::history::HistoryPage;
use types::job::JobInfo;
use types::metadata::ReadSettings;
use types::picture::{PictureFormat, PictureInfo};

use super::HOSTILE;
use crate::comfyui::graph;
use crate::helpers::TestApp;
use crate::sse::names;

/// Lines that would be settings, events or headers, if they were lines.
const LINES: &str = "boat\r\nNegative prompt: none\nSteps: 99, Sampler: Euler\r\n\r\nevent: done\ndata: {}";

/// The same as it is kept: one line.
const ONE_LINE: &str = "boat Negative prompt: none Steps: 99, Sampler: Euler  event: done data: {}";

#[tokio::test]
async fn json_has_the_hostile_words_as_they_were_typed_and_no_browser_takes_it_for_a_page() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let picture = anna.paint(HOSTILE).await;
    let job: JobInfo = anna.job(picture.job_id).await.json();
    let shown: PictureInfo = anna.get(&format!("/api/v1/images/{}", picture.id)).await.json();
    let listed: HistoryPage = anna.history("search=HACKED").await;
    assert_eq!([job.request.prompt.as_str(), &shown.prompt, &listed.pictures[0].prompt], [HOSTILE; 3]);
    let words: String = form_urlencoded::byte_serialize(HOSTILE.as_bytes()).collect();
    for path in [
        format!("/api/v1/jobs/{}", picture.job_id),
        "/api/v1/jobs".to_owned(),
        format!("/api/v1/images/{}", picture.id),
        "/api/v1/images".to_owned(),
        format!("/api/v1/jobs/{words}"),
        format!("/api/v1/images?cursor={words}"),
        format!("/api/v1/{words}"),
        format!("/images/{words}"),
        format!("/v1/models/{words}"),
        format!("/v1/{words}"),
        format!("/sdapi/{words}"),
        format!("/object_info/{words}"),
        format!("/view?filename={words}"),
    ] {
        let answer = anna.get(&path).await;
        let kind = answer.header("content-type");
        assert!(kind == "application/json" || kind == "application/problem+json", "{path}: {kind}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        answer.json::<Value>();
    }
}

#[tokio::test]
async fn events_have_the_hostile_words_as_data_and_no_line_of_them_is_an_event() {
    let app = TestApp::start().await;
    let anna = app.browser();
    for (typed, kept) in [(HOSTILE, HOSTILE), (LINES, ONE_LINE)] {
        let job = anna.ask_for(typed).await;
        let events = anna.events(job.id).await;
        let picture = events.iter().find(|event| event.name == "picture").expect("a picture is made");
        assert_eq!(picture.data["picture"]["prompt"], kept, "{}", picture.data);
        assert_eq!(names(&events).iter().filter(|name| **name == "done").count(), 1);
    }
}

#[tokio::test]
async fn the_settings_inside_every_format_come_back_as_they_were_typed_and_nothing_else_does() {
    let app = TestApp::start().await;
    let anna = app.browser();
    for (typed, kept) in [(HOSTILE, HOSTILE), (LINES, ONE_LINE)] {
        let request = json!({ "prompt": typed, "negative_prompt": typed, "seed": 7, "steps": 3 });
        let job: JobInfo = anna.create_job(request).await.json();
        let picture = app.services.wait(job.id).await.unwrap().pictures.remove(0);
        for format in PictureFormat::ALL {
            let file = anna.get(&picture.path(format)).await;
            let text = file.text();
            let packet =
                text.split("<?xpacket begin").nth(1).and_then(|rest| rest.split("<?xpacket end").next());
            let packet = packet.unwrap_or_else(|| panic!("{format:?} says in XMP that it is generated"));
            assert!(packet.contains("trainedAlgorithmicMedia") && !packet.contains("HACKED"), "{packet}");
            let read = anna.post_text("/api/v1/metadata", format.content_type(), file.body).await;
            let ReadSettings { request, not_carried, .. } = read.json();
            assert_eq!((request.prompt.as_str(), request.negative_prompt.as_deref()), (kept, Some(kept)));
            assert_eq!((request.steps, request.seed, not_carried), (Some(3), Some(7), Vec::new()));
        }
    }
}

#[tokio::test]
async fn what_other_programs_are_answered_has_the_hostile_words_as_data() {
    let app = TestApp::start().await;
    let anna = app.browser();
    for (typed, kept) in [(HOSTILE, HOSTILE), (LINES, ONE_LINE)] {
        let request = json!({ "prompt": typed, "seed": 7, "steps": 3, "width": 64, "height": 64 });
        let made = anna.txt2img(request).await.made();
        assert_eq!(made.info["prompt"], kept);
        let told = made.info["infotexts"][0].as_str().expect("there is a text for every picture");
        let lines: Vec<_> = told.lines().collect();
        assert_eq!((lines.len(), lines[0]), (2, kept));
        assert!(lines[1].starts_with("Steps: 3, Sampler: "), "{told}");
        let image = crate::a1111::base64(&made.files[0]);
        let read: Value = anna.post_json("/sdapi/v1/png-info", &json!({ "image": image })).await.json();
        assert_eq!(
            (&read["parameters"]["Prompt"], &read["parameters"]["Steps"]),
            (&json!(kept), &json!("3"))
        );

        let (_, history) = anna.worked_off(&app, &graph(&[("6", "text", json!(typed))])).await;
        assert_eq!(history["prompt"][2]["6"]["inputs"]["text"], typed, "as it was posted");
        let image = &history["outputs"]["9"]["images"][0];
        assert_eq!(anna.view(image).await.status, StatusCode::OK);

        let request = json!({ "prompt": typed, "response_format": "b64_json" });
        let answer = anna.post_json("/v1/images/generations", &request).await;
        assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/json"));
        answer.json::<Value>();
    }
    // Programs may save under the names that they are told.
    let prefix = json!("../../<script>HACKED()</script>\r\n\u{202e}\"; rm -r ~; ");
    let (_, history) = anna.worked_off(&app, &graph(&[("9", "filename_prefix", prefix)])).await;
    let image = &history["outputs"]["9"]["images"][0];
    for name in ["filename", "subfolder"] {
        let name = image[name].as_str().expect("a name is text");
        assert!(!name.split('/').any(|part| part == ".."), "{name}");
        assert!(!name.contains(['<', '>', '"', ';', '\r', '\n', '\u{202e}']), "{name}");
    }
    assert_eq!(anna.view(image).await.status, StatusCode::OK);
}

#[tokio::test]
async fn code_to_be_copied_is_what_it_looks_like() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let request = json!({ "prompt": HOSTILE, "negative_prompt": HOSTILE, "count": 2, "seed": 7 });
    let job: JobInfo = anna.create_job(request).await.json();
    let page = anna.get(&format!("/j/{}", job.id)).await.text();
    for language in ["as-curl", "as-openai", "as-webuiapi", "as-javascript", "as-darkroom"] {
        let code =
            page.split(&format!("<code id=\"{language}\"")).nth(1).expect("there is code in every language");
        let code = code.split("</code>").next().unwrap();
        assert!(code.contains("HACKED"), "{language}: {code}");
        let turns = code.contains(|c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'));
        assert!(!turns, "{language}: {code}");
    }
}

#[tokio::test]
async fn no_figure_of_the_operators_holds_the_hostile_words() {
    let app = TestApp::start().await;
    let anna = app.browser();
    anna.paint(HOSTILE).await;
    anna.create_job(json!({ "prompt": HOSTILE, "model": HOSTILE, "steps": 9999 })).await;
    let words: String = form_urlencoded::byte_serialize(HOSTILE.as_bytes()).collect();
    anna.get(&format!("/{words}?{words}={words}")).await;
    let metrics = app.operator().get("/metrics").await;
    assert!(metrics.header("content-type").starts_with("text/plain") || metrics.text().ends_with("# EOF\n"));
    assert!(!metrics.text().contains("HACKED"), "{}", metrics.text());
    assert!(!metrics.text().contains("gnp"), "{}", metrics.text());
}
