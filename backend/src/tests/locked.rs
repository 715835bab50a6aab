//! Another program holds the database: for a moment, and for longer than a statement waits.

use std::sync::Arc;
use std::time::Duration;

use types::error::ErrorCode;
use types::job::JobStatus;

use super::helpers::{TestServices, asking, config};
use crate::data_folder::{DataFolder, Storage};
use crate::engine::fake::FakeEngine;
use crate::jobs::worker::{Outcome, Worker};
use crate::measures::Measures;
use crate::shared::Shared;
use crate::store::Store;

/// Far more than it takes, and far less than anybody would wait.
const SOON: Duration = Duration::from_secs(30);

/// Services whose statements wait so long for another program.
async fn waiting(folder: &tempfile::TempDir, busy_timeout: Duration) -> TestServices {
    let data = DataFolder::lock(&config(folder.path()).data_dir).unwrap();
    let storage = Storage { busy_timeout, ..Storage::in_folder(data).unwrap() };
    TestServices::over(
        Shared::open_on(storage, Arc::new(FakeEngine::new()), Measures::default()).await.unwrap(),
    )
}

/// Another program on the same database.
async fn another_program(folder: &tempfile::TempDir) -> Store {
    Store::look(&config(folder.path()).data_dir.join("darkroom.sqlite3")).await.unwrap()
}

#[tokio::test]
async fn a_lock_that_is_let_go_in_time_is_waited_for_and_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut site = waiting(&folder, SOON).await;
    let lock = another_program(&folder).await.begin_writing().await.unwrap();
    let (services, alice) = (site.services.clone(), site.alice.clone());
    let asked = tokio::spawn(async move { services.create_job(&alice, asking("one")).await });
    // Reading waits for nobody, so whoever looks meanwhile sees that nothing was stored yet.
    assert!(site.services.latest_jobs(&site.alice, 5).await.unwrap().is_empty());
    assert!(!asked.is_finished());
    lock.rollback().await.unwrap();
    let job = tokio::time::timeout(SOON, asked).await.expect("it waits no longer").unwrap().unwrap();
    assert_eq!(site.run_next_job().await, Outcome::Done);
    assert_eq!(site.job(job.id).await.status, JobStatus::Done);
}

#[tokio::test]
async fn a_lock_that_is_kept_is_said_in_a_sentence_and_the_queue_goes_on_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let site = waiting(&folder, Duration::from_millis(20)).await;
    let waiting = site.ask("waiting").await;
    let lock = another_program(&folder).await.begin_writing().await.unwrap();

    let refused = site.services.create_job(&site.alice, asking("one")).await.unwrap_err().public();
    assert_eq!(refused.code, ErrorCode::StorageUnavailable);
    assert_eq!(
        refused.message,
        "the database is locked by another program and takes nothing at the moment; try again in a moment"
    );
    assert_eq!(site.job(waiting).await.status, JobStatus::Queued, "what is there can be read");
    // The worker tries by itself, again and again.
    let worker = tokio::spawn(Worker::new(site.services.shared()).run());
    assert!(site.services.cancel_job(&site.alice, waiting).await.is_err());

    lock.rollback().await.unwrap();
    let done = tokio::time::timeout(SOON, site.services.wait(waiting)).await.expect("the worker looks again");
    assert_eq!(done.unwrap().status, JobStatus::Done);
    let after = site.services.create_job(&site.alice, asking("after")).await.unwrap().id;
    let done = tokio::time::timeout(SOON, site.services.wait(after)).await.expect("the queue goes on");
    assert_eq!(done.unwrap().status, JobStatus::Done);
    site.services.shutdown().await;
    worker.await.unwrap();
}

#[tokio::test]
async fn a_picture_that_could_not_be_stored_for_a_lock_is_stored_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut site = waiting(&folder, Duration::from_millis(20)).await;
    let id = site.ask("one").await;
    let shared = site.services.shared();
    let mut claim = shared.store.claim().await.unwrap().unwrap();
    let lock = another_program(&folder).await.begin_writing().await.unwrap();
    let request = claim.generation_request().unwrap();
    let new = crate::store::NewPicture {
        index: 0,
        file: crate::files::picture_file(id, claim.attempt, 0),
        width: 128,
        height: 128,
        size_bytes: 5,
        notes: Vec::new(),
    };
    let refused = shared.store.add_picture(&mut claim, &request, &new).await.unwrap_err();
    assert_eq!(refused.public().code, ErrorCode::StorageUnavailable);
    lock.rollback().await.unwrap();
    // The same connections are good for the next one.
    assert!(shared.store.add_picture(&mut claim, &request, &new).await.unwrap().is_some());
    assert_eq!(site.job(id).await.status, JobStatus::Done);
    assert_eq!(site.run_next_job().await, Outcome::Idle);
}
