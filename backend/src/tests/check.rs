//! What a check of the data folder finds, beside a server and alone, and what mending does about it.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tokio_util::sync::CancellationToken;
use types::error::ErrorCode;
use types::job::{JobId, JobStatus};
use types::note::Note;
use types::picture::PictureInfo;
use types::request::RawRequest;

use super::helpers::{TestServices, asking, config, free_running};
use super::uploads::png;
use crate::Error;
use crate::check::{Checked, Fault, Finding, Mend, check_folder};
use crate::engine::fake::FakeEngine;
use crate::files::thumbnail_file;
use crate::jobs::worker::Outcome;

/// A data folder with two finished pictures and an upload that a finished job used.
struct Kept {
    site: TestServices,
    folder: tempfile::TempDir,
    pictures: [PictureInfo; 2],
    upload: String,
}

async fn kept() -> Kept {
    let (mut site, folder) = free_running().await;
    let file = png(image::RgbImage::new(128, 128));
    let upload = site.services.store_upload(&site.alice, file).await.unwrap().id;
    let raw = RawRequest { start: Some(upload.to_string()), ..asking("a red boat") };
    let first = site.services.create_job(&site.alice, raw).await.unwrap().id;
    let second = site.ask("a blue boat").await;
    assert_eq!(site.run_next_job().await, Outcome::Done);
    assert_eq!(site.run_next_job().await, Outcome::Done);
    let pictures = [site.job(first).await.pictures.remove(0), site.job(second).await.pictures.remove(0)];
    Kept { site, folder, pictures, upload: format!("uploads/{upload}.png") }
}

impl Kept {
    /// A file of the data folder.
    fn path(&self, file: &str) -> PathBuf {
        config(self.folder.path()).data_dir.join(file)
    }

    /// The PNG of a picture, from the data folder on.
    fn png(&self, index: usize) -> String {
        format!("pictures/{}/1-0.png", self.pictures[index].job_id)
    }

    /// The server stops, and what it kept stays.
    async fn stop(self) -> Stopped {
        let Self { site, folder, pictures, upload } = self;
        site.services.shared().store.clone().close().await.unwrap();
        drop(site);
        Stopped { folder, pictures, upload }
    }
}

struct Stopped {
    folder: tempfile::TempDir,
    pictures: [PictureInfo; 2],
    upload: String,
}

impl Stopped {
    fn path(&self, file: &str) -> PathBuf {
        config(self.folder.path()).data_dir.join(file)
    }

    fn png(&self, index: usize) -> String {
        format!("pictures/{}/1-0.png", self.pictures[index].job_id)
    }

    async fn mend(&self) -> (Checked, Vec<Finding>) {
        check(self.folder.path(), Mend::Carefully).await.unwrap()
    }

    async fn start(&self) -> TestServices {
        TestServices::open(self.folder.path(), FakeEngine::new()).await
    }

    /// All is in order now, and stays so over a start.
    async fn is_in_order(&self) {
        assert_eq!(check(self.folder.path(), Mend::No).await.unwrap().1, []);
    }
}

async fn check(folder: &Path, mend: Mend) -> Result<(Checked, Vec<Finding>), Error> {
    let mut found = Vec::new();
    let checked =
        check_folder(&config(folder).data_dir, mend, &mut |finding| found.push(finding.clone())).await?;
    Ok((checked, found))
}

/// Each finding's file and fault.
fn faults(found: &[Finding]) -> Vec<(&str, &Fault)> {
    found.iter().map(|finding| (finding.what.as_str(), &finding.fault)).collect()
}

/// As if the file had been written two minutes ago.
fn make_old(file: &Path) {
    let file = std::fs::File::options().write(true).open(file).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_mins(2)).unwrap();
}

#[tokio::test]
async fn a_folder_in_order_is_in_order_beside_a_server_and_alone() {
    let kept = kept().await;
    let in_order = Checked { n_pictures: 2, n_uploads: 1, n_found: 0, n_mended: 0 };
    assert_eq!(check(kept.folder.path(), Mend::No).await.unwrap(), (in_order, Vec::new()));
    let stopped = kept.stop().await;
    assert_eq!(check(stopped.folder.path(), Mend::No).await.unwrap(), (in_order, Vec::new()));
    assert_eq!(stopped.mend().await, (in_order, Vec::new()));
}

#[tokio::test]
async fn mending_wants_the_folder_for_itself() {
    let kept = kept().await;
    let refused = check(kept.folder.path(), Mend::Carefully).await.unwrap_err();
    assert!(matches!(refused, Error::DataFolderInUse(_)), "{refused}");
}

#[tokio::test]
async fn a_folder_without_a_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let refused = check(folder.path(), Mend::No).await.unwrap_err().public();
    assert_eq!(refused.code, ErrorCode::InvalidField);
    assert!(refused.message.starts_with("there is no database in the data folder"), "{refused}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_row_without_its_file_is_found_and_removed_and_the_job_says_so() {
    let kept = kept().await;
    std::fs::remove_file(kept.path(&kept.png(0))).unwrap();
    let (_, found) = check(kept.folder.path(), Mend::No).await.unwrap();
    assert_eq!(faults(&found), [(kept.png(0).as_str(), &Fault::Lost)]);
    assert_eq!(found[0].mended, None);

    let stopped = kept.stop().await;
    let (checked, found) = stopped.mend().await;
    assert!(checked.is_in_order() && checked.n_found == 1);
    assert_eq!(
        found[0].to_string(),
        format!("{}: the file is missing; its row was removed, and the job says so", stopped.png(0))
    );
    stopped.is_in_order().await;
    let site = stopped.start().await;
    assert_eq!(site.history().await, ["a blue boat"]);
    let job = site.job(stopped.pictures[0].job_id).await;
    assert_eq!((job.status, job.pictures.len(), job.notes), (JobStatus::Done, 0, vec![Note::PictureLost]));
}

#[tokio::test]
async fn a_damaged_picture_is_found_and_moved_away_with_its_thumbnail() {
    let kept = kept().await;
    let file = kept.png(0);
    let mut bytes = std::fs::read(kept.path(&file)).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    std::fs::write(kept.path(&file), &bytes).unwrap();
    let (_, found) = check(kept.folder.path(), Mend::No).await.unwrap();
    let [Finding { what, fault: Fault::Damaged(_), mended: None }] = &found[..] else { panic!("{found:?}") };
    assert_eq!(*what, file);

    let stopped = kept.stop().await;
    stopped.mend().await;
    for file in [file.clone(), thumbnail_file(&file)] {
        assert!(!stopped.path(&file).exists());
        assert!(stopped.path("lost+found").join(file).exists());
    }
    stopped.is_in_order().await;
}

#[tokio::test]
async fn a_picture_of_another_size_than_its_row_says_is_damaged() {
    let kept = kept().await;
    std::fs::write(kept.path(&kept.png(1)), png(image::RgbImage::new(64, 32))).unwrap();
    let (_, found) = check(kept.folder.path(), Mend::No).await.unwrap();
    let sentence = "it has 64x32 pixels and should have 128x128".to_owned();
    assert_eq!(faults(&found), [(kept.png(1).as_str(), &Fault::Damaged(sentence))]);
}

#[tokio::test]
async fn a_thumbnail_that_is_missing_or_damaged_is_made_anew_the_same() {
    let kept = kept().await;
    let thumbnails = [0, 1].map(|index| thumbnail_file(&kept.png(index)));
    let before = thumbnails.clone().map(|file| std::fs::read(kept.path(&file)).unwrap());
    std::fs::remove_file(kept.path(&thumbnails[0])).unwrap();
    std::fs::write(kept.path(&thumbnails[1]), &before[1][..before[1].len() / 2]).unwrap();
    let stopped = kept.stop().await;
    let (_, found) = stopped.mend().await;
    assert_eq!(
        faults(&found),
        [(&*thumbnails[0], &Fault::NoThumbnail), (&*thumbnails[1], &Fault::DamagedThumbnail)]
    );
    assert_eq!(thumbnails.map(|file| std::fs::read(stopped.path(&file)).unwrap()), before);
    stopped.is_in_order().await;
}

#[tokio::test]
async fn a_lost_upload_is_found_and_removed_though_a_job_used_it() {
    let kept = kept().await;
    std::fs::remove_file(kept.path(&kept.upload)).unwrap();
    let stopped = kept.stop().await;
    let (_, found) = stopped.mend().await;
    assert_eq!(faults(&found), [(stopped.upload.as_str(), &Fault::Lost)]);
    stopped.is_in_order().await;
    let site = stopped.start().await;
    assert_eq!(site.history().await.len(), 2, "the pictures that were made of it stay");
}

#[tokio::test]
async fn files_without_a_row_are_moved_away_and_unfinished_ones_deleted() {
    let kept = kept().await;
    let upload = "0123456789abcdef0123456789abcdef";
    let orphans = [
        format!("pictures/{}/7-3.png", kept.pictures[0].job_id),
        format!("pictures/{}/7-3.thumbnail.jpg", kept.pictures[0].job_id),
        format!("pictures/{}/1-0.png", "f".repeat(32)),
        format!("uploads/{upload}.webp"),
    ];
    let unfinished = [format!("{}#1", orphans[0]), format!("uploads/{upload}.png#0")];
    let foreign = ["pictures/notes.txt", "uploads/holiday.png"].map(str::to_owned);
    for file in orphans.iter().chain(&unfinished).chain(&foreign) {
        let path = kept.path(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "bytes").unwrap();
    }
    let (_, found) = check(kept.folder.path(), Mend::No).await.unwrap();
    assert_eq!(found, [], "beside a server, a file that was just written may get its row yet");
    for file in orphans.iter().chain(&unfinished) {
        make_old(&kept.path(file));
    }
    let (_, found) = check(kept.folder.path(), Mend::No).await.unwrap();
    assert_eq!(found.len(), orphans.len() + unfinished.len(), "{found:?}");

    let stopped = kept.stop().await;
    let (checked, found) = stopped.mend().await;
    assert_eq!((checked.n_found, checked.n_mended), (6, 6), "{found:?}");
    for file in &orphans {
        assert!(found.iter().any(|found| found.what == *file && found.fault == Fault::NoRow), "{file}");
        assert!(!stopped.path(file).exists());
        assert_eq!(std::fs::read(stopped.path("lost+found").join(file)).unwrap(), b"bytes");
    }
    for file in &unfinished {
        assert!(found.iter().any(|found| found.what == *file && found.fault == Fault::Unfinished), "{file}");
        assert!(!stopped.path(file).exists());
    }
    for file in &foreign {
        assert!(stopped.path(file).exists(), "what others put there is left alone");
    }
    // Another one of the same name takes no other's place.
    std::fs::write(stopped.path(&orphans[3]), "more bytes").unwrap();
    stopped.mend().await;
    let second = format!("lost+found/{}.2", orphans[3]);
    assert_eq!(std::fs::read(stopped.path(&second)).unwrap(), b"more bytes");
    stopped.is_in_order().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_beside_a_busy_server_finds_nothing() {
    let (mut site, folder) = free_running().await;
    site.ask("a red boat").await;
    assert_eq!(site.run_next_job().await, Outcome::Done);
    let enough = CancellationToken::new();
    let checking = tokio::spawn({
        let (folder, enough) = (folder.path().to_owned(), enough.clone());
        async move {
            let mut n_checks = 0;
            while !enough.is_cancelled() {
                let (checked, found) = check(&folder, Mend::No).await.unwrap();
                assert_eq!(found, []);
                assert!(checked.n_pictures > 0, "there is something to see");
                n_checks += 1;
            }
            n_checks
        }
    });
    let mut made: Vec<(JobId, PictureInfo)> = Vec::new();
    for _ in 0..40 {
        let id = site.ask("a red boat").await;
        assert_eq!(site.run_next_job().await, Outcome::Done);
        made.push((id, site.job(id).await.pictures.remove(0)));
        // Some are deleted, alone or with their jobs.
        if made.len().is_multiple_of(4) {
            let (_, picture) = &made[made.len() - 2];
            site.services.delete_picture(&site.alice, picture.id).await.unwrap();
            site.services.delete_job(&site.alice, made[made.len() - 4].0).await.unwrap();
        }
    }
    enough.cancel();
    assert!(checking.await.unwrap() > 0);
}

#[tokio::test]
async fn a_damaged_database_is_said_to_be_so() {
    let kept = kept().await;
    let (start, length) = kept.site.services.shared().store.page_of("pictures_by_age").await;
    let stopped = kept.stop().await;
    let database = stopped.path("darkroom.sqlite3");
    let mut bytes = std::fs::read(&database).unwrap();
    bytes[start as usize..(start + length) as usize].fill(0xff);
    std::fs::write(&database, bytes).unwrap();
    let (checked, found) = check(stopped.folder.path(), Mend::No).await.unwrap();
    assert!(!checked.is_in_order());
    assert!(matches!(found[0].fault, Fault::Database(_)), "{found:?}");
    assert!(found[0].to_string().starts_with("darkroom.sqlite3: the database is damaged: "), "{}", found[0]);
}
