//! A program that is killed between a row's deletion and its file's.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::helpers::{TestServices, config, free_running};
use super::uploads::png;
use crate::Services;
use crate::check::{Fault, Finding, Mend, check_folder};
use crate::deleted_files::finish;
use crate::engine::fake::FakeEngine;
use crate::jobs::worker::Outcome;
use crate::store::Excess;

/// Far more than it takes, and far less than anybody would wait.
const SOON: Duration = Duration::from_secs(30);

/// The files in the folder of a job, or in the folder of uploads.
fn files_in(folder: &tempfile::TempDir, name: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(config(folder.path()).data_dir.join(name));
    entries.map_or(Vec::new(), |entries| entries.flatten().map(|entry| entry.path()).collect())
}

#[tokio::test]
async fn files_that_a_killed_program_left_of_a_deleted_job_are_deleted_after_the_next_start() {
    let (mut site, folder) = free_running().await;
    let id = site.ask("a red boat").await;
    assert_eq!(site.run_next_job().await, Outcome::Done);
    // All that was done before the kill.
    site.services.shared().store.delete_job(&site.alice, id).await.unwrap().unwrap();
    drop(site);
    let job = format!("pictures/{id}");
    assert_eq!(files_in(&folder, &job).len(), 2);

    let services = Services::open(config(folder.path()), Arc::new(FakeEngine::new())).await.unwrap();
    let look = async {
        while !files_in(&folder, &job).is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, look).await.expect("they are deleted");
    services.shutdown().await;
}

#[tokio::test]
async fn files_of_deleted_pictures_and_uploads_are_finished_whoever_deleted_the_rows() {
    let (mut site, folder) = free_running().await;
    let shared = site.services.shared();
    let mut jobs = Vec::new();
    for prompt in ["one", "two", "three"] {
        jobs.push(site.ask(prompt).await);
        assert_eq!(site.run_next_job().await, Outcome::Done);
    }
    site.services.store_upload(&site.alice, png(image::RgbImage::new(64, 64))).await.unwrap();
    let picture = site.job(jobs[0]).await.pictures.remove(0);
    shared.store.delete_picture(&site.alice, picture.id).await.unwrap().unwrap();
    let oldest = shared.store.delete_excess(Excess::UpTo(i64::MAX), true, 1).await.unwrap();
    assert_eq!(oldest[0].prompt, "two");
    let uploads = shared.store.delete_unused_uploads(i64::MAX).await.unwrap();
    assert_eq!((uploads.len(), files_in(&folder, "uploads").len()), (1, 1));

    assert_eq!(finish(&shared).await.unwrap(), 3);
    assert!(files_in(&folder, "uploads").is_empty());
    for (job, n_files) in jobs.iter().zip([0, 0, 2]) {
        assert_eq!(files_in(&folder, &format!("pictures/{job}")).len(), n_files);
    }
    assert_eq!(finish(&shared).await.unwrap(), 0, "nothing is left to be done");
}

#[tokio::test]
async fn what_is_deleted_in_good_order_leaves_nothing_to_be_finished() {
    let (mut site, _folder) = free_running().await;
    let id = site.ask("a red boat").await;
    assert_eq!(site.run_next_job().await, Outcome::Done);
    site.services.delete_job(&site.alice, id).await.unwrap();
    let upload = site.services.store_upload(&site.alice, png(image::RgbImage::new(64, 64))).await.unwrap();
    site.services.discard_uploads(&site.alice, &[upload.id]).await;
    assert!(site.services.shared().store.deleted_files_after(i64::MIN, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_file_that_could_not_be_deleted_is_deleted_later() {
    let (mut site, folder) = free_running().await;
    let id = site.ask("a red boat").await;
    assert_eq!(site.run_next_job().await, Outcome::Done);
    // A file where the folder was, which no rights of the superuser get past.
    let (pictures, aside) = (config(folder.path()).data_dir.join("pictures"), folder.path().join("aside"));
    std::fs::rename(&pictures, &aside).unwrap();
    std::fs::write(&pictures, "no folder").unwrap();
    site.services.delete_job(&site.alice, id).await.unwrap();
    assert_eq!(finish(&site.services.shared()).await.unwrap(), 0);
    std::fs::remove_file(&pictures).unwrap();
    std::fs::rename(&aside, &pictures).unwrap();
    assert_eq!(finish(&site.services.shared()).await.unwrap(), 1);
    assert!(files_in(&folder, &format!("pictures/{id}")).is_empty());
}

#[tokio::test]
async fn mending_deletes_what_was_to_be_deleted_and_keeps_no_copy_of_it() {
    let (mut site, folder) = free_running().await;
    let id = site.ask("a red boat").await;
    assert_eq!(site.run_next_job().await, Outcome::Done);
    site.services.shared().store.delete_job(&site.alice, id).await.unwrap().unwrap();
    site.services.shared().store.clone().close().await.unwrap();
    drop(site);
    let data = config(folder.path()).data_dir;
    let mut found = Vec::new();
    let on_finding = &mut |finding: &Finding| found.push(finding.clone());
    let checked = check_folder(&data, Mend::Carefully, on_finding).await.unwrap();
    assert!(checked.is_in_order());
    let faults: Vec<_> = found.iter().map(|finding| &finding.fault).collect();
    assert_eq!(faults, [&Fault::NotDeleted, &Fault::NotDeleted]);
    assert_eq!(
        found[0].to_string(),
        format!("pictures/{id}/1-0.png: the file was to be deleted; it was deleted")
    );
    assert!(files_in(&folder, &format!("pictures/{id}")).is_empty());
    assert!(!data.join("lost+found").exists());
}

#[tokio::test]
async fn a_lost_picture_that_was_mended_leaves_nothing_to_be_finished() {
    let (mut site, folder) = free_running().await;
    let id = site.ask("a red boat").await;
    assert_eq!(site.run_next_job().await, Outcome::Done);
    let upload = site.services.store_upload(&site.alice, png(image::RgbImage::new(64, 64))).await.unwrap();
    site.services.shared().store.clone().close().await.unwrap();
    drop(site);
    let data = config(folder.path()).data_dir;
    for file in [format!("pictures/{id}/1-0.png"), format!("uploads/{}.png", upload.id)] {
        std::fs::write(data.join(file), "no picture").unwrap();
    }
    let checked = check_folder(&data, Mend::Carefully, &mut |_| {}).await.unwrap();
    assert_eq!((checked.n_found, checked.n_mended), (2, 2));
    let site = TestServices::open(folder.path(), FakeEngine::new()).await;
    assert_eq!(finish(&site.services.shared()).await.unwrap(), 0, "what there is of it lies in lost+found");
}
