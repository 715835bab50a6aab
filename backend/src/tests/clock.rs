//! The clock jumps back an hour, or forth.
//!
//! What was written before the jump lies in the future then. Nothing is in the wrong order for it, nothing is deleted too
//! early, and nothing has to be started anew.

use std::time::Duration;

use time::OffsetDateTime;
use types::job::JobStatus;
use types::picture::PictureInfo;

use super::helpers::{TestServices, config};
use crate::Retention;
use crate::engine::fake::FakeEngine;
use crate::jobs::worker::Outcome;
use crate::retention::{clean, pause};
use crate::shared::Shared;
use crate::uploads::sweep_unused;

const HOUR: Duration = Duration::from_hours(1);

async fn keeping(folder: &tempfile::TempDir, retention: Retention) -> TestServices {
    let config = crate::Config { retention, ..config(folder.path()) };
    TestServices::over(Shared::open(&config, std::sync::Arc::new(FakeEngine::new())).await.unwrap())
}

async fn paint(site: &mut TestServices, prompt: &str) -> PictureInfo {
    let id = site.ask(prompt).await;
    assert_eq!(site.run_next_job().await, Outcome::Done);
    site.job(id).await.pictures.remove(0)
}

#[tokio::test]
async fn jobs_are_made_in_the_order_in_which_they_came_whatever_the_clock_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut site = keeping(&folder, Retention::default()).await;
    let first = site.ask("asked before the jump").await;
    let second = site.ask("asked after the jump").await;
    let store = site.services.shared().store.clone();
    store.shift_times(first, HOUR).await;
    assert_eq!(site.job(second).await.n_ahead, Some(1));
    assert_eq!(site.run_next_job().await, Outcome::Done);
    assert_eq!(site.job(first).await.status, JobStatus::Done);
    assert_eq!(site.run_next_job().await, Outcome::Done);
    // Pictures too.
    store.shift_times(first, HOUR).await;
    assert_eq!(site.history().await, ["asked after the jump", "asked before the jump"]);
}

#[tokio::test]
async fn what_was_made_before_the_jump_is_kept_an_hour_longer_and_not_shorter() {
    let folder = tempfile::tempdir().unwrap();
    let retention = Retention { max_age: Some(2 * HOUR), ..Retention::default() };
    let mut site = keeping(&folder, retention).await;
    let picture = paint(&mut site, "a red boat").await;
    let shared = site.services.shared();
    let an_hour_ago = OffsetDateTime::now_utc() - HOUR;
    assert_eq!(clean(&shared, an_hour_ago).await.unwrap().n_pictures, 0);
    // Whoever waits for its end looks again within the hour, so that a clock which jumps forth is noticed.
    assert_eq!(pause(&shared, an_hour_ago).await.unwrap(), Some(HOUR));
    assert_eq!(clean(&shared, picture.created_at + 2 * HOUR).await.unwrap().n_pictures, 0);
    let after = picture.created_at + 2 * HOUR + Duration::from_millis(1);
    assert_eq!(clean(&shared, after).await.unwrap().n_pictures, 1);
}

#[tokio::test]
async fn what_is_too_many_is_told_by_the_order_of_arrival() {
    let folder = tempfile::tempdir().unwrap();
    let retention = Retention { max_pictures: Some(1), ..Retention::default() };
    let mut site = keeping(&folder, retention).await;
    let old = paint(&mut site, "made before the jump").await;
    paint(&mut site, "made after the jump").await;
    let shared = site.services.shared();
    shared.store.shift_times(old.job_id, HOUR).await;
    assert_eq!(clean(&shared, OffsetDateTime::now_utc()).await.unwrap().n_pictures, 1);
    assert_eq!(site.history().await, ["made after the jump"]);
}

#[tokio::test]
async fn an_upload_from_the_future_is_kept_for_its_day() {
    let folder = tempfile::tempdir().unwrap();
    let site = keeping(&folder, Retention::default()).await;
    let file = super::uploads::png(image::RgbImage::new(64, 64));
    let upload = site.services.store_upload(&site.alice, file).await.unwrap();
    let shared = site.services.shared();
    let now = OffsetDateTime::now_utc();
    assert_eq!(sweep_unused(&shared, now - HOUR).await.unwrap(), 0);
    assert!(site.services.upload_info(&site.alice, upload.id).await.is_ok());
    assert_eq!(sweep_unused(&shared, now + 25 * HOUR).await.unwrap(), 1);
}
