use backend::engine::fake::FakeEngine;
use serde_json::json;
use types::job::JobInfo;

use crate::helpers::TestApp;
use crate::sse::names;

#[tokio::test]
async fn a_prompt_comes_in_pieces_and_ends_with_its_seed() {
    let app = TestApp::start().await;
    let stream = app.browser().open_events("/api/v1/prompts/stream?start=a%20red&seed=7", &[]).await;
    let events = stream.rest().await;
    let names = names(&events);
    assert_eq!(names.last(), Some(&"done"));
    assert!(names[..names.len() - 1].iter().all(|name| *name == "text") && names.len() > 3, "{names:?}");
    assert!(events[0].data["text"].as_str().is_some_and(|text| text.starts_with(' ')), "{events:?}");
    assert_eq!(events.last().expect("there is an end").data, json!({ "seed": 7 }));
}

#[tokio::test]
async fn a_seed_is_chosen_when_none_is_given_and_writes_the_same_again() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let first = anna.open_events("/api/v1/prompts/stream", &[]).await.rest().await;
    let seed = first.last().expect("there is an end").data["seed"].as_u64().expect("the seed is told");
    let second = anna.open_events(&format!("/api/v1/prompts/stream?seed={seed}"), &[]).await.rest().await;
    assert_eq!(first, second);
}

#[tokio::test]
async fn whole_prompts_are_written_from_one_beginning() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let answer =
        anna.post_json("/api/v1/prompts", &json!({ "start": "a very", "seed": 0, "count": 2 })).await;
    assert_eq!(
        answer.json::<serde_json::Value>(),
        json!({ "prompts": [
            { "prompt": "a very red boat calm sea evening sky", "seed": 0 },
            { "prompt": "a very boat calm sea evening sky red", "seed": 1 },
        ]})
    );
    let one: serde_json::Value = anna.post_json("/api/v1/prompts", &json!({})).await.json();
    let (written, seed) = (&one["prompts"][0]["prompt"], &one["prompts"][0]["seed"]);
    assert_eq!(one["prompts"].as_array().map(Vec::len), Some(1));
    let again = anna.post_json("/api/v1/prompts", &json!({ "seed": seed })).await;
    assert_eq!(&again.json::<serde_json::Value>()["prompts"][0]["prompt"], written);
}

#[tokio::test]
async fn what_cannot_be_written_is_refused() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let complaint =
        async |asked: serde_json::Value| anna.post_json("/api/v1/prompts", &asked).await.complaint();
    insta::assert_snapshot!(
        complaint(json!({ "count": 9 })).await,
        @"422 invalid_field (count): count 9 is out of range; allowed are 1 to 8"
    );
    insta::assert_snapshot!(
        complaint(json!({ "seed": 9_007_199_254_740_992_u64 })).await,
        @"422 invalid_field (seed): seed 9007199254740992 is out of range; allowed are 0 to 9007199254740991"
    );
    insta::assert_snapshot!(
        complaint(json!({ "start": "a\u{7}b" })).await,
        @"422 invalid_field (start): the start has the control character U+0007 at position 2; only text is allowed"
    );
    insta::assert_snapshot!(
        complaint(json!({ "prompt": "a" })).await,
        @"400 invalid_request: the body cannot be used: there is no field `prompt`; known are `start`, `seed`, `count`"
    );
}

#[tokio::test]
async fn a_prompt_is_extended_before_it_is_painted() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let job = async |asked: serde_json::Value| {
        let answer = anna.create_job(asked).await;
        assert_eq!(answer.status.as_u16(), 202, "{}", answer.text());
        answer.json::<JobInfo>().request
    };
    let request = job(json!({ "prompt": "a very", "extend": true, "seed": 6 })).await;
    assert_eq!(request.prompt, "a very red boat calm sea evening sky");
    assert_eq!((request.asked_prompt.as_deref(), request.seed), (Some("a very"), 6));

    let asked = json!({ "prompt": "a {very|rather} __colour__", "extend": true, "styles": ["Watercolour"] });
    let request = job(asked).await;
    let seed = request.seed;
    let plain = job(json!({ "prompt": "a {very|rather} __colour__", "seed": seed })).await;
    let written: serde_json::Value =
        anna.post_json("/api/v1/prompts", &json!({ "start": plain.prompt, "seed": seed })).await.json();
    assert_eq!(
        written["prompts"][0]["prompt"], request.prompt,
        "the seed that was chosen names all the words"
    );

    // Whole words alone, as many as a prompt has room for.
    let long = format!("{} end", "x".repeat(1_980));
    let request = job(json!({ "prompt": long, "extend": true, "seed": 6 })).await;
    assert_eq!(request.prompt, format!("{long} red boat calm"));

    let fields = [("prompt", "a very"), ("extend", "true"), ("seed", "6")];
    let answer = anna.post_form("/", &fields).await;
    let id = answer.header("location").strip_prefix("/j/").expect("it leads to the job").parse().unwrap();
    assert_eq!(anna.job(id).await.json::<JobInfo>().request.prompt, "a very red boat calm sea evening sky");
}

#[tokio::test]
async fn nothing_is_written_for_a_request_that_is_refused_anyway() {
    let (app, gate) = TestApp::gated().await;
    let anna = app.browser();
    insta::assert_snapshot!(
        anna.create_job(json!({ "prompt": "a boat", "extend": true, "steps": 0 })).await.complaint(),
        @"422 invalid_field (steps): steps 0 is out of range; allowed are 1 to 150"
    );
    drop(gate);
}

#[tokio::test]
async fn without_a_model_that_writes_nothing_is_extended() {
    let app = TestApp::with_engine(FakeEngine::new().without_writers()).await;
    insta::assert_snapshot!(
        app.browser().create_job(json!({ "prompt": "a boat", "extend": true })).await.complaint(),
        @"422 invalid_field (extend): no model that writes prompts is installed; leave `extend` out"
    );
}

#[tokio::test]
async fn a_beginning_or_a_seed_that_is_not_allowed_is_refused() {
    let app = TestApp::start().await;
    let anna = app.browser();
    insta::assert_snapshot!(
        anna.get("/api/v1/prompts/stream?start=%07").await.complaint(),
        @"422 invalid_field (start): the start has the control character U+0007 at position 1; only text is allowed"
    );
    insta::assert_snapshot!(
        anna.get("/api/v1/prompts/stream?seed=-1").await.complaint(),
        @"400 invalid_request (seed): `seed` cannot be used: expected a whole number from 0 on"
    );
}
