//! A site whose operator has a certificate.

use std::sync::Arc;

use c2pa::ValidationState;
use tempfile::TempDir;
use types::metadata::Program;
use types::picture::{PictureFormat, PictureId};

use super::helpers::{TestServices, asking, config};
use crate::engine::fake::FakeEngine;
use crate::jobs::worker::Outcome;
use crate::shared::Shared;
use crate::signing::tests::{files, verified};
use crate::{Config, SigningFiles};

async fn site(folder: &TempDir, signing: Option<SigningFiles>) -> TestServices {
    let config = Config { signing, cache: true, ..config(folder.path()) };
    TestServices::over(Shared::open(&config, Arc::new(FakeEngine::new())).await.unwrap())
}

async fn signing_site(folder: &TempDir) -> TestServices {
    site(folder, Some(files(folder, "p256", "p256"))).await
}

/// The job's only picture.
async fn picture(site: &mut TestServices, prompt: &str) -> PictureId {
    let id = site.ask(prompt).await;
    if site.job(id).await.pictures.is_empty() {
        assert_eq!(site.run_next_job().await, Outcome::Done);
    }
    site.job(id).await.pictures[0].id
}

async fn is_signed(site: &TestServices, id: PictureId, format: PictureFormat) -> bool {
    let bytes = site.services.picture_file(&site.alice, id, format).await.unwrap().bytes;
    let is_there = bytes.windows(9).any(|window| window == b"c2pa.sign");
    assert!(!is_there || verified(&bytes, format).validation_state() == ValidationState::Valid);
    is_there
}

#[tokio::test]
async fn every_picture_is_signed_in_whatever_format_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut site = signing_site(&folder).await;
    let id = picture(&mut site, "a red boat").await;
    for format in PictureFormat::ALL {
        assert!(is_signed(&site, id, format).await, "{format:?}");
    }
    let thumbnail = site.services.thumbnail(&site.alice, id).await.unwrap();
    assert!(!thumbnail.bytes.windows(4).any(|window| window == b"c2pa"));
}

#[tokio::test]
async fn a_png_is_the_same_file_each_time_and_what_is_converted_has_a_tag_that_says_it_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut site = signing_site(&folder).await;
    let id = picture(&mut site, "a red boat").await;
    let file = async |format| site.services.picture_file(&site.alice, id, format).await.unwrap();
    assert_eq!(file(PictureFormat::Png).await.bytes, file(PictureFormat::Png).await.bytes);
    assert_eq!(file(PictureFormat::Png).await.etag, format!("\"{id}-png\""));
    let jpeg = file(PictureFormat::Jpeg).await;
    assert_eq!(jpeg.etag, format!("W/\"{id}-jpg-signed\""));
    assert_eq!(
        site.services.picture_tag(&site.alice, id, Some(PictureFormat::Jpeg)).await.unwrap(),
        jpeg.etag
    );
}

#[tokio::test]
async fn a_picture_from_before_is_given_to_another_job_with_a_signature() {
    let folder = tempfile::tempdir().unwrap();
    let mut before = site(&folder, None).await;
    let old = picture(&mut before, "a red boat").await;
    assert!(!is_signed(&before, old, PictureFormat::Png).await);
    drop(before);

    let site = signing_site(&folder).await;
    let copied = site.services.create_job(&site.alice, asking("a red boat")).await.unwrap().id;
    let copied = site.job(copied).await.pictures[0].id;
    assert!(is_signed(&site, copied, PictureFormat::Png).await);
    assert!(!is_signed(&site, old, PictureFormat::Png).await, "a stored file is never changed");
}

#[tokio::test]
async fn the_settings_of_a_signed_picture_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut site = signing_site(&folder).await;
    let id = picture(&mut site, "a red boat").await;
    for format in PictureFormat::ALL {
        let file = site.services.picture_file(&site.alice, id, format).await.unwrap();
        let read = site.services.read_settings(&site.alice, file.bytes).await.unwrap();
        assert_eq!(
            (read.program, read.request.prompt.as_str()),
            (Program::Darkroom, "a red boat"),
            "{format:?}"
        );
    }
}
