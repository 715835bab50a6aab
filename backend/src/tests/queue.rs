use std::collections::HashSet;
use std::sync::Arc;

use futures::future::join_all;
use types::error::ErrorCode;
use types::job::JobStatus;
use types::request::RawRequest;

use super::helpers::{TestServices, asking, config, free_running, gated, is_step, read_until};
use crate::engine::EngineError;
use crate::engine::fake::{Behaviour, FakeEngine};
use crate::jobs::worker::Outcome;
use crate::{Error, Services, Visitor};

#[tokio::test]
async fn a_job_waits_and_is_worked_on_and_is_done() {
    let (mut site, _folder) = free_running().await;
    let id = site.ask("a red boat").await;
    let job = site.job(id).await;
    assert_eq!((job.status, job.n_ahead, job.is_owner), (JobStatus::Queued, Some(0), true));
    assert_eq!(site.run_next_job().await, Outcome::Done);
    let job = site.job(id).await;
    assert_eq!((job.status, job.n_ahead, job.progress), (JobStatus::Done, None, None));
    assert_eq!(job.pictures.len(), 1);
    assert_eq!((job.pictures[0].seed, job.pictures[0].width), (7, 128));
    assert!(job.finished_at.unwrap() >= job.created_at);
    assert_eq!(site.run_next_job().await, Outcome::Idle);
}

#[tokio::test]
async fn jobs_are_worked_off_in_the_order_they_came() {
    let (mut site, _folder) = free_running().await;
    let (first, second, third) = (site.ask("one").await, site.ask("two").await, site.ask("three").await);
    assert_eq!(site.job(third).await.n_ahead, Some(2));
    site.run_next_job().await;
    assert_eq!(site.job(first).await.status, JobStatus::Done);
    assert_eq!((site.job(second).await.n_ahead, site.job(third).await.n_ahead), (Some(0), Some(1)));
    site.run_next_job().await;
    site.run_next_job().await;
    assert_eq!(site.history().await, ["three", "two", "one"]);
}

#[tokio::test]
async fn no_two_workers_take_the_same_job() {
    let (site, _folder) = free_running().await;
    for number in 0..5 {
        site.ask(&format!("boat {number}")).await;
    }
    let shared = site.services.shared();
    let claims = join_all((0..8).map(|_| shared.store.claim())).await;
    let taken: Vec<_> = claims.into_iter().filter_map(|claim| claim.unwrap()).collect();
    assert_eq!(taken.iter().map(|job| job.id).collect::<HashSet<_>>().len(), 5);
    assert!(taken.iter().all(|job| job.attempt == 1));
}

#[tokio::test]
async fn the_worker_works_off_what_comes() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::open(config(folder.path()), Arc::new(FakeEngine::new())).await.unwrap();
    let alice = Visitor::from_token("alice");
    for number in 0..3 {
        let job = services.create_job(&alice, asking(&format!("boat {number}"))).await.unwrap();
        assert_eq!(services.wait(job.id).await.unwrap().status, JobStatus::Done);
    }
    services.shutdown().await;
    let refused = services.create_job(&alice, asking("boat")).await.unwrap_err();
    assert_eq!(refused.public().code, ErrorCode::ShuttingDown);
}

#[tokio::test]
async fn a_job_of_several_pictures_gives_each_its_own_seed() {
    let (mut site, _folder) = free_running().await;
    let raw = RawRequest { count: Some(3), ..asking("boats") };
    let id = site.services.create_job(&site.alice, raw).await.unwrap().id;
    site.run_next_job().await;
    let pictures = site.job(id).await.pictures;
    let numbers: Vec<_> = pictures.iter().map(|picture| (picture.index, picture.seed)).collect();
    assert_eq!(numbers, [(0, 7), (1, 8), (2, 9)]);
}

#[tokio::test]
async fn a_job_that_the_engine_refuses_fails_with_its_sentence_and_the_next_one_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let broken =
        EngineError::Unusable { model: "demo".into(), reason: "file `unet/config.json` is missing".into() };
    let engine = FakeEngine::new().behaving(Behaviour::Fails(broken));
    let mut site = TestServices::open(folder.path(), engine).await;
    let (first, second) = (site.ask("one").await, site.ask("two").await);
    assert_eq!(site.run_next_job().await, Outcome::Failed);
    let job = site.job(first).await;
    assert_eq!(job.status, JobStatus::Failed);
    assert_eq!(job.error.unwrap(), "model `demo` cannot be used: file `unet/config.json` is missing");
    assert_eq!(job.error_code, Some(ErrorCode::ModelUnusable));
    assert_eq!(site.run_next_job().await, Outcome::Failed);
    assert_eq!(site.job(second).await.status, JobStatus::Failed);
}

#[tokio::test]
async fn a_fault_inside_the_engine_is_not_shown_to_visitors() {
    let folder = tempfile::tempdir().unwrap();
    let fault = EngineError::Fault { model: "demo".into(), reason: "shape mismatch at 0x7f".into() };
    let engine = FakeEngine::new().behaving(Behaviour::Fails(fault));
    let mut site = TestServices::open(folder.path(), engine).await;
    let id = site.ask("one").await;
    site.run_next_job().await;
    let error = site.job(id).await.error.unwrap();
    assert_eq!(error, "something went wrong on the server; its log has the details");
}

#[tokio::test]
async fn a_job_during_which_the_engine_panics_is_tried_three_times() {
    let folder = tempfile::tempdir().unwrap();
    let engine = FakeEngine::new().behaving(Behaviour::Panics);
    let mut site = TestServices::open(folder.path(), engine).await;
    let id = site.ask("poison").await;
    assert_eq!(site.run_next_job().await, Outcome::PutBack);
    assert_eq!(site.job(id).await.status, JobStatus::Queued);
    assert_eq!(site.run_next_job().await, Outcome::PutBack);
    assert_eq!(site.run_next_job().await, Outcome::Failed);
    let error = site.job(id).await.error.unwrap();
    assert_eq!(error, "the program stopped 3 times while it made this picture, so it is not tried again");
}

#[tokio::test]
async fn panics_are_counted_anew_after_every_picture() {
    let folder = tempfile::tempdir().unwrap();
    let engine = FakeEngine::new().behaving(Behaviour::PanicsFrom(1));
    let mut site = TestServices::open(folder.path(), engine).await;
    let raw = RawRequest { count: Some(2), ..asking("boats") };
    let id = site.services.create_job(&site.alice, raw).await.unwrap().id;
    let store = site.services.shared().store.clone();
    for _ in 0..2 {
        let claim = store.claim().await.unwrap().unwrap();
        assert!(store.put_back(&claim, true).await.unwrap());
    }
    // The first picture is made, so the panic over the second is the first of a new count.
    assert_eq!(site.run_next_job().await, Outcome::PutBack);
    assert_eq!(store.job(id).await.unwrap().unwrap().crashes, 1);
    assert_eq!(site.run_next_job().await, Outcome::PutBack);
    assert_eq!(site.run_next_job().await, Outcome::Failed);
    assert_eq!(site.job(id).await.pictures.len(), 1);
}

#[tokio::test]
async fn after_a_crash_the_pictures_that_were_made_together_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let engine = FakeEngine::new().together(2).behaving(Behaviour::PanicsFrom(2));
    let mut site = TestServices::open(folder.path(), engine).await;
    let raw = RawRequest { count: Some(3), ..asking("boats") };
    let id = site.services.create_job(&site.alice, raw).await.unwrap().id;
    assert_eq!(site.run_next_job().await, Outcome::PutBack);
    let kept = site.job(id).await.pictures;
    assert_eq!(kept.iter().map(|picture| picture.seed).collect::<Vec<_>>(), [7, 8]);
    site.run_next_job().await;
    assert_eq!(site.job(id).await.pictures, kept, "none is made twice");
}

#[tokio::test]
async fn the_time_in_the_queue_is_no_part_of_the_time_it_took() {
    let (mut site, _folder) = free_running().await;
    let (first, second) = (site.ask("one").await, site.ask("two").await);
    assert_eq!(site.job(first).await.started_at, None);
    site.run_next_job().await;
    site.run_next_job().await;
    let (first, second) = (site.job(first).await, site.job(second).await);
    assert!(second.started_at.unwrap() >= first.finished_at.unwrap());
    assert!(second.finished_at.unwrap() >= second.started_at.unwrap());
}

#[tokio::test]
async fn a_queued_job_is_cancelled_at_once_and_never_made() {
    let (mut site, _folder) = free_running().await;
    let (first, second) = (site.ask("one").await, site.ask("two").await);
    let job = site.services.cancel_job(&site.alice, first).await.unwrap();
    assert_eq!((job.status, job.pictures.len()), (JobStatus::Cancelled, 0));
    assert_eq!(site.job(second).await.n_ahead, Some(0));
    assert_eq!(site.run_next_job().await, Outcome::Done);
    assert_eq!(site.run_next_job().await, Outcome::Idle);
    assert_eq!(site.history().await, ["two"]);
}

#[tokio::test]
async fn a_running_job_is_cancelled_within_a_step_and_leaves_nothing() {
    let (site, _folder, gate) = gated().await;
    let id = site.ask("one").await;
    let mut events = site.events(id, None).await;
    let working = site.begin_next_job();
    gate.allow(2);
    read_until(&mut events, is_step(2)).await;
    let job = site.services.cancel_job(&site.alice, id).await.unwrap();
    assert_eq!(job.status, JobStatus::Cancelled);
    gate.allow(1);
    assert_eq!(working.await.unwrap(), Outcome::Cancelled);
    assert!(site.history().await.is_empty());
}

#[tokio::test]
async fn a_job_that_is_cancelled_while_its_picture_is_stored_is_discarded() {
    let (site, _folder) = free_running().await;
    let id = site.ask("one").await;
    let shared = site.services.shared();
    let mut claim = shared.store.claim().await.unwrap().unwrap();
    site.services.cancel_job(&site.alice, id).await.unwrap();
    let new = crate::store::NewPicture {
        index: 0,
        file: "a/1-0.png".into(),
        width: 128,
        height: 128,
        size_bytes: 5,
        notes: Vec::new(),
    };
    let request = claim.generation_request().unwrap();
    assert!(shared.store.add_picture(&mut claim, &request, &new).await.unwrap().is_none());
    assert!(site.history().await.is_empty());
    assert_eq!(site.job(id).await.status, JobStatus::Cancelled);
}

#[tokio::test]
async fn a_job_that_is_over_cannot_be_cancelled() {
    let (mut site, _folder) = free_running().await;
    let id = site.ask("one").await;
    site.run_next_job().await;
    let error = site.services.cancel_job(&site.alice, id).await.unwrap_err();
    assert!(matches!(error, Error::AlreadyFinal(JobStatus::Done)));
    assert_eq!(error.public().message, "the job is already done");
}

#[tokio::test]
async fn only_its_owner_cancels_a_job_that_everybody_may_look_at() {
    let (site, _folder) = free_running().await;
    let id = site.ask("one").await;
    site.services.share_job(&site.alice, id, true).await.unwrap();
    let seen = site.services.job(&site.bob, id).await.unwrap();
    assert!(!seen.is_owner);
    let error = site.services.cancel_job(&site.bob, id).await.unwrap_err();
    assert_eq!(error.public().code, ErrorCode::NotFound);
    assert_eq!(site.job(id).await.status, JobStatus::Queued);
}

#[tokio::test]
async fn the_latest_jobs_begin_with_those_that_are_not_over() {
    let (mut site, _folder) = free_running().await;
    site.ask("one").await;
    site.ask("two").await;
    site.ask("three").await;
    site.run_next_job().await;
    site.run_next_job().await;
    let prompts =
        |jobs: Vec<types::job::JobInfo>| jobs.into_iter().map(|job| job.request.prompt).collect::<Vec<_>>();
    let latest = site.services.latest_jobs(&site.alice, 10).await.unwrap();
    assert_eq!(prompts(latest), ["three", "two", "one"]);
    let latest = site.services.latest_jobs(&site.alice, 2).await.unwrap();
    assert_eq!(prompts(latest), ["three", "two"]);
    assert!(site.services.latest_jobs(&site.bob, 10).await.unwrap().is_empty());
}
