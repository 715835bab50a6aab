use futures::StreamExt;
use types::event::{JobEvent, NumberedEvent};
use types::job::{JobStatus, Loading};
use types::picture::PictureInfo;
use types::request::RawRequest;

use super::helpers::{TestServices, asking, free_running, gated, is_loading, is_step, read_until};
use crate::engine::EngineError;
use crate::engine::fake::{Behaviour, FakeEngine, Gate};
use crate::jobs::worker::Outcome;

fn names(events: &[NumberedEvent]) -> Vec<&'static str> {
    events.iter().map(|event| event.event.name()).collect()
}

#[tokio::test]
async fn a_watcher_from_the_start_sees_everything_in_order() {
    let (mut site, _folder) = free_running().await;
    let id = site.ask("a red boat").await;
    let events = site.events(id, None).await;
    // The log keeps what happens while nobody reads.
    site.run_next_job().await;
    let events: Vec<_> = events.collect().await;
    assert_eq!(
        names(&events),
        ["queued", "progress", "progress", "progress", "progress", "progress", "picture", "done"]
    );
    assert!(events.is_sorted_by(|a, b| a.number < b.number), "{events:?}");
}

#[tokio::test]
async fn a_step_tells_how_far_it_is_and_what_the_picture_looks_like() {
    let (site, _folder, gate) = gated().await;
    let raw = RawRequest { count: Some(2), ..asking("boats") };
    let id = site.services.create_job(&site.alice, raw).await.unwrap().id;
    let mut events = site.events(id, None).await;
    let working = site.begin_next_job();
    gate.allow(2);
    let first = read_until(&mut events, is_step(1)).await.pop().unwrap();
    let JobEvent::Progress { progress, preview } = first.event else { panic!("{first:?} is no step") };
    assert_eq!((progress.picture, progress.n_pictures, progress.step, progress.n_steps), (1, 2, 1, 4));
    assert_eq!(progress.remaining_ms, None, "no step was timed yet");
    let preview = preview.expect("the first step has a preview");
    assert!(preview.starts_with("data:image/jpeg;base64,") && preview.len() < 64 * 1024);
    let second = read_until(&mut events, is_step(2)).await.pop().unwrap();
    let JobEvent::Progress { progress, .. } = second.event else { panic!("{second:?} is no step") };
    assert!(progress.remaining_ms.is_some());
    let running = site.job(id).await;
    assert_eq!((running.status, running.progress), (JobStatus::Running, Some(progress)));
    gate.open();
    working.await.unwrap();
}

#[tokio::test]
async fn pictures_that_are_made_together_come_together() {
    let folder = tempfile::tempdir().unwrap();
    let mut site = TestServices::open(folder.path(), FakeEngine::new().together(2)).await;
    let raw = RawRequest { count: Some(3), ..asking("boats") };
    let id = site.services.create_job(&site.alice, raw).await.unwrap().id;
    let events = site.events(id, None).await;
    assert_eq!(site.run_next_job().await, Outcome::Done);
    let events: Vec<_> = events.collect().await;
    assert!(events.is_sorted_by(|a, b| a.number < b.number), "{events:?}");
    let told = events.iter().filter_map(|event| match &event.event {
        JobEvent::Progress { progress, .. } if progress.step == 4 => {
            Some((progress.picture, progress.n_together, format!("{:.2}", progress.fraction())))
        }
        JobEvent::Picture { picture } => Some((picture.index + 1, 0, String::new())),
        _ => None,
    });
    let expected = [(1, 2, "0.67"), (1, 0, ""), (2, 0, ""), (3, 1, "1.00"), (3, 0, "")];
    assert_eq!(told.collect::<Vec<_>>(), expected.map(|(picture, n, all)| (picture, n, all.to_owned())));
    let job = site.job(id).await;
    assert_eq!(job.pictures.iter().map(|picture| picture.seed).collect::<Vec<_>>(), [7, 8, 9]);
}

#[tokio::test]
async fn who_comes_between_two_pictures_is_told_of_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, gate) = FakeEngine::gated();
    let site = TestServices::open(folder.path(), engine.together(2)).await;
    let raw = RawRequest { count: Some(3), ..asking("boats") };
    let id = site.services.create_job(&site.alice, raw).await.unwrap().id;
    let mut watching = site.events(id, None).await;
    let working = site.begin_next_job();
    gate.allow(4);
    let is_second = |event: &JobEvent| matches!(event, JobEvent::Picture { picture } if picture.index == 1);
    read_until(&mut watching, is_second).await;
    let seen =
        read_until(&mut site.events(id, None).await, |event| matches!(event, JobEvent::Progress { .. }))
            .await;
    let JobEvent::Progress { progress, .. } = &seen.last().unwrap().event else { unreachable!() };
    assert_eq!((progress.picture, progress.step, progress.n_pictures), (3, 0, 3), "{seen:?}");
    gate.open();
    assert_eq!(working.await.unwrap(), Outcome::Done);
}

#[tokio::test]
async fn pictures_that_are_made_together_are_cancelled_together() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, gate) = FakeEngine::gated();
    let site = TestServices::open(folder.path(), engine.together(2)).await;
    let raw = RawRequest { count: Some(2), ..asking("boats") };
    let id = site.services.create_job(&site.alice, raw).await.unwrap().id;
    let mut events = site.events(id, None).await;
    let working = site.begin_next_job();
    gate.allow(2);
    read_until(&mut events, is_step(2)).await;
    site.services.cancel_job(&site.alice, id).await.unwrap();
    gate.open();
    assert_eq!(working.await.unwrap(), Outcome::Cancelled);
    let job = site.job(id).await;
    assert_eq!((job.status, job.pictures.len()), (JobStatus::Cancelled, 0));
}

/// Services over an engine that loads its model before every picture and waits for the gate.
async fn gated_loading() -> (TestServices, tempfile::TempDir, Gate) {
    let folder = tempfile::tempdir().unwrap();
    let (engine, gate) = FakeEngine::gated();
    (TestServices::open(folder.path(), engine.loading()).await, folder, gate)
}

/// The shares of a model that these events tell of.
fn loaded(events: &[NumberedEvent]) -> Vec<f64> {
    let fraction = |event: &NumberedEvent| match &event.event {
        JobEvent::Loading { loading } => Some(loading.fraction),
        _ => None,
    };
    events.iter().filter_map(fraction).collect()
}

#[tokio::test]
async fn a_model_that_is_loaded_is_told_of_before_the_steps_and_again_when_a_later_picture_reloads_it() {
    let (site, _folder, gate) = gated_loading().await;
    let raw = RawRequest { count: Some(2), steps: Some(2), ..asking("boats") };
    let id = site.services.create_job(&site.alice, raw).await.unwrap().id;
    let events = site.events(id, None).await;
    let working = site.begin_next_job();
    gate.open();
    working.await.unwrap();
    let events: Vec<_> = events.collect().await;
    let picture = ["loading", "loading", "loading", "loading", "progress", "progress", "picture"];
    let expected = [&["queued", "progress"], &picture[..], &picture[..], &["done"]].concat();
    assert_eq!(names(&events), expected);
    assert_eq!(loaded(&events), [0.25, 0.5, 0.75, 1.0, 0.25, 0.5, 0.75, 1.0]);
    assert!(events.is_sorted_by(|a, b| a.number < b.number), "{events:?}");
}

#[tokio::test]
async fn whoever_comes_while_a_model_is_loaded_is_told_how_much_of_it_is() {
    let (site, _folder, gate) = gated_loading().await;
    let id = site.ask("a red boat").await;
    let mut watching = site.events(id, None).await;
    let working = site.begin_next_job();
    gate.allow(2);
    let seen = read_until(&mut watching, is_loading(0.5)).await;
    let job = site.job(id).await;
    assert_eq!((job.status, job.progress.unwrap().step), (JobStatus::Running, 0));
    assert_eq!(job.loading, Some(Loading { model: "demo".into(), fraction: 0.5 }));

    let mut late = site.events(id, None).await;
    let mut resumed = site.events(id, Some(seen.last().unwrap().number)).await;
    assert_eq!(loaded(&read_until(&mut late, is_loading(0.5)).await), [0.5]);
    gate.allow(3);
    assert_eq!(loaded(&read_until(&mut resumed, is_step(1)).await), [0.75, 1.0]);
    assert_eq!(site.job(id).await.loading, None);
    gate.open();
    working.await.unwrap();
    assert_eq!(names(&late.collect::<Vec<_>>().await).last(), Some(&"done"));
}

#[tokio::test]
async fn a_job_that_is_cancelled_while_its_model_is_loaded_ends_before_any_step() {
    let (site, _folder, gate) = gated_loading().await;
    let id = site.ask("one").await;
    let mut events = site.events(id, None).await;
    let working = site.begin_next_job();
    gate.allow(2);
    read_until(&mut events, is_loading(0.5)).await;
    site.services.cancel_job(&site.alice, id).await.unwrap();
    // What is loaded next is the last thing that the engine does for it.
    gate.allow(1);
    assert_eq!(working.await.unwrap(), Outcome::Cancelled);
    assert_eq!(names(&events.collect::<Vec<_>>().await), ["cancelled"]);
    let job = site.job(id).await;
    assert_eq!((job.status, job.loading, job.error), (JobStatus::Cancelled, None, None));
}

#[tokio::test]
async fn who_comes_in_the_middle_begins_with_where_the_job_stands() {
    let (site, _folder, gate) = gated().await;
    let raw = RawRequest { count: Some(2), ..asking("boats") };
    let id = site.services.create_job(&site.alice, raw).await.unwrap().id;
    let mut first = site.events(id, None).await;
    let working = site.begin_next_job();
    gate.allow(6);
    read_until(&mut first, |event| matches!(event, JobEvent::Picture { .. })).await;
    read_until(&mut first, is_step(2)).await;

    let mut late = site.services.events(&site.alice, id, None).await.unwrap();
    let begin = read_until(&mut late, is_step(2)).await;
    assert_eq!(names(&begin), ["picture", "progress"]);
    gate.open();
    let rest = read_until(&mut late, JobEvent::is_final).await;
    assert_eq!(names(&rest), ["progress", "progress", "picture", "done"]);
    assert!(late.next().await.is_none());
    working.await.unwrap();
}

#[tokio::test]
async fn a_reader_that_lost_its_connection_resumes_after_the_last_number_it_saw() {
    let (site, _folder, gate) = gated().await;
    let id = site.ask("a red boat").await;
    let mut broken = site.events(id, None).await;
    let mut whole = site.events(id, None).await;
    let working = site.begin_next_job();
    gate.allow(3);
    let seen = read_until(&mut broken, is_step(1)).await;
    drop(broken);
    read_until(&mut whole, is_step(3)).await;
    let mut resumed = site.events(id, Some(seen.last().unwrap().number)).await;
    gate.open();
    let rest = read_until(&mut resumed, JobEvent::is_final).await;
    assert_eq!(names(&rest), ["progress", "progress", "progress", "picture", "done"]);
    let steps: Vec<_> = rest
        .iter()
        .filter_map(|event| match event.event {
            JobEvent::Progress { progress, .. } => Some(progress.step),
            _ => None,
        })
        .collect();
    assert_eq!(steps, [2, 3, 4]);
    working.await.unwrap();
}

#[tokio::test]
async fn after_the_end_the_database_tells_the_same_numbers() {
    let (mut site, _folder) = free_running().await;
    let id = site.ask("a red boat").await;
    let live = site.events(id, None).await;
    site.run_next_job().await;
    let live: Vec<_> = live.collect().await;
    let later: Vec<_> = site.events(id, None).await.collect().await;
    assert_eq!(names(&later), ["picture", "done"]);
    assert_eq!(later, live[live.len() - 2..]);
    let after_picture: Vec<_> = site.events(id, Some(later[0].number)).await.collect().await;
    assert_eq!(names(&after_picture), ["done"]);
    let after_all: Vec<_> = site.events(id, Some(later[1].number)).await.collect().await;
    assert!(after_all.is_empty());
}

#[tokio::test]
async fn failing_ends_the_stream_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let broken = EngineError::Unusable { model: "demo".into(), reason: "its weights are gone".into() };
    let engine = FakeEngine::new().behaving(Behaviour::Fails(broken));
    let mut site = TestServices::open(folder.path(), engine).await;
    let id = site.ask("one").await;
    let events = site.events(id, None).await;
    site.run_next_job().await;
    let events: Vec<_> = events.collect().await;
    assert_eq!(names(&events), ["queued", "progress", "failed"]);
    let message = "model `demo` cannot be used: its weights are gone".to_owned();
    assert_eq!(events[2].event, JobEvent::Failed { message });
}

#[tokio::test]
async fn a_stream_ends_as_cancelled_even_if_the_worker_notices_first() {
    let (site, _folder, gate) = gated().await;
    let id = site.ask("one").await;
    let mut events = site.events(id, None).await;
    let working = site.begin_next_job();
    gate.allow(1);
    read_until(&mut events, is_step(1)).await;
    // The first half of what cancelling does; the second tells those who watch.
    site.services.shared().store.cancel(id, 1).await.unwrap().unwrap();
    gate.open();
    assert_eq!(working.await.unwrap(), Outcome::Cancelled);
    let rest: Vec<_> = events.collect().await;
    assert_eq!(rest.last().unwrap().event, JobEvent::Cancelled, "{rest:?}");
}

#[tokio::test]
async fn a_picture_that_was_deleted_or_marked_while_the_job_goes_on_is_told_of_as_it_is_now() {
    let (site, _folder, gate) = gated().await;
    let raw = RawRequest { count: Some(3), ..asking("boats") };
    let id = site.services.create_job(&site.alice, raw).await.unwrap().id;
    let mut watching = site.events(id, None).await;
    let working = site.begin_next_job();
    gate.allow(9);
    let events = read_until(&mut watching, |event| is_picture(event, 1)).await;
    let (first, second) = (site.job(id).await.pictures[0].clone(), site.job(id).await.pictures[1].clone());
    let before_both = events[0].number;

    site.services.delete_picture(&site.alice, first.id).await.unwrap();
    site.services.set_favourite(&site.alice, second.id, true).await.unwrap();
    for after in [None, Some(before_both)] {
        let mut late = site.events(id, after).await;
        let told = read_until(&mut late, |event| is_picture(event, 1)).await;
        let pictures: Vec<_> = told.into_iter().filter_map(|event| picture_of(event.event)).collect();
        assert_eq!(pictures.len(), 1, "{pictures:?}");
        assert!(pictures[0].id == second.id && pictures[0].favourite, "{pictures:?}");
    }
    gate.open();
    working.await.unwrap();
}

fn picture_of(event: JobEvent) -> Option<PictureInfo> {
    match event {
        JobEvent::Picture { picture } => Some(picture),
        _ => None,
    }
}

fn is_picture(event: &JobEvent, index: u32) -> bool {
    matches!(event, JobEvent::Picture { picture } if picture.index == index)
}

#[tokio::test]
async fn cancelling_ends_the_stream() {
    let (mut site, _folder) = free_running().await;
    let id = site.ask("one").await;
    let events = site.events(id, None).await;
    site.services.cancel_job(&site.alice, id).await.unwrap();
    let events: Vec<_> = events.collect().await;
    assert_eq!(names(&events), ["queued", "cancelled"]);
    assert_eq!(site.services.wait(id).await.unwrap().status, JobStatus::Cancelled);
    assert_eq!(site.run_next_job().await, Outcome::Idle);
}

#[tokio::test]
async fn stopping_the_program_ends_all_streams() {
    let (site, _folder) = free_running().await;
    let id = site.ask("one").await;
    let events = site.events(id, None).await;
    let waiting = {
        let services = site.services.clone();
        tokio::spawn(async move { services.wait(id).await })
    };
    site.services.shutdown().await;
    assert_eq!(names(&events.collect::<Vec<_>>().await), ["queued"]);
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!(error.public().code, types::error::ErrorCode::ShuttingDown);
}
