//! Back-ups that are made while pictures are painted and deleted, and what is restored of them.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use types::history::HistoryQuery;
use types::job::{JobId, JobStatus};
use types::picture::PictureFormat;
use types::request::RawRequest;

use super::helpers::{asking, config};
use super::uploads::png;
use crate::backup::{BackedUp, back_up};
use crate::check::{Checked, Mend, check_folder};
use crate::engine::fake::FakeEngine;
use crate::restore::restore;
use crate::{Error, Services, Visitor};

/// Far more than it takes, and far less than anybody would wait.
const SOON: Duration = Duration::from_mins(1);

pub(super) async fn open(folder: &Path) -> Services {
    Services::open(config(folder), Arc::new(FakeEngine::new())).await.unwrap()
}

async fn paint(services: &Services, visitor: &Visitor, raw: RawRequest) -> JobId {
    let id = services.create_job(visitor, raw).await.unwrap().id;
    let job = tokio::time::timeout(SOON, services.wait(id)).await.expect("it is painted").unwrap();
    assert_eq!(job.status, JobStatus::Done, "{:?}", job.error);
    id
}

pub(super) async fn restored(file: &Path, folder: &Path) -> Result<Checked, Error> {
    let mut found = Vec::new();
    let checked = restore(file, &config(folder).data_dir, &mut |finding| found.push(finding.clone())).await?;
    assert_eq!(found, []);
    Ok(checked)
}

/// A back-up of a folder with one picture, made of an upload; and the prompt's own files.
pub(super) async fn with_backup() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let services = open(folder.path()).await;
    let alice = Visitor::from_token("alice");
    let upload = services.store_upload(&alice, png(image::RgbImage::new(128, 128))).await.unwrap();
    paint(&services, &alice, RawRequest { start: Some(upload.id.to_string()), ..asking("a red boat") }).await;
    let data = config(folder.path()).data_dir;
    std::fs::create_dir_all(data.join("wildcards")).unwrap();
    std::fs::write(data.join("wildcards/colour.txt"), "red\nblue\n").unwrap();
    std::fs::create_dir_all(data.join("models/large")).unwrap();
    std::fs::write(data.join("models/large/weights"), "can be had again").unwrap();
    // Of a back-up that was unpacked here with other tools.
    std::fs::write(data.join("SHA256SUMS"), "0  wildcards/colour.txt\n").unwrap();
    // The site writes it now and then to see whether it can.
    std::fs::write(data.join("darkroom.probe"), "").unwrap();
    let file = folder.path().join("backup.tar");
    let backed_up = back_up(&data, &file).await.unwrap();
    let n_bytes = std::fs::metadata(&file).unwrap().len();
    assert_eq!(backed_up, BackedUp { n_pictures: 1, n_uploads: 1, n_deleted: 0, n_lost: 0, n_bytes });
    services.shutdown().await;
    (folder, file)
}

#[tokio::test]
async fn everything_is_there_again_after_a_restore() {
    let (_folder, file) = with_backup().await;
    let folder = tempfile::tempdir().unwrap();
    let checked = restored(&file, folder.path()).await.unwrap();
    assert_eq!(checked, Checked { n_pictures: 1, n_uploads: 1, n_found: 0, n_mended: 0 });
    let data = config(folder.path()).data_dir;
    assert_eq!(std::fs::read_to_string(data.join("wildcards/colour.txt")).unwrap(), "red\nblue\n");
    assert!(!data.join("models").exists(), "models are left out");
    assert!(!data.join("darkroom.probe").exists());

    let services = open(folder.path()).await;
    let alice = Visitor::from_token("alice");
    let query = HistoryQuery { search: "boat".into(), ..HistoryQuery::default() };
    let picture = services.history(&alice, query).await.unwrap().pictures.remove(0);
    assert!(services.picture_file(&alice, picture.id, PictureFormat::Png).await.is_ok());
    assert!(services.thumbnail(&alice, picture.id).await.is_ok());
    paint(&services, &alice, asking("a blue boat")).await;
    services.shutdown().await;
}

#[tokio::test]
async fn a_backup_that_is_made_while_pictures_are_painted_and_deleted_is_consistent() {
    let folder = tempfile::tempdir().unwrap();
    let services = open(folder.path()).await;
    let alice = Visitor::from_token("alice");
    let raw = |seed: i64| RawRequest { count: Some(2), seed: Some(seed), ..asking("boats") };
    for seed in 0..20 {
        paint(&services, &alice, raw(seed)).await;
    }
    let data = config(folder.path()).data_dir;
    let file = folder.path().join("backup.tar");
    let backing_up = tokio::spawn({
        let (data, file) = (data.clone(), file.clone());
        async move { back_up(&data, &file).await.unwrap() }
    });
    // One job is always under way.
    let mut under_way = services.create_job(&alice, raw(20)).await.unwrap().id;
    let mut seed = 21;
    while !backing_up.is_finished() {
        let next = services.create_job(&alice, raw(seed)).await.unwrap().id;
        seed += 1;
        tokio::time::timeout(SOON, services.wait(under_way)).await.expect("it is painted").unwrap();
        under_way = next;
        let pictures = services.history(&alice, HistoryQuery::default()).await.unwrap().pictures;
        services.delete_picture(&alice, pictures[pictures.len() / 2].id).await.unwrap();
    }
    let backed_up = backing_up.await.unwrap();
    assert!(backed_up.n_pictures > 0);
    services.shutdown().await;

    let other = tempfile::tempdir().unwrap();
    let checked = restored(&file, other.path()).await.unwrap();
    assert_eq!(checked.n_pictures, backed_up.n_pictures, "rows never without files");
    let services = open(other.path()).await;
    // The jobs that waited or were worked on at that moment are made here, each once.
    loop {
        let open = services.latest_jobs(&alice, 100).await.unwrap();
        let Some(job) = open.iter().find(|job| !job.status.is_final()) else { break };
        tokio::time::timeout(SOON, services.wait(job.id)).await.expect("it is painted").unwrap();
    }
    for job in services.latest_jobs(&alice, 100).await.unwrap() {
        assert_eq!(job.status, JobStatus::Done);
        assert!(job.pictures.len() <= 2);
    }
    services.shutdown().await;
    drop(services);
    let checked = check_folder(&config(other.path()).data_dir, Mend::No, &mut |_| {}).await.unwrap();
    assert!(checked.is_in_order());
}

#[tokio::test]
async fn a_picture_whose_file_is_gone_is_left_out_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let services = open(folder.path()).await;
    let alice = Visitor::from_token("alice");
    let gone = paint(&services, &alice, asking("a red boat")).await;
    paint(&services, &alice, asking("a blue boat")).await;
    let data = config(folder.path()).data_dir;
    std::fs::remove_file(data.join(format!("pictures/{gone}/1-0.png"))).unwrap();
    let file = folder.path().join("backup.tar");
    let backed_up = back_up(&data, &file).await.unwrap();
    assert_eq!((backed_up.n_pictures, backed_up.n_lost, backed_up.n_deleted), (1, 1, 0));
    let other = tempfile::tempdir().unwrap();
    assert_eq!(restored(&file, other.path()).await.unwrap().n_pictures, 1);
    services.shutdown().await;
}

#[tokio::test]
async fn a_picture_whose_thumbnail_is_lost_is_in_the_backup_with_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let services = open(folder.path()).await;
    let id = paint(&services, &Visitor::from_token("alice"), asking("a red boat")).await;
    let data = config(folder.path()).data_dir;
    let thumbnail = format!("pictures/{id}/1-0.thumbnail.jpg");
    let before = std::fs::read(data.join(&thumbnail)).unwrap();
    std::fs::remove_file(data.join(&thumbnail)).unwrap();
    let file = folder.path().join("backup.tar");
    let backed_up = back_up(&data, &file).await.unwrap();
    assert_eq!((backed_up.n_pictures, backed_up.n_lost), (1, 0));
    let other = tempfile::tempdir().unwrap();
    assert_eq!(restored(&file, other.path()).await.unwrap().n_pictures, 1);
    assert_eq!(std::fs::read(config(other.path()).data_dir.join(&thumbnail)).unwrap(), before);
    services.shutdown().await;
}

#[tokio::test]
async fn a_backup_leaves_nothing_beside_itself_and_takes_no_others_place() {
    let (folder, file) = with_backup().await;
    let data = config(folder.path()).data_dir;
    let names = || {
        let entries = std::fs::read_dir(folder.path()).unwrap().flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names(), ["backup.tar", "data"]);
    let refused = back_up(&data, &file).await.unwrap_err().to_string();
    assert!(refused.ends_with("is there already; choose another name"), "{refused}");
    let refused = back_up(&data, &folder.path().join("nowhere/backup.tar")).await.unwrap_err().to_string();
    assert!(refused.ends_with("is not there; make it first"), "{refused}");
    let refused = back_up(&folder.path().join("nothing"), &folder.path().join("b.tar")).await;
    assert!(refused.unwrap_err().to_string().starts_with("there is no database"));
    assert_eq!(names(), ["backup.tar", "data"]);
}

#[tokio::test]
async fn a_backup_within_the_data_folder_does_not_hold_itself() {
    let (folder, _file) = with_backup().await;
    let data = config(folder.path()).data_dir;
    back_up(&data, &data.join("first.tar")).await.unwrap();
    back_up(&data, &data.join("second.tar")).await.unwrap();
    let names = names_in(&data.join("second.tar"));
    assert!(names.contains(&"first.tar".to_owned()), "what else lies there is in it: {names:?}");
    assert!(!names.iter().any(|name| name.starts_with("second.tar")), "{names:?}");
}

pub(super) fn names_in(file: &Path) -> Vec<String> {
    let mut archive = tar::Archive::new(std::fs::File::open(file).unwrap());
    let entries = archive.entries().unwrap();
    entries.map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect()
}

#[tokio::test]
async fn only_an_empty_folder_is_restored_into() {
    let (folder, file) = with_backup().await;
    let refused = restored(&file, folder.path()).await.unwrap_err().to_string();
    assert!(
        refused.contains("is not empty") && refused.ends_with("name an empty one with --data"),
        "{refused}"
    );
    assert!(
        open(folder.path())
            .await
            .history(&Visitor::from_token("alice"), HistoryQuery::default())
            .await
            .is_ok()
    );

    let other = tempfile::tempdir().unwrap();
    let data = config(other.path()).data_dir;
    std::fs::create_dir_all(data.join("models")).unwrap();
    std::fs::create_dir_all(data.join("lost+found")).unwrap();
    assert!(restored(&file, other.path()).await.is_ok(), "models are no part of a back-up");
}

#[tokio::test]
async fn a_backup_that_breaks_off_or_was_changed_is_refused_and_leaves_nothing() {
    let (folder, file) = with_backup().await;
    let whole = std::fs::read(&file).unwrap();
    let mut changed = whole.clone();
    // In the middle of the first picture's pixels, behind its header.
    changed[512 + 600] ^= 1;
    let cases = [
        ("breaks off", whole[..whole.len() / 2].to_vec()),
        ("breaks off", whole[..whole.len() - 4096].to_vec()),
        ("was changed or damaged", changed),
        ("is no back-up", b"nothing of the kind".to_vec()),
    ];
    for (why, bytes) in cases {
        let broken = folder.path().join("broken.tar");
        std::fs::write(&broken, bytes).unwrap();
        let other = tempfile::tempdir().unwrap();
        let refused = restored(&broken, other.path()).await.unwrap_err().to_string();
        assert!(refused.contains(why), "{why}: {refused}");
        let left: Vec<_> = std::fs::read_dir(config(other.path()).data_dir)
            .unwrap()
            .flatten()
            .map(|entry| entry.file_name())
            .collect();
        assert_eq!(left, ["darkroom.lock"]);
    }
}

#[tokio::test]
async fn a_backup_with_names_that_lead_elsewhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("evil.tar");
    let mut tar = tar::Builder::new(std::fs::File::create(&file).unwrap());
    let mut header = tar::Header::new_gnu();
    header.set_size(4);
    header.set_mode(0o600);
    // The library refuses such a name, so it is written by hand.
    let name = b"../evil";
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_cksum();
    tar.append(&header, &b"evil"[..]).unwrap();
    tar.finish().unwrap();
    let refused = restored(&file, folder.path()).await.unwrap_err().to_string();
    assert!(refused.ends_with("holds `../evil`, which lies in no data folder"), "{refused}");
    assert!(!folder.path().join("evil").exists());
}

#[tokio::test]
async fn the_sums_are_those_that_other_programs_know() {
    let (_folder, file) = with_backup().await;
    let mut archive = tar::Archive::new(std::fs::File::open(&file).unwrap());
    let mut sums = String::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.path().unwrap().ends_with("SHA256SUMS") {
            entry.read_to_string(&mut sums).unwrap();
        }
    }
    // Of "red\nblue\n", by `sha256sum`.
    let expected = "3af00c748ba328d2dede76936248d6bcdc8d4617a27d1b725c4025f3fdee43d1  wildcards/colour.txt";
    assert!(sums.lines().any(|line| line == expected), "{sums}");
}
