//! How much anybody sent, over restarts and refusals.

use std::path::Path;
use std::sync::Arc;

use image::RgbImage;
use types::job::JobId;
use uuid::Uuid;

use super::helpers::{TestServices, config};
use super::uploads::png;
use crate::access::{Limits, Ration};
use crate::engine::fake::FakeEngine;
use crate::shared::Shared;
use crate::{Config, NewWorkflow, uploads};

/// Services at the start of a program that allows a megabyte a day.
async fn started(folder: &Path) -> TestServices {
    let visitor = Ration { uploaded_megabytes_per_day: Some(1), ..Ration::default() };
    let config = Config { limits: Limits { visitor, ..Limits::default() }, ..config(folder) };
    let site = TestServices::over(Shared::open(&config, Arc::new(FakeEngine::new())).await.unwrap());
    uploads::sweep_at_start(&site.services.shared()).await;
    site
}

/// A file of three quarters of a megabyte: noise, which cannot be packed.
fn large(seed: u32) -> bytes::Bytes {
    let mut state = seed;
    png(RgbImage::from_fn(512, 512, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [_, red, green, blue] = state.to_le_bytes();
        image::Rgb([red, green, blue])
    }))
}

#[tokio::test]
async fn what_was_sent_before_a_restart_counts_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let site = started(folder.path()).await;
    site.services.store_upload(&site.alice, large(1)).await.unwrap();
    drop(site);
    let site = started(folder.path()).await;
    let refused = site.services.store_upload(&site.alice, large(2)).await.unwrap_err().public();
    assert!(refused.message.starts_with("you have sent 0.8 megabytes"), "{}", refused.message);
    assert!(refused.retry_after_s.is_some_and(|seconds| seconds > 86_000), "{:?}", refused.retry_after_s);
    site.services.store_upload(&site.bob, large(2)).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_picture_and_an_upload_that_is_discarded_count_no_longer() {
    let folder = tempfile::tempdir().unwrap();
    let site = started(folder.path()).await;
    let broken = large(1).slice(..500_000);
    for _ in 0..3 {
        let refused = site.services.store_upload(&site.alice, broken.clone()).await.unwrap_err().public();
        assert_eq!(refused.field.as_deref(), Some("file"));
    }
    for seed in 1..4 {
        let upload = site.services.store_upload(&site.alice, large(seed)).await.unwrap();
        site.services.discard_uploads(&site.alice, &[upload.id]).await;
    }
}

#[tokio::test]
async fn a_workflow_that_is_posted_counts_as_what_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let site = started(folder.path()).await;
    let job = site.ask("a boat").await;
    let keep = async |n_bytes: usize| {
        let (id, document) = (JobId(Uuid::new_v4()), "x".repeat(n_bytes));
        let new = NewWorkflow { id, client_id: None, jobs: &[job], document: &document };
        let room = site.services.room_for_workflow(&site.alice, n_bytes)?;
        site.services.keep_workflow(&site.alice, room, new).await
    };
    keep(600_000).await.unwrap();
    let refused = keep(600_000).await.unwrap_err().public();
    assert!(refused.message.starts_with("you have sent 0.6 megabytes of files"), "{}", refused.message);
    drop(site.services.room_for_workflow(&site.alice, 300_000).unwrap());
    keep(300_000).await.unwrap();
}
