use backend::Visitor;
use backend::engine::fake::{Behaviour, FakeEngine};
use serde_json::{Value, json};
use types::job::{JobInfo, JobStatus};

use super::{EDITS, GENERATIONS, complaint, file, in_one_line, pixels};
use crate::helpers::{Browser, Multipart, TestApp};
use crate::sse::{Event, EventReader, names};
use crate::uploads::teal;

impl Browser {
    async fn open_generation(&self, request: Value) -> EventReader {
        self.post_for_events(GENERATIONS, "application/json", request.to_string()).await
    }
}

#[tokio::test]
async fn partial_images_come_while_the_picture_is_made_and_then_the_picture() {
    let (app, gate) = TestApp::gated().await;
    let request = json!({ "prompt": "a red boat", "seed": 7, "stream": true, "partial_images": 3, "quality": "low", "steps": 4 });
    let mut events = app.browser().open_generation(request).await;
    gate.allow(1);
    let first = events.next().await.expect("a step shows a preview");
    gate.open();
    let rest = events.rest().await;
    let (completed, partials) = rest.split_last().expect("the picture is made");
    let partials: Vec<&Event> = [&first].into_iter().chain(partials).collect();
    assert!(partials.len() <= 3);
    let mut looks = Vec::new();
    for (index, event) in partials.into_iter().enumerate() {
        assert_eq!(
            (&*event.name, &event.data["type"]),
            ("image_generation.partial_image", &json!(event.name))
        );
        assert_eq!(event.data["partial_image_index"], index);
        assert_eq!(event.data["usage"], Value::Null, "it is of finished pictures alone");
        looks.push(pixels(&file(&event.data)));
    }
    assert_eq!(completed.data["type"], "image_generation.completed");
    looks.push(pixels(&file(&completed.data)));
    assert!(looks.iter().all(|look| look.dimensions() == (128, 128)), "previews are enlarged");
    assert!(looks.windows(2).all(|pair| pair[0] != pair[1]), "each look is another one");
    let mut facts = completed.data.clone();
    assert!(facts["created_at"].as_i64().unwrap() > 1_700_000_000);
    facts["created_at"] = Value::Null;
    facts["b64_json"] = Value::Null;
    assert_eq!(
        facts,
        json!({
            "type": "image_generation.completed", "b64_json": null, "created_at": null, "size": "128x128",
            "quality": "low", "background": "opaque", "output_format": "png",
            "usage": {
                "input_tokens": 3, "input_tokens_details": { "image_tokens": 0, "text_tokens": 3 },
                "output_tokens": 256, "output_tokens_details": { "image_tokens": 256, "text_tokens": 0 },
                "total_tokens": 259,
            },
        })
    );
}

#[tokio::test]
async fn no_partial_image_comes_where_none_is_asked_for_and_every_picture_is_told() {
    let app = TestApp::start().await;
    let request = json!({ "prompt": "boats", "n": 2, "stream": true, "output_format": "jpeg" });
    let events = app.browser().open_generation(request).await.rest().await;
    assert_eq!(names(&events), ["image_generation.completed", "image_generation.completed"]);
    let files = [file(&events[0].data), file(&events[1].data)];
    assert!(files.iter().all(|file| image::guess_format(file).unwrap() == image::ImageFormat::Jpeg));
    assert_ne!(files[0], files[1]);
}

#[tokio::test]
async fn an_edit_is_told_by_its_own_events() {
    let (app, gate) = TestApp::gated().await;
    let form = Multipart::new()
        .field("prompt", "a boat")
        .field("stream", "true")
        .field("partial_images", "1")
        .field("strength", "1")
        .field("output_format", "webp")
        .file("image", "boat.png", &teal(96, 64));
    let kind = Multipart::content_type();
    let mut events = app.browser().post_for_events(EDITS, &kind, form.into_body()).await;
    gate.allow(2);
    let partial = events.next().await;
    gate.open();
    let events: Vec<Event> = partial.into_iter().chain(events.rest().await).collect();
    assert_eq!(names(&events), ["image_edit.partial_image", "image_edit.completed"]);
    for event in &events {
        let file = file(&event.data);
        assert_eq!(image::guess_format(&file).unwrap(), image::ImageFormat::WebP);
        assert_eq!((pixels(&file).dimensions(), &event.data["size"]), ((96, 64), &json!("96x64")));
    }
}

#[tokio::test]
async fn what_is_wrong_beforehand_is_an_answer_and_no_stream() {
    let app = TestApp::start().await;
    let answer = app.browser().generations(json!({ "prompt": "boat", "stream": true, "n": 9 })).await;
    insta::assert_snapshot!(
        complaint(&answer),
        @"400 invalid_request_error n invalid_value: n 9 is out of range; allowed are 1 to 8"
    );
}

#[tokio::test]
async fn what_goes_wrong_later_is_the_last_event() {
    let app = TestApp::with_engine(FakeEngine::new().behaving(Behaviour::PanicsFrom(1))).await;
    let request = json!({ "prompt": "boats", "n": 2, "stream": true });
    let events = app.browser().open_generation(request).await.rest().await;
    assert_eq!(names(&events), ["image_generation.completed", "error"]);
    assert_eq!(events[1].data["type"], "error");
    insta::assert_snapshot!(
        in_one_line(&events[1].data["error"]),
        @"server_error - internal: the job made no picture: the program stopped 3 times while it made this picture, so it is not tried again"
    );
}

#[tokio::test]
async fn a_job_that_its_owner_cancels_ends_the_stream_with_an_error() {
    let (app, gate) = TestApp::gated().await;
    let anna = app.browser();
    anna.get("/").await;
    let events = anna.open_generation(json!({ "prompt": "a boat", "stream": true })).await;
    app.services.cancel_job(&anna.visitor(), latest(&app, &anna.visitor()).await.id).await.unwrap();
    drop(gate);
    let events = events.rest().await;
    assert_eq!(names(&events), ["error"]);
    insta::assert_snapshot!(
        in_one_line(&events[0].data["error"]),
        @"invalid_request_error - conflict: the job was cancelled"
    );
}

#[tokio::test]
async fn a_server_that_stops_ends_the_stream_with_an_error() {
    let (app, gate) = TestApp::gated().await;
    let events = app.browser().open_generation(json!({ "prompt": "a boat", "stream": true })).await;
    app.services.shutdown().await;
    drop(gate);
    let events = events.rest().await;
    insta::assert_snapshot!(
        in_one_line(&events.last().expect("the stream says why it ends").data["error"]),
        @"server_error - shutting_down: the server is stopping; try again in a moment"
    );
}

#[tokio::test]
async fn a_caller_who_leaves_the_stream_cancels_the_job() {
    let (app, gate) = TestApp::gated().await;
    let anna = app.browser();
    anna.get("/").await;
    let events = anna.open_generation(json!({ "prompt": "a boat", "stream": true })).await;
    let job = latest(&app, &anna.visitor()).await;
    drop(events);
    let job = app.services.wait(job.id).await.unwrap();
    assert_eq!(job.status, JobStatus::Cancelled);
    drop(gate);
}

async fn latest(app: &TestApp, visitor: &Visitor) -> JobInfo {
    app.services.latest_jobs(visitor, 1).await.unwrap().pop().expect("a job was asked for")
}
