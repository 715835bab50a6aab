//! Who is served when, and how much anybody may ask for.

use std::time::Duration;

use futures::StreamExt;
use types::error::ErrorCode;
use types::event::JobEvent;
use types::job::{JobId, JobStatus};
use types::request::RawRequest;

use super::helpers::{TestServices, asking, config, free_running, is_step, read_until};
use crate::access::{Allowance, Limits, Ration, Scope};
use crate::engine::fake::FakeEngine;
use crate::jobs::worker::Outcome;
use crate::shared::Shared;
use crate::{Config, Visitor};

/// Services with these limits.
async fn limited(limits: Limits) -> (TestServices, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { limits, ..config(folder.path()) };
    let shared = Shared::open(&config, std::sync::Arc::new(FakeEngine::new())).await.unwrap();
    (TestServices::over(shared), folder)
}

async fn ask(site: &TestServices, visitor: &Visitor, prompt: &str) -> JobId {
    site.services.create_job(visitor, asking(prompt)).await.unwrap().id
}

/// The sentence with which a visitor's next job is refused, and after how many seconds it works again.
async fn refusal(site: &TestServices, visitor: &Visitor, raw: RawRequest) -> (String, Option<u64>) {
    let error = site.services.create_job(visitor, raw).await.unwrap_err().public();
    (format!("{}: {}", error.code.as_str(), error.message), error.retry_after_s)
}

/// Claims every queued job and tells their prompts in the order in which they are served.
async fn order(site: &TestServices) -> Vec<String> {
    let mut prompts = Vec::new();
    while let Some(claim) = site.services.shared().store.claim().await.unwrap() {
        prompts.push(claim.generation_request().unwrap().prompt);
    }
    prompts
}

#[tokio::test]
async fn owners_are_served_in_turn_however_many_jobs_each_has() {
    let (site, _folder) = free_running().await;
    for number in 1..=4 {
        ask(&site, &site.alice, &format!("alice {number}")).await;
    }
    ask(&site, &site.bob, "bob 1").await;
    ask(&site, &site.bob, "bob 2").await;
    assert_eq!(order(&site).await, ["alice 1", "bob 1", "alice 2", "bob 2", "alice 3", "alice 4"]);
}

#[tokio::test]
async fn whoever_comes_later_waits_for_one_job_of_each_owner_and_not_for_all() {
    let (mut site, _folder) = free_running().await;
    for number in 1..=5 {
        ask(&site, &site.alice, &format!("alice {number}")).await;
    }
    site.run_next_job().await;
    site.run_next_job().await;
    let late = ask(&site, &site.bob, "bob 1").await;
    assert_eq!(site.services.job(&site.bob, late).await.unwrap().n_ahead, Some(1));
    ask(&site, &site.bob, "bob 2").await;
    assert_eq!(order(&site).await, ["alice 3", "bob 1", "alice 4", "bob 2", "alice 5"]);
}

#[tokio::test]
async fn whoever_asks_again_and_again_starves_nobody_even_if_they_delete_what_they_got() {
    let (mut site, _folder) = free_running().await;
    for number in 1..=3 {
        ask(&site, &site.alice, &format!("alice {number}")).await;
    }
    let mut served = Vec::new();
    for number in 1..=3 {
        let id = ask(&site, &site.bob, &format!("bob {number}")).await;
        for _ in 0..2 {
            site.run_next_job().await;
        }
        if site.services.job(&site.bob, id).await.unwrap().status.is_final() {
            served.push(number);
            site.services.delete_job(&site.bob, id).await.unwrap();
        }
    }
    assert_eq!(served, [1, 2, 3]);
    assert_eq!(site.history().await.len(), 3, "every second job was Alice's");
}

#[tokio::test]
async fn newcomers_without_end_do_not_keep_an_owner_from_their_second_job() {
    let (mut site, _folder) = free_running().await;
    ask(&site, &site.alice, "alice 1").await;
    let second = ask(&site, &site.alice, "alice 2").await;
    let mut n_newcomers = 0;
    while !site.job(second).await.status.is_final() {
        ask(&site, &Visitor::from_token(&format!("newcomer {n_newcomers}")), "a boat").await;
        n_newcomers += 1;
        site.run_next_job().await;
        assert!(n_newcomers < 10, "the second job waits for ever");
    }
}

#[tokio::test]
async fn a_place_in_the_queue_counts_what_is_served_before_and_moves_when_somebody_else_comes() {
    let (site, _folder) = free_running().await;
    ask(&site, &site.alice, "alice 1").await;
    let second = ask(&site, &site.alice, "alice 2").await;
    assert_eq!(site.job(second).await.n_ahead, Some(1));
    ask(&site, &site.bob, "bob 1").await;
    assert_eq!(site.job(second).await.n_ahead, Some(2));
}

#[tokio::test]
async fn how_long_one_waits_is_told_once_something_was_made() {
    let (mut site, _folder) = free_running().await;
    let first = ask(&site, &site.alice, "one").await;
    assert_eq!(site.job(first).await.wait_ms, Some(0), "nothing is before it");
    let second = ask(&site, &site.alice, "two").await;
    assert_eq!(site.job(second).await.wait_ms, None, "nothing was measured yet");
    site.run_next_job().await;
    let third = ask(&site, &site.alice, "three").await;
    assert!(site.job(third).await.wait_ms.is_some());
}

#[tokio::test]
async fn more_jobs_at_a_time_than_are_allowed_are_refused_until_one_is_done() {
    let visitor = Ration { queued_jobs: Some(2), ..Ration::default() };
    let (mut site, _folder) = limited(Limits { visitor, ..Limits::default() }).await;
    site.ask("one").await;
    site.ask("two").await;
    assert_eq!(
        refusal(&site, &site.alice, asking("three")).await,
        (
            "limit_reached: you have 2 jobs in the queue already; allowed are 2 at a time, so wait for one of them or cancel it"
                .to_owned(),
            Some(30)
        )
    );
    ask(&site, &site.bob, "bob's").await;
    site.run_next_job().await;
    site.ask("three").await;
}

#[tokio::test]
async fn everybody_at_an_address_shares_its_limit_and_a_key_has_its_own() {
    let address = Ration { queued_jobs: Some(2), ..Ration::default() };
    let (site, _folder) = limited(Limits { address, ..Limits::default() }).await;
    let at = |name: &str, address: &str| Visitor::from_token(name).at(address.to_owned());
    ask(&site, &at("one", "here"), "a boat").await;
    ask(&site, &at("two", "here"), "a boat").await;
    let (sentence, _) = refusal(&site, &at("three", "here"), asking("a boat")).await;
    assert!(
        sentence.starts_with("limit_reached: everybody at your address together has 2 jobs"),
        "{sentence}"
    );
    ask(&site, &at("three", "elsewhere"), "a boat").await;

    let allowance = Allowance { scopes: vec![Scope::Generate], ration: Ration::default() };
    ask(&site, &at("key", "here").allowed(allowance.clone()), "a boat").await;
    // Nor does what a key asks for take away from those at its address.
    ask(&site, &at("key", "there").allowed(allowance.clone()), "a boat").await;
    ask(&site, &at("key", "there").allowed(allowance), "a boat").await;
    ask(&site, &at("four", "there"), "a boat").await;
}

#[tokio::test]
async fn the_pixels_of_a_day_are_counted_over_deleted_jobs_as_well() {
    // A picture here has 128 by 128 pixels; 64 of them are a little more than a megapixel.
    let visitor = Ration { megapixels_per_day: Some(1), ..Ration::default() };
    let (mut site, _folder) = limited(Limits { visitor, ..Limits::default() }).await;
    let eight = || RawRequest { count: Some(8), ..asking("boats") };
    for _ in 0..7 {
        let job = site.services.create_job(&site.alice, eight()).await.unwrap();
        site.run_next_job().await;
        site.services.delete_job(&site.alice, job.id).await.unwrap();
    }
    let (sentence, seconds) = refusal(&site, &site.alice, eight()).await;
    assert_eq!(
        sentence,
        "limit_reached: you have asked for 0.9 megapixels in the last 24 hours; with these 0.1 it would be more than the 1.0 that are allowed"
    );
    let day = 24 * 60 * 60;
    assert!(seconds.is_some_and(|seconds| (day - 60..=day).contains(&seconds)), "{seconds:?}");
    ask(&site, &site.bob, "a boat").await;
}

#[tokio::test]
async fn a_job_that_would_take_too_long_is_refused_with_what_would_not() {
    let (site, _folder) = limited(Limits { seconds_per_job: Some(30), ..Limits::default() }).await;
    site.ask("nothing is known yet").await;
    let request = site.services.shared().store.claim().await.unwrap().unwrap().generation_request().unwrap();
    // Four steps take ten seconds.
    site.services.shared().estimates.record(&request, Duration::from_millis(2500));
    let (sentence, _) = refusal(&site, &site.alice, RawRequest { count: Some(8), ..asking("boats") }).await;
    assert_eq!(
        sentence,
        "invalid_field: this would take about 80 seconds, and a job may take 30; 3 pictures of these settings would do"
    );
    let (sentence, _) = refusal(&site, &site.alice, RawRequest { steps: Some(20), ..asking("a boat") }).await;
    assert_eq!(
        sentence,
        "invalid_field: this would take about 50 seconds, and a job may take 30; 12 steps would do"
    );
    site.ask("a boat").await;
}

#[tokio::test]
async fn the_pixels_of_pictures_that_were_never_begun_are_given_back_when_their_job_is_cancelled() {
    // A picture here has 128 by 128 pixels: 61 are allowed, and one more is not.
    let visitor = Ration { megapixels_per_day: Some(1), ..Ration::default() };
    let folder = tempfile::tempdir().unwrap();
    let config = Config { limits: Limits { visitor, ..Limits::default() }, ..config(folder.path()) };
    let (engine, gate) = FakeEngine::gated();
    let site = TestServices::over(Shared::open(&config, std::sync::Arc::new(engine)).await.unwrap());
    let eight = || RawRequest { count: Some(8), ..asking("boats") };
    for _ in 0..10 {
        let waiting = site.services.create_job(&site.alice, eight()).await.unwrap().id;
        site.services.cancel_job(&site.alice, waiting).await.unwrap();
    }
    for _ in 0..5 {
        let running = site.services.create_job(&site.alice, eight()).await.unwrap().id;
        let mut events = site.events(running, None).await;
        let working = site.begin_next_job();
        gate.allow(1);
        read_until(&mut events, is_step(1)).await;
        site.services.cancel_job(&site.alice, running).await.unwrap();
        gate.allow(1);
        assert_eq!(working.await.unwrap(), Outcome::Cancelled);
    }
    for _ in 0..7 {
        site.services.create_job(&site.alice, eight()).await.unwrap();
    }
    let (sentence, _) = refusal(&site, &site.alice, asking("one more")).await;
    assert!(sentence.starts_with("limit_reached: you have asked for 1.0 megapixels"), "{sentence}");
}

#[tokio::test]
async fn a_job_that_has_taken_as_long_as_it_may_is_stopped_after_the_step_and_says_so() {
    let (mut site, _folder) = limited(Limits { seconds_per_job: Some(0), ..Limits::default() }).await;
    let id = site.ask("nothing is known yet").await;
    let events = site.events(id, None).await;
    assert_eq!(site.run_next_job().await, Outcome::Failed);
    let job = site.job(id).await;
    assert_eq!((job.status, job.error_code), (JobStatus::Failed, Some(ErrorCode::InvalidField)));
    let sentence = "the job was stopped after 0 seconds, and a job may take 0; ask for fewer steps, or for fewer or \
                    smaller pictures";
    assert_eq!(job.error.unwrap(), sentence);
    let events: Vec<_> = events.collect().await;
    let n_steps = events.iter().filter(|event| is_step(1)(&event.event) || is_step(2)(&event.event)).count();
    assert_eq!(n_steps, 1, "{events:?}");
    assert_eq!(events.last().unwrap().event, JobEvent::Failed { message: sentence.to_owned() });
}

#[tokio::test]
async fn what_steps_take_is_known_after_a_restart() {
    let (mut site, folder) = free_running().await;
    let id = site.ask("a boat").await;
    site.run_next_job().await;
    let request = site.job(id).await.request;
    let before = site.services.shared().estimates.of(&request);
    assert!(before.is_some());
    drop(site);
    let site = TestServices::open(folder.path(), FakeEngine::new()).await;
    assert_eq!(site.services.shared().estimates.of(&request), before);
}

#[tokio::test]
async fn limits_are_as_good_when_many_ask_at_once() {
    let visitor = Ration { queued_jobs: Some(3), ..Ration::default() };
    let (site, _folder) = limited(Limits { visitor, ..Limits::default() }).await;
    let asked = (0..20).map(|_| site.services.create_job(&site.alice, asking("a boat")));
    let answers = futures::future::join_all(asked).await;
    let codes = answers.iter().filter_map(|answer| answer.as_ref().err()).map(|error| error.public().code);
    assert!(codes.clone().all(|code| code == ErrorCode::LimitReached));
    assert_eq!(codes.count(), 17);
}
