//! What is tried where a model fails: f32, and the site's other model.

use std::sync::Arc;

use futures::StreamExt;
use tempfile::TempDir;
use types::error::PublicError;
use types::event::{JobEvent, NumberedEvent};
use types::job::{JobId, JobStatus};
use types::model::{ModelInfo, SizeLimits};
use types::note::Note;
use types::picture::PictureFormat;
use types::request::RawRequest;

use super::helpers::{TestServices, asking, config};
use crate::engine::fake::{Behaviour, FakeEngine, fake_model};
use crate::jobs::worker::Outcome;
use crate::pictures::origin_of;
use crate::shared::Shared;
use crate::{Config, EngineError, Error};

fn large() -> ModelInfo {
    let limits = SizeLimits { multiple: 8, min_side: 64, max_side: 1024 };
    ModelInfo { name: "large".into(), limits, ..fake_model() }
}

fn out_of_memory() -> EngineError {
    EngineError::OutOfMemory(PublicError::invalid_field("width", "there is not enough memory"))
}

fn not_finite() -> EngineError {
    EngineError::NotFinite(PublicError::invalid_field("model", "the picture has numbers that are none"))
}

fn broken() -> EngineError {
    EngineError::Unusable { model: "large".into(), reason: "its weights are gone".into() }
}

/// Services over the models `large` and `demo`, of which the latter stands in for the former.
async fn with(engine: FakeEngine, fallback_model: Option<&str>) -> (TestServices, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine.with_models(vec![large(), fake_model()]);
    let config =
        Config { fallback_model: fallback_model.map(str::to_owned), cache: true, ..config(folder.path()) };
    (TestServices::over(Shared::open(&config, Arc::new(engine)).await.unwrap()), folder)
}

/// One picture of 1024x512 by the large model.
fn asking_large() -> RawRequest {
    RawRequest { model: Some("large".into()), width: Some(1024), height: Some(512), ..asking("a red boat") }
}

async fn ask(site: &TestServices, raw: RawRequest) -> JobId {
    site.services.create_job(&site.alice, raw).await.unwrap().id
}

#[tokio::test]
async fn the_fallback_model_makes_the_picture_as_nearly_as_it_can_and_the_job_says_so() {
    let unknown = EngineError::UnknownModel { name: "large".into() };
    for error in [out_of_memory(), not_finite(), broken(), unknown] {
        let (mut site, _folder) = with(FakeEngine::new().failing_with("large", error), Some("demo")).await;
        let id = ask(&site, RawRequest { count: Some(2), ..asking_large() }).await;
        assert_eq!(site.run_next_job().await, Outcome::Done);
        let job = site.job(id).await;
        assert_eq!((job.request.model.as_str(), job.notes), ("large", vec![Note::MadeByFallback]));
        for picture in &job.pictures {
            assert_eq!((picture.width, picture.height), (512, 256));
            for format in PictureFormat::ALL {
                let file = site.services.picture_file(&site.alice, picture.id, format).await.unwrap();
                let text = String::from_utf8_lossy(&file.bytes).into_owned();
                let wide: String = text.chars().filter(|c| *c != '\0').collect();
                assert!(wide.contains("Model: demo") && !wide.contains("Model: large"), "{format:?}");
            }
            let png = site.services.picture_file(&site.alice, picture.id, PictureFormat::Png).await.unwrap();
            let origin = origin_of(&png.bytes).unwrap();
            assert_eq!((origin.request.model.as_str(), origin.index), ("demo", picture.index));
        }
        let metrics = site.services.metrics().await;
        let made = "darkroom_pictures_total{model=\"demo\",size=\"512x512\"} 2\n";
        assert!(metrics.contains(made), "{metrics}");
        let steps = "darkroom_step_seconds_count{model=\"large\"";
        assert!(!metrics.contains(steps), "{metrics}");
    }
}

#[tokio::test]
async fn what_the_fallback_model_made_is_not_given_out_for_the_model_that_was_asked_for() {
    let engine = FakeEngine::new().failing_with("large", out_of_memory());
    let (mut site, _folder) = with(engine, Some("demo")).await;
    ask(&site, asking_large()).await;
    site.run_next_job().await;
    let again = ask(&site, asking_large()).await;
    assert_eq!(site.job(again).await.status, JobStatus::Queued);
}

#[tokio::test]
async fn without_a_fallback_model_it_fails_as_it_did() {
    for fallback in [None, Some("large")] {
        let (mut site, _folder) =
            with(FakeEngine::new().failing_with("large", out_of_memory()), fallback).await;
        let id = ask(&site, asking_large()).await;
        assert_eq!(site.run_next_job().await, Outcome::Failed);
        assert_eq!(site.job(id).await.error.unwrap(), "there is not enough memory");
    }
}

#[tokio::test]
async fn where_both_models_fail_the_job_says_what_is_wrong_with_the_one_that_was_asked_for() {
    let engine = FakeEngine::new().failing_with("large", broken()).failing_with("demo", out_of_memory());
    let (mut site, _folder) = with(engine, Some("demo")).await;
    let id = ask(&site, asking_large()).await;
    assert_eq!(site.run_next_job().await, Outcome::Failed);
    assert_eq!(site.job(id).await.error.unwrap(), "model `large` cannot be used: its weights are gone");
}

#[tokio::test]
async fn where_the_fallback_model_fails_over_a_later_picture_the_job_still_says_what_is_wrong_with_the_other()
{
    let engine = FakeEngine::new().failing_with("large", broken());
    let engine = engine.behaving(Behaviour::FailsFrom(1, out_of_memory()));
    let (mut site, _folder) = with(engine, Some("demo")).await;
    let id = ask(&site, RawRequest { count: Some(2), ..asking_large() }).await;
    assert_eq!(site.run_next_job().await, Outcome::Failed);
    let job = site.job(id).await;
    assert_eq!(job.pictures.len(), 1, "the first was made");
    assert_eq!(job.error.unwrap(), "model `large` cannot be used: its weights are gone");
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_no_matter_for_another_model() {
    let refused = EngineError::Refused(PublicError::invalid_field("loras", "LoRA `ink` is gone"));
    let (mut site, _folder) = with(FakeEngine::new().failing_with("large", refused), Some("demo")).await;
    let id = ask(&site, asking_large()).await;
    assert_eq!(site.run_next_job().await, Outcome::Failed);
    assert_eq!(site.job(id).await.error.unwrap(), "LoRA `ink` is gone");
}

#[tokio::test]
async fn a_model_that_is_known_to_be_broken_may_be_asked_for_where_another_stands_in() {
    let folder = tempfile::tempdir().unwrap();
    let spoilt = ModelInfo { problem: Some("its weights are gone".into()), ..large() };
    for (fallback_model, is_taken) in [(Some("demo".to_owned()), true), (None, false)] {
        let engine =
            FakeEngine::new().with_models(vec![spoilt.clone(), fake_model()]).failing_with("large", broken());
        let config = Config { fallback_model, ..config(folder.path()) };
        let mut site = TestServices::over(Shared::open(&config, Arc::new(engine)).await.unwrap());
        let asked = site.services.create_job(&site.alice, asking_large()).await;
        assert_eq!(asked.is_ok(), is_taken);
        if let Ok(job) = asked {
            assert_eq!(site.run_next_job().await, Outcome::Done);
            assert_eq!(site.job(job.id).await.notes, [Note::MadeByFallback]);
        }
    }
}

#[tokio::test]
async fn a_fallback_model_that_is_not_installed_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { fallback_model: Some("sdxl".into()), ..config(folder.path()) };
    let error = Shared::open(&config, Arc::new(FakeEngine::new())).await.err().unwrap();
    assert!(matches!(&error, Error::Engine(EngineError::UnknownModel { name }) if name == "sdxl"), "{error}");
}

/// The steps of all tries, as they were told, and whether their numbers grew.
fn steps(events: &[NumberedEvent]) -> Vec<u32> {
    assert!(events.is_sorted_by(|a, b| a.number < b.number), "{events:?}");
    let steps = events.iter().filter_map(|event| match &event.event {
        JobEvent::Progress { progress, .. } if progress.step > 0 => Some(progress.step),
        _ => None,
    });
    steps.collect()
}

/// The events of a job, and its notes or its error.
async fn outcome(engine: FakeEngine) -> (Vec<NumberedEvent>, Result<Vec<Note>, String>) {
    let (mut site, _folder) = with(engine, Some("demo")).await;
    let raw = RawRequest { model: Some("large".into()), ..asking("a red boat") };
    let id = ask(&site, raw).await;
    let events = site.events(id, None).await;
    site.run_next_job().await;
    let job = site.job(id).await;
    (events.collect().await, job.error.map_or(Ok(job.notes), Err))
}

#[tokio::test]
async fn numbers_that_left_their_range_are_tried_once_more_in_f32_with_steps_of_their_own() {
    let engine = || FakeEngine::new().behaving(Behaviour::LeavesItsRange);
    let (events, said) = outcome(engine().in_f32(Behaviour::Paints)).await;
    assert_eq!((steps(&events), said), (vec![1, 2, 3, 1, 2, 3, 4], Ok(vec![Note::MadeInF32])));
    let (events, said) = outcome(engine().in_f32(Behaviour::LeavesItsRange)).await;
    let sentence = "the picture has numbers that are none".to_owned();
    // The fallback model does no better, in two tries of its own.
    assert_eq!((steps(&events), said), ([1, 2, 3].repeat(4), Err(sentence.clone())));
    let (events, said) = outcome(engine()).await;
    assert_eq!((steps(&events), said), ([1, 2, 3].repeat(2), Err(sentence)), "they were f32 already");
}

#[tokio::test]
async fn a_black_picture_is_tried_once_more_in_f32_and_noted_if_it_stays_black() {
    let engine = || FakeEngine::new().behaving(Behaviour::PaintsBlack);
    let (events, said) = outcome(engine().in_f32(Behaviour::Paints)).await;
    assert_eq!((steps(&events), said), (vec![1, 2, 3, 4, 1, 2, 3, 4], Ok(vec![Note::MadeInF32])));
    let (_, said) = outcome(engine().in_f32(Behaviour::PaintsBlack)).await;
    assert_eq!(said, Ok(vec![Note::AllBlack]));
    let (events, said) = outcome(engine()).await;
    assert_eq!((steps(&events).len(), said), (4, Ok(vec![Note::AllBlack])), "it was f32 already");
}

#[tokio::test]
async fn a_picture_that_cannot_be_made_in_f32_is_given_as_it_is() {
    let engine = FakeEngine::new().behaving(Behaviour::PaintsBlack);
    let (_, said) = outcome(engine.in_f32(Behaviour::Fails(out_of_memory()))).await;
    assert_eq!(said, Ok(vec![Note::AllBlack]));
}
