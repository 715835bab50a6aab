//! A disk that takes nothing for a while: full, or to be read alone.

use std::sync::Arc;

use types::error::ErrorCode;
use types::job::JobStatus;

use super::disk::{Disk, Fault};
use super::helpers::{TestServices, asking, config, free_running};
use super::uploads::png;
use crate::data_folder::{DataFolder, Storage};
use crate::engine::fake::FakeEngine;
use crate::files::Files;
use crate::jobs::worker::Outcome;
use crate::measures::Measures;
use crate::shared::Shared;

/// Services whose pictures and uploads lie on these disks.
async fn on_disks(folder: &tempfile::TempDir, pictures: Files, uploads: Files) -> TestServices {
    let data = DataFolder::lock(&config(folder.path()).data_dir).unwrap();
    let storage = Storage { pictures, uploads, ..Storage::in_folder(data).unwrap() };
    TestServices::over(
        Shared::open_on(storage, Arc::new(FakeEngine::new()), Measures::default()).await.unwrap(),
    )
}

#[tokio::test]
async fn a_full_disk_fails_the_job_with_a_sentence_and_the_worker_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let ((disk, pictures), (_, uploads)) = (Disk::new(), Disk::new());
    let mut site = on_disks(&folder, pictures, uploads).await;

    disk.has(Some(Fault::FullAfterThePicture));
    let id = site.ask("one").await;
    assert_eq!(site.run_next_job().await, Outcome::Failed);
    let job = site.job(id).await;
    assert_eq!(job.status, JobStatus::Failed);
    assert_eq!(job.error.unwrap(), "the disk is full; delete pictures or make room, then try again");
    let shared = site.services.shared();
    assert_eq!(shared.files.sweep(&shared.store).await.unwrap(), 0, "what was half written is gone");

    disk.has(None);
    site.ask("two").await;
    assert_eq!(site.run_next_job().await, Outcome::Done);
    assert_eq!(site.history().await, ["two"]);
}

#[tokio::test]
async fn files_that_cannot_be_written_fail_the_job_with_a_sentence_until_they_can() {
    let folder = tempfile::tempdir().unwrap();
    let ((disk, pictures), (_, uploads)) = (Disk::new(), Disk::new());
    let mut site = on_disks(&folder, pictures, uploads).await;
    site.ask("before").await;
    assert_eq!(site.run_next_job().await, Outcome::Done);

    disk.has(Some(Fault::ReadOnly));
    let id = site.ask("one").await;
    assert_eq!(site.run_next_job().await, Outcome::Failed);
    let job = site.job(id).await;
    assert_eq!((job.status, job.error_code), (JobStatus::Failed, Some(ErrorCode::StorageUnavailable)));
    assert_eq!(
        job.error.unwrap(),
        "the data folder cannot be read or written to at the moment; whoever runs the site has to see to it"
    );
    assert_eq!(site.history().await, ["before"], "what is there can be read");

    disk.has(None);
    site.ask("two").await;
    assert_eq!(site.run_next_job().await, Outcome::Done);
    assert_eq!(site.history().await, ["two", "before"]);
}

#[tokio::test]
async fn an_upload_that_cannot_be_written_is_refused_with_a_sentence_until_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let ((_, pictures), (disk, uploads)) = (Disk::new(), Disk::new());
    let site = on_disks(&folder, pictures, uploads).await;
    let file = png(image::RgbImage::new(64, 64));

    disk.has(Some(Fault::ReadOnly));
    let refused = site.services.store_upload(&site.alice, file.clone()).await.unwrap_err().public();
    assert_eq!(refused.code, ErrorCode::StorageUnavailable);
    disk.has(None);
    assert!(site.services.store_upload(&site.alice, file).await.is_ok());
}

#[tokio::test]
async fn a_database_that_may_only_be_read_says_so_and_takes_jobs_again_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let mut site = TestServices::open(folder.path(), FakeEngine::new()).await;
    let store = site.services.shared().store.clone();
    site.ask("before").await;
    assert_eq!(site.run_next_job().await, Outcome::Done);

    store.be_read_only(true).await;
    let refused = site.services.create_job(&site.alice, asking("one")).await.unwrap_err().public();
    assert_eq!(refused.code, ErrorCode::StorageUnavailable);
    assert!(refused.message.starts_with("the data folder cannot be read or written to"), "{refused}");
    assert!(site.worker.run_next_job().await.is_err(), "nothing can be claimed");
    assert_eq!(site.history().await, ["before"], "what is there can be read");

    store.be_read_only(false).await;
    site.ask("two").await;
    assert_eq!(site.run_next_job().await, Outcome::Done);
    assert_eq!(site.history().await, ["two", "before"]);
}

#[tokio::test]
async fn a_folder_that_is_gone_and_comes_back_costs_the_jobs_in_between_and_no_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut site = TestServices::open(folder.path(), FakeEngine::new()).await;
    site.ask("before").await;
    assert_eq!(site.run_next_job().await, Outcome::Done);
    // A file where the folder was, which no rights of the superuser get past.
    let pictures = config(folder.path()).data_dir.join("pictures");
    let aside = folder.path().join("aside");
    std::fs::rename(&pictures, &aside).unwrap();
    std::fs::write(&pictures, "no folder").unwrap();

    let id = site.ask("one").await;
    assert_eq!(site.run_next_job().await, Outcome::Failed);
    assert_eq!(site.job(id).await.error_code, Some(ErrorCode::StorageUnavailable));

    std::fs::remove_file(&pictures).unwrap();
    std::fs::rename(&aside, &pictures).unwrap();
    site.ask("two").await;
    assert_eq!(site.run_next_job().await, Outcome::Done);
    assert_eq!(site.history().await, ["two", "before"]);
}

#[tokio::test]
async fn what_was_committed_is_on_the_disk_whichever_connection_wrote_it() {
    let (site, _folder) = free_running().await;
    assert_eq!(site.services.shared().store.synchronous().await, [2; 4]);
}
