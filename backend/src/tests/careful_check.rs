//! A check that changes nothing unless it is sure: where a disk is not mounted, a file cannot be read, or another program may be
//! at work.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use types::error::ErrorCode;

use super::helpers::{TestServices, config, free_running};
use crate::Error;
use crate::check::{Checked, Fault, Finding, Mend, check_folder, check_in};
use crate::data_folder::DataFolder;
use crate::engine::fake::FakeEngine;
use crate::files::thumbnail_file;
use crate::jobs::worker::Outcome;

/// A data folder with so many pictures of Alice's, that no server works on, and their PNGs.
async fn folder_with(n_pictures: usize) -> (tempfile::TempDir, Vec<PathBuf>) {
    let (mut site, folder) = free_running().await;
    let mut files = Vec::new();
    for index in 0..n_pictures {
        let job = site.ask(&format!("boat {index}")).await;
        assert_eq!(site.run_next_job().await, Outcome::Done);
        files.push(data(&folder).join(format!("pictures/{job}/1-0.png")));
    }
    stop(site).await;
    (folder, files)
}

async fn stop(site: TestServices) {
    site.services.shared().store.clone().close().await.unwrap();
}

fn data(folder: &tempfile::TempDir) -> PathBuf {
    config(folder.path()).data_dir
}

async fn check(folder: &tempfile::TempDir, mend: Mend) -> Result<(Checked, Vec<Finding>), Error> {
    let mut found = Vec::new();
    let checked = check_folder(&data(folder), mend, &mut |finding| found.push(finding.clone())).await?;
    Ok((checked, found))
}

async fn n_pictures(folder: &tempfile::TempDir) -> usize {
    let site = TestServices::open(folder.path(), FakeEngine::new()).await;
    let n_pictures = site.history().await.len();
    stop(site).await;
    n_pictures
}

#[tokio::test]
async fn nothing_is_mended_where_the_pictures_folder_is_not_mounted() {
    let (folder, _files) = folder_with(2).await;
    let (pictures, aside) = (data(&folder).join("pictures"), folder.path().join("aside"));
    std::fs::rename(&pictures, &aside).unwrap();
    let refused = check(&folder, Mend::Carefully).await.unwrap_err().public();
    assert_eq!(refused.code, ErrorCode::InvalidField);
    assert_eq!(
        refused.message,
        format!(
            "the folder {} is not there, and the database has pictures that should lie in it, so nothing was changed; see \
             whether its disk is mounted, or add --force to remove all the rows that have no file",
            pictures.display()
        )
    );
    std::fs::rename(&aside, &pictures).unwrap();
    assert_eq!(n_pictures(&folder).await, 2);
}

#[tokio::test]
async fn a_large_part_that_is_missing_is_not_mended_unless_it_is_forced() {
    let (folder, files) = folder_with(12).await;
    for file in &files[1..] {
        std::fs::remove_file(file).unwrap();
    }
    let refused = check(&folder, Mend::Carefully).await.unwrap_err().to_string();
    assert!(refused.starts_with("11 of 12 pictures have no file in "), "{refused}");
    assert_eq!(n_pictures(&folder).await, 12);
    let (checked, _) = check(&folder, Mend::Whatever).await.unwrap();
    assert_eq!((checked.n_found, checked.n_mended), (11, 11));
    assert_eq!(n_pictures(&folder).await, 1);
}

#[tokio::test]
async fn ten_missing_pictures_are_few_enough_to_be_mended() {
    let (folder, files) = folder_with(10).await;
    for file in &files {
        std::fs::remove_file(file).unwrap();
    }
    let (checked, _) = check(&folder, Mend::Carefully).await.unwrap();
    assert_eq!((checked.n_found, checked.n_mended), (10, 10));
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_said_and_left_with_its_row() {
    let (folder, files) = folder_with(2).await;
    // A folder in the place of a file, which no rights of the superuser get past.
    let thumbnail = PathBuf::from(thumbnail_file(files[1].to_str().unwrap()));
    for file in [&files[0], &thumbnail] {
        std::fs::remove_file(file).unwrap();
        std::fs::create_dir(file).unwrap();
    }
    let (checked, found) = check(&folder, Mend::Carefully).await.unwrap();
    assert_eq!((checked.n_found, checked.n_mended), (2, 0));
    for finding in &found {
        assert!(matches!(finding.fault, Fault::Unreadable(_)) && finding.mended.is_none(), "{finding}");
        assert!(finding.to_string().contains(": the file cannot be read: "), "{finding}");
    }
    for file in [&files[0], &thumbnail] {
        assert!(file.is_dir(), "it is where it was");
    }
    assert_eq!(n_pictures(&folder).await, 2);
}

/// All files of a folder, with their times and contents.
fn state_of(folder: &Path) -> BTreeMap<PathBuf, (SystemTime, Vec<u8>)> {
    let mut files = BTreeMap::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                let written = std::fs::metadata(&path).unwrap().modified().unwrap();
                files.insert(path.clone(), (written, std::fs::read(path).unwrap()));
            }
        }
    }
    files
}

#[tokio::test]
async fn a_check_that_only_looks_changes_no_file_and_makes_none() {
    let (folder, _files) = folder_with(1).await;
    std::fs::remove_file(data(&folder).join("darkroom.lock")).unwrap();
    let before = state_of(&data(&folder));
    let (checked, found) = check(&folder, Mend::No).await.unwrap();
    assert_eq!((checked.n_pictures, found), (1, Vec::new()));
    assert!(state_of(&data(&folder)) == before);
}

#[tokio::test]
async fn a_server_starts_while_a_check_only_looks() {
    let (folder, files) = folder_with(1).await;
    std::fs::remove_file(&files[0]).unwrap();
    let mut could_start = None;
    // A finding comes in the middle of the check.
    let mut on_finding = |_: &Finding| could_start = Some(DataFolder::lock(&data(&folder)).is_ok());
    check_folder(&data(&folder), Mend::No, &mut on_finding).await.unwrap();
    assert_eq!(could_start, Some(true));
}

#[cfg(unix)]
#[tokio::test]
async fn a_copy_beside_which_nothing_can_be_written_is_checked_unless_its_log_is_needed() {
    let (folder, _files) = folder_with(1).await;
    // A folder in the place of SQLite's log, which no rights of the superuser get past.
    let log = data(&folder).join("darkroom.sqlite3-wal");
    std::fs::create_dir(&log).unwrap();
    let (checked, found) = check(&folder, Mend::No).await.unwrap();
    assert_eq!((checked.n_pictures, found), (1, Vec::new()));

    std::fs::remove_dir(&log).unwrap();
    std::fs::write(&log, "pages").unwrap();
    // SQLite follows no link to what it shares with others.
    std::os::unix::fs::symlink("/nowhere/shared", data(&folder).join("darkroom.sqlite3-shm")).unwrap();
    let refused = check(&folder, Mend::No).await.unwrap_err().to_string();
    assert!(refused.contains("has a log beside it"), "{refused}");
}

#[tokio::test]
async fn where_nothing_can_be_locked_what_may_be_under_way_is_left_alone() {
    let (folder, files) = folder_with(1).await;
    let job = files[0].parent().unwrap();
    let under_way = ["2-0.png#1", "2-0.png"].map(|name| job.join(name));
    for file in &under_way {
        std::fs::write(file, "bytes").unwrap();
    }
    // As a folder is opened on a file system without locks.
    let mend = |folder: DataFolder| async move {
        check_in(&folder, Mend::Carefully, &mut |_| {}).await.unwrap().n_found
    };
    assert_eq!(mend(DataFolder::beside(&data(&folder))).await, 0);
    assert!(under_way.iter().all(|file| file.exists()));
    assert_eq!(mend(DataFolder::lock(&data(&folder)).unwrap()).await, 2);
    assert!(!under_way.iter().any(|file| file.exists()));
}
