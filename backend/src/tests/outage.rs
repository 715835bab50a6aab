//! The database takes nothing for a while, as on a full disk, and then does again.

use std::sync::Arc;
use std::time::Duration;

use types::job::JobStatus;

use super::helpers::{TestServices, asking, config, free_running};
use crate::engine::fake::{Behaviour, FakeEngine};
use crate::jobs::worker::Outcome;
use crate::{Services, Visitor};

/// Far more than the pauses between the worker's tries, and far less than anybody would wait.
const SOON: Duration = Duration::from_mins(1);

#[tokio::test]
async fn the_queue_goes_on_after_an_outage_without_a_new_job() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::open(config(folder.path()), Arc::new(FakeEngine::new())).await.unwrap();
    let store = services.shared().store.clone();
    let alice = Visitor::from_token("alice");
    store.refuse_results(true).await;
    let first = services.create_job(&alice, asking("one")).await.unwrap().id;
    let second = services.create_job(&alice, asking("two")).await.unwrap().id;
    // Once when the first job fails, and once when that is to be written down before anything else.
    while store.n_refused().await < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(services.job(&alice, second).await.unwrap().status, JobStatus::Queued);

    store.refuse_results(false).await;
    let done =
        tokio::time::timeout(SOON, services.wait(second)).await.expect("the worker looks again by itself");
    assert_eq!(done.unwrap().status, JobStatus::Done);
    assert_eq!(services.job(&alice, first).await.unwrap().status, JobStatus::Failed);
    services.shutdown().await;
}

#[tokio::test]
async fn a_job_that_could_not_be_put_back_is_put_back_after_the_outage() {
    let folder = tempfile::tempdir().unwrap();
    let engine = FakeEngine::new().behaving(Behaviour::Panics);
    let mut site = TestServices::open(folder.path(), engine).await;
    let store = site.services.shared().store.clone();
    let id = site.ask("one").await;
    store.refuse_results(true).await;
    assert_eq!(site.run_next_job().await, Outcome::PutBack);
    assert_eq!(site.job(id).await.status, JobStatus::Running, "nobody could write that it waits");
    assert!(site.worker.run_next_job().await.is_err());

    store.refuse_results(false).await;
    assert_eq!(site.run_next_job().await, Outcome::PutBack);
    let row = store.job(id).await.unwrap().unwrap();
    assert_eq!((row.status.as_str(), row.attempt, row.crashes), ("queued", 2, 2));
    assert_eq!(site.run_next_job().await, Outcome::Failed);
}

#[tokio::test]
async fn a_job_that_is_cancelled_during_an_outage_stays_cancelled() {
    let (mut site, _folder) = free_running().await;
    let store = site.services.shared().store.clone();
    let id = site.ask("one").await;
    store.refuse_results(true).await;
    assert_eq!(site.run_next_job().await, Outcome::Failed);
    store.refuse_results(false).await;
    site.services.cancel_job(&site.alice, id).await.unwrap();
    assert_eq!(site.run_next_job().await, Outcome::Idle);
    assert_eq!(site.job(id).await.status, JobStatus::Cancelled);
}
