//! The program dies, or stops, and starts again.

use types::job::JobStatus;
use types::request::RawRequest;

use super::helpers::{TestServices, asking, config, free_running, gated, is_step, read_until};
use crate::access::Limits;
use crate::engine::fake::FakeEngine;
use crate::jobs::worker::Outcome;
use crate::shared::Shared;
use crate::store::{Inserted, NewJob};
use std::sync::Arc;
use std::time::Duration;
use types::event::JobEvent;
use types::job::JobId;

/// Far more than it takes, and far less than anybody would wait.
const SOON: Duration = Duration::from_secs(30);

/// Services over an engine that has begun with a job and did two of its four steps.
async fn in_the_middle(
    prompt: &str,
) -> (TestServices, tempfile::TempDir, crate::engine::fake::Gate, JobId, tokio::task::JoinHandle<Outcome>) {
    let (site, folder, gate) = gated().await;
    let id = site.ask(prompt).await;
    let mut events = site.events(id, None).await;
    let working = site.begin_next_job();
    gate.allow(2);
    read_until(&mut events, is_step(2)).await;
    (site, folder, gate, id, working)
}

/// As `kill -9` would have it: nobody puts anything in order.
async fn kill(site: TestServices, working: tokio::task::JoinHandle<Outcome>) {
    working.abort();
    assert!(working.await.unwrap_err().is_cancelled());
    drop(site);
}

#[tokio::test]
async fn a_job_that_the_program_died_over_is_made_after_the_restart_and_once() {
    let (site, folder, _gate, id, working) = in_the_middle("a red boat").await;
    kill(site, working).await;

    let mut site = TestServices::open(folder.path(), FakeEngine::new()).await;
    assert_eq!(site.job(id).await.status, JobStatus::Queued);
    assert_eq!(site.run_next_job().await, Outcome::Done);
    assert_eq!(site.run_next_job().await, Outcome::Idle);
    assert_eq!(site.job(id).await.status, JobStatus::Done);
    assert_eq!(site.history().await, ["a red boat"]);
}

#[tokio::test]
async fn pictures_that_were_stored_before_are_not_made_again() {
    let (site, folder, gate) = gated().await;
    let raw = RawRequest { count: Some(3), ..asking("boats") };
    let id = site.services.create_job(&site.alice, raw).await.unwrap().id;
    let mut events = site.events(id, None).await;
    let working = site.begin_next_job();
    gate.allow(5);
    read_until(&mut events, |event| matches!(event, JobEvent::Picture { .. })).await;
    read_until(&mut events, is_step(1)).await;
    let before = site.job(id).await.pictures;
    assert_eq!(before.len(), 1);
    kill(site, working).await;

    let mut site = TestServices::open(folder.path(), FakeEngine::new()).await;
    assert_eq!(site.run_next_job().await, Outcome::Done);
    let after = site.job(id).await.pictures;
    assert_eq!(after.iter().map(|picture| picture.index).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(after[0], before[0]);
    assert_eq!(site.history().await.len(), 3);
}

#[tokio::test]
async fn a_worker_that_comes_back_from_the_dead_changes_nothing() {
    let (site, folder, _gate, id, working) = in_the_middle("a red boat").await;
    let mut stale = site.services.shared().store.job(id).await.unwrap().unwrap();
    kill(site, working).await;

    let mut site = TestServices::open(folder.path(), FakeEngine::new()).await;
    let store = site.services.shared().store.clone();
    let new = crate::store::NewPicture {
        index: 0,
        file: "stale.png".into(),
        width: 128,
        height: 128,
        size_bytes: 5,
        notes: Vec::new(),
    };
    let request = stale.generation_request().unwrap();
    assert!(store.add_picture(&mut stale, &request, &new).await.unwrap().is_none());
    assert!(!store.fail(&stale, &crate::store::gave_up()).await.unwrap());
    assert!(!store.put_back(&stale, true).await.unwrap());
    assert_eq!(site.run_next_job().await, Outcome::Done);
    assert_eq!(site.history().await, ["a red boat"]);
}

#[tokio::test]
async fn a_job_over_which_the_program_died_three_times_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let site = TestServices::open(folder.path(), FakeEngine::new()).await;
    let id = site.ask("poison").await;
    drop(site);
    for n_crashes in 1..=3 {
        let site = TestServices::open(folder.path(), FakeEngine::new()).await;
        site.services.shared().store.claim().await.unwrap().unwrap();
        drop(site);
        let site = TestServices::open(folder.path(), FakeEngine::new()).await;
        let status = if n_crashes < 3 { JobStatus::Queued } else { JobStatus::Failed };
        assert_eq!(site.job(id).await.status, status, "after {n_crashes} crashes");
    }
    let mut site = TestServices::open(folder.path(), FakeEngine::new()).await;
    assert!(site.job(id).await.error.unwrap().starts_with("the program stopped 3 times"));
    assert_eq!(site.run_next_job().await, Outcome::Idle);
}

#[tokio::test]
async fn a_job_that_was_only_being_copied_when_the_program_died_is_painted_and_counts_as_no_crash() {
    let folder = tempfile::tempdir().unwrap();
    let site = TestServices::open(folder.path(), FakeEngine::new()).await;
    let store = site.services.shared().store.clone();
    let like = store.job(site.ask("a red boat").await).await.unwrap().unwrap();
    let request = like.generation_request().unwrap();
    let new =
        NewJob { request: &request, fingerprint: None, once: None, cached: true, limits: Limits::default() };
    let Inserted::Job(copied) = store.insert_job(&site.alice, new).await.unwrap() else {
        panic!("the job is new");
    };
    assert_eq!((copied.status.as_str(), copied.cached), ("running", true));
    drop(site);

    let mut site = TestServices::open(folder.path(), FakeEngine::new()).await;
    let row = site.services.shared().store.job(copied.job_id()).await.unwrap().unwrap();
    assert_eq!((row.status.as_str(), row.cached, row.crashes), ("queued", false, 0));
    assert_eq!(site.run_next_job().await, Outcome::Done);
    assert_eq!(site.run_next_job().await, Outcome::Done);
    assert_eq!(site.history().await.len(), 2);
}

#[tokio::test]
async fn a_job_that_gets_a_picture_further_each_time_is_not_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let site = TestServices::open(folder.path(), FakeEngine::new()).await;
    let raw = RawRequest { count: Some(8), ..asking("boats") };
    let id = site.services.create_job(&site.alice, raw).await.unwrap().id;
    drop(site);
    for index in 0..5 {
        let site = TestServices::open(folder.path(), FakeEngine::new()).await;
        let store = site.services.shared().store.clone();
        let mut claim = store.claim().await.unwrap().expect("the job is tried again");
        let file = crate::files::picture_file(id, claim.attempt, index);
        let request = claim.generation_request().unwrap();
        store
            .add_picture(
                &mut claim,
                &request,
                &crate::store::NewPicture {
                    index,
                    file,
                    width: 128,
                    height: 128,
                    size_bytes: 5,
                    notes: Vec::new(),
                },
            )
            .await
            .unwrap()
            .unwrap();
    }
    let site = TestServices::open(folder.path(), FakeEngine::new()).await;
    let row = site.services.shared().store.job(id).await.unwrap().unwrap();
    assert_eq!((row.status.as_str(), row.n_made, row.crashes), ("queued", 5, 1));
}

#[tokio::test]
async fn an_orderly_stop_puts_the_job_back_and_counts_as_no_crash() {
    let (site, folder, gate, id, working) = in_the_middle("a red boat").await;
    let mut events = site.events(id, None).await;
    let services = site.services.clone();
    let stopping = tokio::spawn(async move { services.shutdown().await });
    stopping.await.unwrap();
    // The engine is in the middle of a step, and the job is back in the queue all the same.
    let outcome = tokio::time::timeout(SOON, working).await.expect("nobody waits for the engine");
    assert_eq!(outcome.unwrap(), Outcome::PutBack);
    gate.open();
    while let Some(event) = futures::StreamExt::next(&mut events).await {
        assert!(!event.event.is_final(), "the job is not over");
    }
    drop(site);

    let mut site = TestServices::open(folder.path(), FakeEngine::new()).await;
    let row = site.services.shared().store.job(id).await.unwrap().unwrap();
    assert_eq!((row.status.as_str(), row.attempt, row.crashes), ("queued", 1, 0));
    assert_eq!(site.run_next_job().await, Outcome::Done);
}

#[tokio::test]
async fn events_go_on_after_the_restart_with_larger_numbers() {
    let (site, folder, _gate, id, working) = in_the_middle("a red boat").await;
    let mut events = site.events(id, None).await;
    let last = read_until(&mut events, is_step(2)).await.pop().unwrap().number;
    kill(site, working).await;

    let mut site = TestServices::open(folder.path(), FakeEngine::new()).await;
    let mut events = site.events(id, Some(last)).await;
    site.run_next_job().await;
    let events = read_until(&mut events, JobEvent::is_final).await;
    assert!(matches!(events[0].event, JobEvent::Queued { n_ahead: 0, .. }));
    assert!(events[0].number > last);
    assert!(events.is_sorted_by(|a, b| a.number < b.number), "{events:?}");
    assert_eq!(events.iter().filter(|event| matches!(event.event, JobEvent::Picture { .. })).count(), 1);
}

#[tokio::test]
async fn files_that_were_written_just_before_the_end_are_swept() {
    let (site, folder, _gate, id, working) = in_the_middle("a red boat").await;
    for file in ["1-0.png", "1-0.thumbnail.jpg"] {
        site.services.shared().files.create(&format!("{id}/{file}"), b"bytes".to_vec()).await.unwrap();
    }
    let half = config(folder.path()).data_dir.join(format!("pictures/{id}/1-1.png#1"));
    std::fs::write(&half, b"by").unwrap();
    kill(site, working).await;

    let mut site = TestServices::open(folder.path(), FakeEngine::new()).await;
    site.run_next_job().await;
    let shared = site.services.shared();
    assert_eq!(shared.files.sweep(&shared.store).await.unwrap(), 3);
    assert!(!half.exists());
    assert_eq!(shared.files.sweep(&shared.store).await.unwrap(), 0);
    let query = types::history::HistoryQuery::default();
    let kept = site.services.history(&site.alice, query).await.unwrap().pictures.remove(0);
    assert!(
        site.services.picture_file(&site.alice, kept.id, types::picture::PictureFormat::Png).await.is_ok()
    );
    assert!(site.services.thumbnail(&site.alice, kept.id).await.is_ok());
}

#[tokio::test]
async fn the_files_of_a_job_that_is_being_worked_on_are_not_swept() {
    let (site, folder) = free_running().await;
    let id = site.ask("a red boat").await;
    let shared = site.services.shared();
    shared.store.claim().await.unwrap().unwrap();
    shared.files.create(&format!("{id}/1-0.png"), b"bytes".to_vec()).await.unwrap();
    let half = config(folder.path()).data_dir.join(format!("pictures/{id}/1-1.png#1"));
    std::fs::write(&half, b"by").unwrap();
    assert_eq!(shared.files.sweep(&shared.store).await.unwrap(), 0);
    assert!(half.exists() && shared.files.read(&format!("{id}/1-0.png")).await.is_ok());
}

#[tokio::test]
async fn a_lost_database_costs_no_picture() {
    let folder = tempfile::tempdir().unwrap();
    let mut site = TestServices::open(folder.path(), FakeEngine::new()).await;
    let id = site.ask("a red boat").await;
    site.run_next_job().await;
    drop(site);
    let data = config(folder.path()).data_dir;
    for entry in std::fs::read_dir(&data).unwrap().flatten() {
        if entry.file_name().to_string_lossy().starts_with("darkroom.sqlite3") {
            std::fs::remove_file(entry.path()).unwrap();
        }
    }
    let notes = data.join("pictures/notes.txt");
    std::fs::write(&notes, "somebody's own").unwrap();

    let site = TestServices::open(folder.path(), FakeEngine::new()).await;
    let shared = site.services.shared();
    assert!(site.history().await.is_empty(), "the database is a new one");
    assert_eq!(shared.files.sweep(&shared.store).await.unwrap(), 0);
    for file in ["1-0.png", "1-0.thumbnail.jpg"] {
        assert!(shared.files.read(&format!("{id}/{file}")).await.is_ok(), "{file}");
    }
    assert!(notes.exists());
}

#[tokio::test]
async fn two_programs_do_not_share_a_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let _first = TestServices::open(folder.path(), FakeEngine::new()).await;
    let second = Shared::open(&config(folder.path()), Arc::new(FakeEngine::new())).await;
    let error = second.err().unwrap().to_string();
    assert!(error.contains("is in use by another darkroom"), "{error}");
}
