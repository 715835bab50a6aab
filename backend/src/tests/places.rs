//! What those are told who wait, whenever the queue moves.

use std::time::Duration;

use futures::{FutureExt, StreamExt};
use types::event::{JobEvent, NumberedEvent};
use types::history::JobQuery;
use types::job::JobId;

use super::helpers::{TestServices, asking, free_running, gated, is_step, read_until};
use crate::EventStream;

async fn ask_as_bob(site: &TestServices) -> JobId {
    site.services.create_job(&site.bob, asking("bob's")).await.unwrap().id
}

/// What was told by now and not read yet.
fn told(events: &mut EventStream) -> Vec<NumberedEvent> {
    std::iter::from_fn(|| events.next().now_or_never().flatten()).collect()
}

fn places(events: &[NumberedEvent]) -> Vec<u64> {
    let place = |event: &NumberedEvent| match event.event {
        JobEvent::Queued { n_ahead, .. } => n_ahead,
        _ => panic!("{event:?} is no place in the queue"),
    };
    events.iter().map(place).collect()
}

#[tokio::test]
async fn who_waits_in_the_queue_is_told_when_it_moves() {
    let (mut site, _folder) = free_running().await;
    let (_first, second, third) = (site.ask("one").await, site.ask("two").await, site.ask("three").await);
    let mut events = site.events(third, None).await;
    assert_eq!(places(&told(&mut events)), [2]);
    site.run_next_job().await;
    assert_eq!(places(&told(&mut events)), [1]);
    site.services.cancel_job(&site.alice, second).await.unwrap();
    assert_eq!(places(&told(&mut events)), [0]);
}

#[tokio::test]
async fn who_is_passed_in_the_queue_is_told_at_once_and_who_is_not_passed_is_not() {
    let (site, _folder) = free_running().await;
    let (first, _second, third) = (site.ask("one").await, site.ask("two").await, site.ask("three").await);
    let mut of_first = site.events(first, None).await;
    let mut of_third = site.events(third, None).await;
    let mut seen = [told(&mut of_first), told(&mut of_third)].concat();
    assert_eq!(places(&seen), [0, 2]);
    seen.remove(0);

    let of_bob = ask_as_bob(&site).await;
    assert!(told(&mut of_first).is_empty(), "nobody comes before the first");
    seen.extend(told(&mut of_third));
    site.ask("four").await;
    assert!(told(&mut of_third).is_empty(), "who comes later is behind");
    site.services.cancel_job(&site.bob, of_bob).await.unwrap();
    seen.extend(told(&mut of_third));
    assert_eq!(places(&seen), [2, 3, 2]);
    assert!(seen.is_sorted_by(|a, b| a.number < b.number), "{seen:?}");

    // Whoever lost the connection before Bob came is told of the place as it is now.
    let mut resumed = site.events(third, Some(seen[0].number)).await;
    assert_eq!(places(&told(&mut resumed)), [2]);
}

#[tokio::test]
async fn when_many_come_at_once_all_are_told_of_in_the_end() {
    let (site, _folder) = free_running().await;
    site.ask("one").await;
    let second = site.ask("two").await;
    let mut events = site.events(second, None).await;
    let newcomers: Vec<_> =
        (0..20).map(|number| crate::Visitor::from_token(&format!("newcomer {number}"))).collect();
    let asked = newcomers.iter().map(|visitor| site.services.create_job(visitor, asking("a boat")));
    futures::future::try_join_all(asked).await.unwrap();
    assert_eq!(places(&told(&mut events)).last(), Some(&21));
}

#[tokio::test]
async fn a_job_that_is_put_back_is_told_its_place_again() {
    let (site, _folder, gate) = gated().await;
    let id = site.ask("one").await;
    let mut events = site.events(id, None).await;
    let working = site.begin_next_job();
    gate.allow(1);
    read_until(&mut events, is_step(1)).await;
    let shared = site.services.shared();
    let claim = shared.store.job(id).await.unwrap().unwrap();
    assert!(shared.store.put_back(&claim, false).await.unwrap());
    shared.queue.announce_places(&shared).await;
    assert_eq!(places(&told(&mut events)), [0]);
    gate.open();
    working.await.unwrap();
}

#[tokio::test]
async fn a_list_tells_the_place_and_the_wait_of_every_job_in_it() {
    let (site, _folder) = free_running().await;
    for number in 1..=3 {
        site.ask(&format!("alice {number}")).await;
    }
    ask_as_bob(&site).await;
    let shared = site.services.shared();
    let request = shared.store.first_open_jobs(1).await.unwrap().remove(0).generation_request().unwrap();
    // Four steps take two seconds.
    shared.estimates.record(&request, Duration::from_millis(500));
    let listed = site.services.jobs(&site.alice, JobQuery::default()).await.unwrap().jobs;
    let places: Vec<_> = listed.iter().map(|job| (job.n_ahead, job.wait_ms)).collect();
    assert_eq!(places, [(Some(3), Some(6_000)), (Some(2), Some(4_000)), (Some(0), Some(0))]);
}
