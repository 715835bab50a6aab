//! Bad input: one clear sentence, and nothing is stored.

use types::error::ErrorCode;
use types::history::HistoryQuery;
use types::job::JobId;
use types::picture::{PictureFormat, PictureId};
use types::request::RawRequest;
use uuid::Uuid;

use super::helpers::{TestServices, asking, free_running};
use crate::engine::fake::{FakeEngine, fake_model};

#[tokio::test]
async fn a_request_that_is_not_allowed_names_its_field_and_leaves_no_job() {
    let (site, _folder) = free_running().await;
    for (raw, field) in [
        (asking(" "), "prompt"),
        (asking(&"x".repeat(2_001)), "prompt"),
        (asking("a\u{0}b"), "prompt"),
        (RawRequest { width: Some(100), ..asking("boat") }, "width"),
        (RawRequest { height: Some(4_096), ..asking("boat") }, "height"),
        (RawRequest { steps: Some(0), ..asking("boat") }, "steps"),
        (RawRequest { steps: Some(151), ..asking("boat") }, "steps"),
        (RawRequest { model: Some("sdxl".into()), ..asking("boat") }, "model"),
        (RawRequest { sampler: Some("restart".into()), ..asking("boat") }, "sampler"),
    ] {
        let error = site.services.create_job(&site.alice, raw).await.unwrap_err().public();
        assert_eq!((error.code, error.field.as_deref()), (ErrorCode::InvalidField, Some(field)));
    }
    assert!(site.services.latest_jobs(&site.alice, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_model_that_cannot_be_used_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let mut broken = fake_model();
    broken.problem = Some("model `demo` has no file `vae/config.json`".into());
    let site = TestServices::open(folder.path(), FakeEngine::new().with_models(vec![broken])).await;
    let error = site.services.create_job(&site.alice, asking("boat")).await.unwrap_err().public();
    assert_eq!((error.code, error.field.as_deref()), (ErrorCode::ModelUnusable, Some("model")));
    assert_eq!(error.message, "model `demo` cannot be used: model `demo` has no file `vae/config.json`");
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let (site, _folder) = free_running().await;
    let job = JobId(Uuid::nil());
    let picture = PictureId(Uuid::nil());
    let errors = [
        site.services.job(&site.alice, job).await.err(),
        site.services.cancel_job(&site.alice, job).await.err(),
        site.services.events(&site.alice, job, None).await.err(),
        site.services.wait(job).await.err(),
        site.services.picture_file(&site.alice, picture, PictureFormat::Png).await.err(),
        site.services.thumbnail(&site.alice, picture).await.err(),
        site.services.set_favourite(&site.alice, picture, true).await.err(),
        site.services.delete_picture(&site.alice, picture).await.err(),
    ];
    for error in errors {
        let error = error.unwrap().public();
        assert_eq!(error.code, ErrorCode::NotFound);
        assert!(error.message.ends_with("with the id 00000000000000000000000000000000"), "{}", error.message);
    }
}

#[tokio::test]
async fn a_page_of_the_history_that_cannot_be_is_refused() {
    let (site, _folder) = free_running().await;
    for cursor in ["", "x", "-1", "0", "99999999999999999999"] {
        let query = HistoryQuery { cursor: Some(cursor.into()), ..HistoryQuery::default() };
        let error = site.services.history(&site.alice, query).await.unwrap_err().public();
        assert_eq!(error.field.as_deref(), Some("cursor"));
    }
    let query = HistoryQuery { limit: 101, ..HistoryQuery::default() };
    let error = site.services.history(&site.alice, query).await.unwrap_err().public();
    assert_eq!(error.message, "limit 101 is out of range; allowed are 1 to 100, or 0 for the usual 24");
}
