//! What whoever operates the site is told of it.

use std::sync::Arc;

use types::error::ErrorCode;
use types::request::RawRequest;

use super::helpers::{TestServices, asking, config, free_running, gated, is_step, read_until};
use crate::engine::EngineError;
use crate::engine::fake::{Behaviour, FakeEngine};
use crate::jobs::worker::Outcome;
use crate::store::MAX_CRASHES;
use crate::{Asked, Check, Config, Services, samples};

/// The lines of the metrics that begin so, with their values.
async fn told(services: &Services, beginning: &str) -> Vec<String> {
    let text = services.metrics().await;
    text.lines().filter(|line| line.starts_with(beginning)).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_job_is_counted_from_its_place_in_the_queue_to_its_pictures() {
    let (mut site, _folder) = free_running().await;
    let request = RawRequest { count: Some(2), ..asking("a red boat") };
    site.services.create_job(&site.alice, request).await.unwrap();
    site.ask("a blue boat").await;
    assert_eq!(told(&site.services, "darkroom_queued_jobs").await, ["darkroom_queued_jobs 2"]);
    let age = told(&site.services, "darkroom_oldest_queued_job_age_seconds ").await;
    assert!(age[0].rsplit(' ').next().unwrap().parse::<f64>().unwrap() >= 0.0, "{age:?}");

    assert_eq!(site.run_next_job().await, Outcome::Done);
    let of = "{model=\"demo\",size=\"256x256\"}";
    for line in [
        "darkroom_queued_jobs 1".to_owned(),
        "darkroom_running_jobs 0".to_owned(),
        "darkroom_jobs_total{outcome=\"done\",code=\"\"} 1".to_owned(),
        format!("darkroom_pictures_total{of} 2"),
        format!("darkroom_job_wait_seconds_count{of} 1"),
        format!("darkroom_job_seconds_count{of} 1"),
        // Four steps each, of which the first is not timed: the reading of the prompt is in it.
        format!("darkroom_step_seconds_count{of} 6"),
        format!("darkroom_decode_seconds_count{of} 2"),
    ] {
        let name = line.split([' ', '{']).next().unwrap();
        let told = told(&site.services, name).await;
        assert!(told.contains(&line), "{line} in {told:?}");
    }
}

#[tokio::test]
async fn every_job_ends_once_however_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let fault = EngineError::Unusable { model: "demo".into(), reason: "it has no VAE".into() };
    let engine = FakeEngine::new().behaving(Behaviour::Fails(fault));
    let mut site = TestServices::open(folder.path(), engine).await;
    site.ask("one that fails").await;
    let cancelled = site.ask("one that is cancelled").await;
    site.services.cancel_job(&site.alice, cancelled).await.unwrap();
    assert_eq!(site.run_next_job().await, Outcome::Failed);
    assert_eq!(site.run_next_job().await, Outcome::Idle);
    let mut ends = told(&site.services, "darkroom_jobs_total").await;
    ends.sort();
    assert_eq!(
        ends,
        [
            "darkroom_jobs_total{outcome=\"cancelled\",code=\"\"} 1",
            "darkroom_jobs_total{outcome=\"failed\",code=\"model_unusable\"} 1",
        ]
    );
}

#[tokio::test]
async fn a_failure_that_cannot_be_written_down_at_once_is_counted_when_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let fault = EngineError::Fault { model: "demo".into(), reason: "no numbers".into() };
    let mut site =
        TestServices::open(folder.path(), FakeEngine::new().behaving(Behaviour::Fails(fault))).await;
    let store = site.services.shared().store.clone();
    site.ask("one").await;
    store.refuse_results(true).await;
    assert_eq!(site.run_next_job().await, Outcome::Failed);
    assert_eq!(told(&site.services, "darkroom_jobs_total").await, [""; 0]);
    store.refuse_results(false).await;
    assert_eq!(site.run_next_job().await, Outcome::Idle);
    let failed = "darkroom_jobs_total{outcome=\"failed\",code=\"internal\"} 1";
    assert_eq!(told(&site.services, "darkroom_jobs_total").await, [failed]);
}

#[tokio::test]
async fn a_job_that_is_given_up_at_the_start_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let open = async || TestServices::open(folder.path(), FakeEngine::new()).await;
    open().await.ask("one").await;
    for _ in 0..MAX_CRASHES {
        let dying = open().await;
        assert_eq!(told(&dying.services, "darkroom_jobs_total").await, [""; 0]);
        assert!(dying.services.shared().store.claim().await.unwrap().is_some());
    }
    let site = open().await;
    let failed = "darkroom_jobs_total{outcome=\"failed\",code=\"internal\"} 1";
    assert_eq!(told(&site.services, "darkroom_jobs_total").await, [failed]);
}

#[tokio::test]
async fn pictures_that_were_made_before_are_counted_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { cache: true, ..config(folder.path()) };
    let services = Services::open(config, Arc::new(FakeEngine::new())).await.unwrap();
    let alice = crate::Visitor::from_token("alice");
    for _ in 0..2 {
        let job = services.create_job(&alice, asking("a red boat")).await.unwrap();
        services.wait(job.id).await.unwrap();
    }
    let mut ends = told(&services, "darkroom_jobs_total").await;
    ends.sort();
    assert_eq!(
        ends,
        [
            "darkroom_jobs_total{outcome=\"cached\",code=\"\"} 1",
            "darkroom_jobs_total{outcome=\"done\",code=\"\"} 1"
        ]
    );
    assert_eq!(told(&services, "darkroom_pictures_total").await.len(), 1);
    services.shutdown().await;
}

#[tokio::test]
async fn the_operator_sees_everybodys_jobs_and_prompts_only_when_asked_for() {
    let (site, _folder, gate) = gated().await;
    let running = site.ask("a red boat").await;
    site.services.create_job(&site.bob, asking("a blue boat")).await.unwrap();
    let mut events = site.events(running, None).await;
    let work = site.begin_next_job();
    gate.allow(2);
    read_until(&mut events, is_step(2)).await;

    let snapshot = site.services.operator_snapshot(false).await;
    let jobs = snapshot.jobs.unwrap();
    let made = &jobs.running[0];
    assert_eq!((made.job.id, made.progress.unwrap().step), (running, 2));
    assert_eq!(made.job.owner, &site.alice.owner_id()[..8]);
    let asked = Asked { model: "demo".into(), width: 128, height: 128, n_steps: 4, count: 1, prompt: None };
    assert_eq!(made.job.asked, Some(asked));
    assert_eq!((jobs.n_queued, jobs.queued[0].n_ahead), (1, 1));
    assert_eq!(jobs.queued[0].job.owner, &site.bob.owner_id()[..8]);

    let jobs = site.services.operator_snapshot(true).await.jobs.unwrap();
    let prompt = |asked: &Option<Asked>| asked.as_ref().unwrap().prompt.clone();
    assert_eq!(prompt(&jobs.running[0].job.asked).as_deref(), Some("a red boat"));
    assert_eq!(prompt(&jobs.queued[0].job.asked).as_deref(), Some("a blue boat"));
    gate.open();
    assert_eq!(work.await.unwrap(), Outcome::Done);
}

#[tokio::test]
async fn a_failure_is_shown_with_its_sentence_and_the_newest_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    let fault = EngineError::Unusable { model: "demo".into(), reason: "it has no VAE".into() };
    let mut site =
        TestServices::open(folder.path(), FakeEngine::new().behaving(Behaviour::Fails(fault))).await;
    let (first, second) = (site.ask("one").await, site.ask("two").await);
    for _ in 0..2 {
        assert_eq!(site.run_next_job().await, Outcome::Failed);
    }
    let failures = site.services.operator_snapshot(false).await.jobs.unwrap().failures;
    assert_eq!(failures.iter().map(|failed| failed.job.id).collect::<Vec<_>>(), [second, first]);
    assert_eq!(failures[0].sentence, "model `demo` cannot be used: it has no VAE");
    assert_eq!(failures[0].code, Some(ErrorCode::ModelUnusable));
    assert!(failures[0].failed_at.is_some());
}

#[tokio::test]
async fn the_job_that_failed_last_comes_first_whenever_it_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let fault = EngineError::Unusable { model: "demo".into(), reason: "it has no VAE".into() };
    let mut site =
        TestServices::open(folder.path(), FakeEngine::new().behaving(Behaviour::Fails(fault))).await;
    let (first, third) = (site.ask("one").await, site.ask("three").await);
    let second = site.services.create_job(&site.bob, asking("two")).await.unwrap().id;
    for _ in 0..3 {
        assert_eq!(site.run_next_job().await, Outcome::Failed);
    }
    let failures = site.services.operator_snapshot(false).await.jobs.unwrap().failures;
    let ids: Vec<_> = failures.iter().map(|failed| failed.job.id).collect();
    assert_eq!(ids, [third, second, first], "Bob's first came before Alice's second");
}

#[tokio::test]
async fn the_last_hour_is_made_of_samples() {
    let (mut site, _folder) = free_running().await;
    let shared = site.services.shared();
    site.ask("a red boat").await;
    samples::take(&shared).await;
    assert_eq!(site.run_next_job().await, Outcome::Done);
    samples::take(&shared).await;
    let hour = site.services.operator_snapshot(false).await.last_hour;
    let seen: Vec<_> = hour.iter().map(|sample| (sample.n_queued, sample.n_pictures)).collect();
    assert_eq!(seen, [(Some(1), 0), (Some(0), 1)]);
    assert!(hour[0].step_ms.is_none() && hour[1].step_ms.is_some(), "{hour:?}");
    assert!(hour.iter().all(|sample| sample.memory_bytes.is_some_and(|n_bytes| n_bytes > 0)), "{hour:?}");
}

#[tokio::test]
async fn services_that_work_are_ready_and_those_that_stop_say_why_not() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::open(config(folder.path()), Arc::new(FakeEngine::new())).await.unwrap();
    let readiness = services.readiness().await;
    assert!(readiness.is_ready(), "{readiness:?}");
    let names: Vec<_> = readiness.checks.iter().map(|check| check.name).collect();
    assert_eq!(names, ["program", "database", "worker", "data_folder", "blocked_words"]);
    services.shutdown().await;
    let readiness = services.readiness().await;
    let stopping = Check { name: "program", problem: Some("the program is stopping".to_owned()) };
    assert_eq!(readiness.checks[0], stopping);
    assert!(!readiness.is_ready());
}

#[tokio::test]
async fn services_without_a_worker_are_not_ready() {
    let (site, _folder) = free_running().await;
    let readiness = site.services.readiness().await;
    let problems: Vec<_> = readiness.checks.into_iter().filter(|check| check.problem.is_some()).collect();
    let nobody = "nobody works off the queue any more".to_owned();
    assert_eq!(problems, [Check { name: "worker", problem: Some(nobody) }]);
}

#[tokio::test]
async fn a_data_folder_that_takes_nothing_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let services = Services::open(config(folder.path()), Arc::new(FakeEngine::new())).await.unwrap();
    // A folder in the place of the file that is written: root may write wherever it is forbidden.
    std::fs::create_dir(folder.path().join("data/darkroom.probe")).unwrap();
    let readiness = services.readiness().await;
    let problem = readiness.checks[3].problem.clone().unwrap();
    assert!(problem.starts_with("nothing can be written into the data folder: "), "{problem}");
    assert!(services.metrics().await.contains("darkroom_ready 0\n"));
    services.shutdown().await;
}
