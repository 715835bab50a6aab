//! Pictures that were made before are given again.

use std::sync::Arc;

use futures::StreamExt;
use image::{Rgb, RgbImage};
use types::error::ErrorCode;
use types::event::JobEvent;
use types::job::JobStatus;
use types::picture::PictureFormat;
use types::request::{PictureSource, RawRequest};

use super::helpers::{TestServices, asking, config};
use super::uploads::png;
use crate::access::{Limits, Ration};
use crate::engine::fake::FakeEngine;
use crate::jobs::worker::Outcome;
use crate::shared::Shared;
use crate::{Config, Visitor, files};

async fn caching() -> (TestServices, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { cache: true, ..config(folder.path()) };
    let shared = Shared::open(&config, Arc::new(FakeEngine::new())).await.unwrap();
    (TestServices::over(shared), folder)
}

#[tokio::test]
async fn a_job_whose_pictures_are_given_to_it_has_the_same_events_as_any_other() {
    let (mut site, _folder) = caching().await;
    site.ask("a boat").await;
    site.run_next_job().await;
    let again = site.ask("a boat").await;
    let events: Vec<_> = site.events(again, None).await.map(|event| event.event).collect().await;
    assert!(matches!(events[..], [JobEvent::Picture { .. }, JobEvent::Done]), "{events:?}");
    assert_eq!(site.run_next_job().await, Outcome::Idle, "the worker has nothing to do with it");
}

#[tokio::test]
async fn pictures_that_are_given_count_as_those_that_are_painted() {
    let folder = tempfile::tempdir().unwrap();
    // A picture here has 128 by 128 pixels: 61 are allowed.
    let visitor = Ration { megapixels_per_day: Some(1), ..Ration::default() };
    let limits = Limits { visitor, ..Limits::default() };
    let config = Config { cache: true, limits, ..config(folder.path()) };
    let mut site = TestServices::over(Shared::open(&config, Arc::new(FakeEngine::new())).await.unwrap());
    let eight = || RawRequest { count: Some(8), ..asking("boats") };
    let mut n_cached = 0;
    for _ in 0..7 {
        let id = site.services.create_job(&site.alice, eight()).await.unwrap().id;
        site.run_next_job().await;
        n_cached += u32::from(site.job(id).await.cached);
    }
    assert_eq!(n_cached, 6);
    let refused = site.services.create_job(&site.alice, eight()).await.unwrap_err().public();
    assert_eq!(refused.code, ErrorCode::LimitReached);
}

#[tokio::test]
async fn what_cannot_be_copied_is_painted() {
    let (mut site, _folder) = caching().await;
    let first = site.ask("a boat").await;
    site.run_next_job().await;
    let store = site.services.shared();
    store.files.discard(&files::thumbnail_file(&files::picture_file(first, 1, 0))).await;
    let again = site.ask("a boat").await;
    assert!(!site.job(again).await.status.is_final());
    assert_eq!(site.run_next_job().await, Outcome::Done);
    let job = site.job(again).await;
    assert_eq!((job.status, job.pictures.len(), job.cached), (JobStatus::Done, 1, false));
}

#[tokio::test]
async fn a_copy_names_the_start_picture_of_the_request_that_it_is_for() {
    let (mut site, _folder) = caching().await;
    let start = png(RgbImage::from_pixel(64, 64, Rgb([10, 200, 190])));
    let mut made = Vec::new();
    for visitor in [site.alice.clone(), site.bob.clone()] {
        let upload = site.services.store_upload(&visitor, start.clone()).await.unwrap().id;
        let raw = RawRequest { start: Some(upload.to_string()), ..asking("a boat") };
        let job = site.services.create_job(&visitor, raw).await.unwrap();
        site.run_next_job().await;
        made.push((visitor, upload, job.id));
    }
    let (bob, upload, id) = made.pop().unwrap();
    let job = site.services.job(&bob, id).await.unwrap();
    assert!(job.cached);
    assert_eq!(job.request.start.unwrap().source, PictureSource::Upload(upload));
    let file = site.services.picture_file(&bob, job.pictures[0].id, PictureFormat::Png).await.unwrap();
    let text = String::from_utf8_lossy(&file.bytes).into_owned();
    assert!(text.contains(&upload.0.to_string()), "the file names Bob's upload");
    assert!(!text.contains(&made[0].1.0.to_string()), "and not Alice's");
}

#[tokio::test]
async fn a_key_stands_for_one_job_however_often_it_is_used_at_once() {
    let (site, _folder) = caching().await;
    let owner = Visitor::from_token("alice");
    let ask = || site.services.create_job_once(&owner, "order-7", asking("a boat"));
    let (first, second, third) = tokio::join!(ask(), ask(), ask());
    let ids = [first, second, third].map(|job| job.unwrap().id);
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(site.services.latest_jobs(&owner, 9).await.unwrap().len(), 1);
}
