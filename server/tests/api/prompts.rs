use serde_json::json;

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
