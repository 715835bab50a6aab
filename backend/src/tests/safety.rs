//! Pictures that the safety checker would not show.

use std::sync::Arc;

use futures::StreamExt;
use image::RgbImage;
use tempfile::TempDir;
use types::error::ErrorCode;
use types::event::JobEvent;
use types::job::JobStatus;
use types::note::Note;
use types::picture::PictureFormat;
use types::request::RawRequest;

use super::helpers::{TestServices, asking, config};
use crate::engine::fake::FakeEngine;
use crate::jobs::worker::Outcome;
use crate::pictures::{self, Decoded};
use crate::shared::Shared;
use crate::{Config, Error, SafetyMode};

async fn with(mode: SafetyMode, engine: FakeEngine) -> (TestServices, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (in_folder(&folder, mode, engine).await, folder)
}

async fn in_folder(folder: &TempDir, safety: SafetyMode, engine: FakeEngine) -> TestServices {
    let config = Config { safety, cache: true, ..config(folder.path()) };
    TestServices::over(Shared::open(&config, Arc::new(engine)).await.unwrap())
}

fn strict() -> FakeEngine {
    FakeEngine::new().with_safety_checker(|_| true)
}

/// The job's pictures, as they are stored.
async fn stored(site: &TestServices, raw: RawRequest) -> Vec<RgbImage> {
    let job = site.services.create_job(&site.alice, raw).await.unwrap();
    let mut pictures = Vec::new();
    for picture in site.job(job.id).await.pictures {
        let file = site.services.picture_file(&site.alice, picture.id, PictureFormat::Png).await.unwrap();
        pictures.push(Decoded::read(&file.bytes).unwrap().into_rgb());
    }
    pictures
}

#[tokio::test]
async fn such_a_picture_is_stored_blurred_alone_and_its_job_says_so() {
    let (mut site, _folder) = with(SafetyMode::Blur, strict()).await;
    let id = site.ask("a red boat").await;
    assert_eq!(site.run_next_job().await, Outcome::Done);
    let job = site.job(id).await;
    assert_eq!((job.notes, job.pictures.len()), (vec![Note::Blurred], 1));
    // The same is asked for again and is given out of the cache.
    let blurred = stored(&site, asking("a red boat")).await;

    let (mut open, _other) = with(SafetyMode::Off, strict()).await;
    open.ask("a red boat").await;
    open.run_next_job().await;
    let plain = stored(&open, asking("a red boat")).await;
    assert_ne!(plain, blurred);
    assert_eq!([pictures::blurred(&plain[0])], blurred[..]);
}

#[tokio::test]
async fn such_a_picture_is_refused_with_a_sentence_and_those_before_it_stay() {
    // Their red follows from seeds that follow each other, so that of two one is odd.
    let is_odd = |picture: &RgbImage| picture.get_pixel(0, 0)[0] % 2 == 1;
    let engine = FakeEngine::new().together(3).with_safety_checker(is_odd);
    let (mut site, _folder) = with(SafetyMode::Refuse, engine).await;
    let raw = RawRequest { count: Some(3), ..asking("a red boat") };
    let id = site.services.create_job(&site.alice, raw).await.unwrap().id;
    assert_eq!(site.run_next_job().await, Outcome::Failed);
    let job = site.job(id).await;
    assert_eq!((job.status, job.error_code), (JobStatus::Failed, Some(ErrorCode::InvalidField)));
    let n_stored = job.pictures.len();
    assert!(n_stored < 2, "{n_stored}");
    assert_eq!(
        job.error.unwrap(),
        format!(
            "picture {} of 3 was held back by this site's safety checker; change the prompt, or try another seed",
            n_stored + 1
        )
    );
}

#[tokio::test]
async fn other_pictures_are_stored_as_they_are() {
    let lenient = || FakeEngine::new().with_safety_checker(|_| false);
    let (mut looked_at, _one) = with(SafetyMode::Refuse, lenient()).await;
    let (mut not_looked_at, _two) = with(SafetyMode::Off, lenient()).await;
    for site in [&mut looked_at, &mut not_looked_at] {
        site.ask("a red boat").await;
        assert_eq!(site.run_next_job().await, Outcome::Done);
    }
    let raw = || asking("a red boat");
    assert_eq!(stored(&looked_at, raw()).await, stored(&not_looked_at, raw()).await);
}

#[tokio::test]
async fn a_preview_shows_colours_alone_where_nobody_knows_yet_what_it_will_be() {
    let previews = async |mode| {
        let (mut site, folder) = with(mode, FakeEngine::new().with_safety_checker(|_| false)).await;
        let id = site.ask("a red boat").await;
        let events = site.events(id, None).await;
        site.run_next_job().await;
        let events: Vec<_> = events.collect().await;
        drop(folder);
        let mut previews = events.into_iter().filter_map(|event| match event.event {
            JobEvent::Progress { preview, .. } => preview,
            _ => None,
        });
        previews.next_back().unwrap()
    };
    assert_ne!(previews(SafetyMode::Blur).await, previews(SafetyMode::Off).await);
}

#[tokio::test]
async fn what_was_painted_when_nobody_looked_is_painted_anew_now_that_somebody_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut site = in_folder(&folder, SafetyMode::Off, strict()).await;
    site.ask("a red boat").await;
    site.run_next_job().await;
    drop(site);
    let site = in_folder(&folder, SafetyMode::Blur, strict()).await;
    let id = site.ask("a red boat").await;
    assert_eq!(site.job(id).await.status, JobStatus::Queued, "it is not given out of the cache");
}

#[tokio::test]
async fn a_site_that_is_to_look_and_cannot_does_not_begin() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { safety: SafetyMode::Blur, ..config(folder.path()) };
    let error = Shared::open(&config, Arc::new(FakeEngine::new())).await.err().unwrap();
    assert!(matches!(error, Error::NoSafetyChecker(SafetyMode::Blur)));
    assert_eq!(
        error.to_string(),
        "safety mode `blur` needs a safety checker, and none is installed; put the folder `safety_checker` of a \
         Stable Diffusion model into the models folder, or set the mode to `off`"
    );
}
