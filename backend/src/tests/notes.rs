//! What is to be said of how a job's pictures were made.

use futures::StreamExt;
use types::event::{JobEvent, NumberedEvent};
use types::note::Note;
use types::request::RawRequest;

use super::helpers::{TestServices, asking, free_running};
use crate::engine::fake::FakeEngine;

/// Services over an engine that decodes every picture in f32.
async fn noting() -> (TestServices, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let engine = FakeEngine::new().noting(vec![Note::DecodedInF32]);
    (TestServices::open(folder.path(), engine).await, folder)
}

/// The notes and the pictures, as they came.
fn notes_and_pictures(events: &[NumberedEvent]) -> Vec<&'static str> {
    let names = events.iter().map(|event| event.event.name());
    names.filter(|name| ["note", "picture"].contains(name)).collect()
}

#[tokio::test]
async fn a_note_is_told_once_before_its_first_picture_and_kept_with_the_job() {
    let (mut site, folder) = noting().await;
    let raw = RawRequest { count: Some(2), ..asking("boats") };
    let id = site.services.create_job(&site.alice, raw).await.unwrap().id;
    let events = site.events(id, None).await;
    site.run_next_job().await;
    let live: Vec<_> = events.collect().await;
    assert_eq!(notes_and_pictures(&live), ["note", "picture", "picture"]);
    assert!(live.is_sorted_by(|a, b| a.number < b.number), "{live:?}");
    assert_eq!(site.job(id).await.notes, [Note::DecodedInF32]);

    // Another program, which knows nothing but the database.
    drop(site);
    let site = TestServices::open(folder.path(), FakeEngine::new()).await;
    assert_eq!(site.job(id).await.notes, [Note::DecodedInF32]);
    let later: Vec<_> = site.events(id, None).await.collect().await;
    assert_eq!(notes_and_pictures(&later), ["note", "picture", "picture"]);
    assert!(later.iter().all(|event| live.contains(event)), "the numbers are the same: {later:?}");
}

#[tokio::test]
async fn a_note_that_an_attempt_before_has_told_is_not_told_again() {
    let (mut site, folder) = noting().await;
    let raw = RawRequest { count: Some(2), ..asking("boats") };
    let id = site.services.create_job(&site.alice, raw).await.unwrap().id;
    let store = site.services.shared().store.clone();
    let mut claim = store.claim().await.unwrap().unwrap();
    let request = claim.generation_request().unwrap();
    let (file, notes) = (crate::files::picture_file(id, claim.attempt, 0), vec![Note::DecodedInF32]);
    let new = crate::store::NewPicture { index: 0, file, width: 128, height: 128, size_bytes: 5, notes };
    store.add_picture(&mut claim, &request, &new).await.unwrap().unwrap();
    assert!(store.put_back(&claim, false).await.unwrap());

    let events = site.events(id, None).await;
    site.run_next_job().await;
    let events: Vec<_> = events.collect().await;
    assert_eq!(notes_and_pictures(&events), ["note", "picture", "picture"]);
    assert_eq!(site.job(id).await.notes, [Note::DecodedInF32]);
    drop(folder);
}

#[tokio::test]
async fn a_job_of_which_nothing_is_to_be_said_has_no_note() {
    let (mut site, _folder) = free_running().await;
    let id = site.ask("a red boat").await;
    site.run_next_job().await;
    let job = site.job(id).await;
    assert!(job.notes.is_empty());
    assert!(!serde_json::to_string(&job).unwrap().contains("notes"));
    let events: Vec<_> = site.events(id, None).await.collect().await;
    assert!(events.iter().all(|event| !matches!(event.event, JobEvent::Note { .. })), "{events:?}");
}
