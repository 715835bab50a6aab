//! Files that hold something else than they did: told in a sentence, and mended by making the picture anew.

use futures::TryStreamExt;
use types::error::ErrorCode;
use types::job::JobStatus;
use types::picture::{PictureFormat, PictureInfo};
use types::request::RawRequest;

use super::helpers::{TestServices, asking, config, free_running};
use super::uploads::png;
use crate::files::thumbnail_file;
use crate::jobs::worker::Outcome;

/// A picture of Alice's.
async fn with_picture(prompt: &str) -> (TestServices, tempfile::TempDir, PictureInfo) {
    let (mut site, folder) = free_running().await;
    let picture = paint(&mut site, prompt).await;
    (site, folder, picture)
}

async fn paint(site: &mut TestServices, prompt: &str) -> PictureInfo {
    let id = site.ask(prompt).await;
    assert_eq!(site.run_next_job().await, Outcome::Done);
    site.job(id).await.pictures.remove(0)
}

/// Where a picture's PNG lies.
async fn file_of(
    site: &TestServices,
    folder: &tempfile::TempDir,
    picture: &PictureInfo,
) -> std::path::PathBuf {
    let (row, _) = site.services.shared().store.picture(picture.id).await.unwrap().unwrap();
    config(folder.path()).data_dir.join("pictures").join(row.file)
}

/// Changes one byte in the middle of a file.
fn damage(file: &std::path::Path) {
    let mut bytes = std::fs::read(file).unwrap();
    // Behind the texts, in the middle of the pixels.
    let pixels = bytes.windows(4).position(|window| window == b"IDAT").unwrap();
    let middle = usize::midpoint(pixels, bytes.len());
    bytes[middle] ^= 0xff;
    std::fs::write(file, bytes).unwrap();
}

#[tokio::test]
async fn a_damaged_picture_is_said_to_be_so_in_every_format_and_can_be_deleted_and_made_anew() {
    let (mut site, folder, picture) = with_picture("a red boat").await;
    damage(&file_of(&site, &folder, &picture).await);
    for format in PictureFormat::ALL {
        let fault = site.services.picture_file(&site.alice, picture.id, format).await.unwrap_err().public();
        assert_eq!(fault.code, ErrorCode::Internal);
        let sentence = format!(
            "the file of picture {} is lost or damaged; delete the picture and make it anew",
            picture.id
        );
        assert_eq!(fault.message, sentence);
    }
    assert!(site.services.thumbnail(&site.alice, picture.id).await.is_ok(), "the thumbnail is another file");
    site.services.delete_picture(&site.alice, picture.id).await.unwrap();
    let anew = paint(&mut site, "a red boat").await;
    assert!(site.services.picture_file(&site.alice, anew.id, PictureFormat::Png).await.is_ok());
}

#[tokio::test]
async fn a_thumbnail_that_is_damaged_or_lost_is_drawn_from_its_picture() {
    let (site, folder, picture) = with_picture("a red boat").await;
    let whole = site.services.thumbnail(&site.alice, picture.id).await.unwrap().bytes;
    let png = file_of(&site, &folder, &picture).await;
    let file = std::path::PathBuf::from(thumbnail_file(png.to_str().unwrap()));
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(site.services.thumbnail(&site.alice, picture.id).await.unwrap().bytes, whole);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(site.services.thumbnail(&site.alice, picture.id).await.unwrap().bytes, whole);
    damage(&png);
    assert!(
        site.services
            .thumbnail(&site.alice, picture.id)
            .await
            .unwrap_err()
            .to_string()
            .contains("lost or damaged")
    );
}

#[tokio::test]
async fn a_job_that_starts_from_a_damaged_picture_fails_with_a_sentence_and_the_next_one_is_made() {
    let (mut site, folder, picture) = with_picture("a red boat").await;
    damage(&file_of(&site, &folder, &picture).await);
    let raw = RawRequest { start: Some(picture.id.to_string()), ..asking("a blue boat") };
    let id = site.services.create_job(&site.alice, raw).await.unwrap().id;
    assert_eq!(site.run_next_job().await, Outcome::Failed);
    let job = site.job(id).await;
    assert_eq!(job.status, JobStatus::Failed);
    assert_eq!(
        job.error.unwrap(),
        "the file of the picture it starts from is damaged; ask anew with another one"
    );
    paint(&mut site, "a green boat").await;
}

#[tokio::test]
async fn a_job_whose_upload_is_damaged_fails_with_a_sentence() {
    let (mut site, folder) = free_running().await;
    let upload =
        site.services.store_upload(&site.alice, png(image::RgbImage::new(128, 128))).await.unwrap().id;
    let uploads = config(folder.path()).data_dir.join("uploads");
    std::fs::write(uploads.join(format!("{upload}.png")), "no picture").unwrap();
    let raw = RawRequest { start: Some(upload.to_string()), ..asking("a blue boat") };
    let id = site.services.create_job(&site.alice, raw).await.unwrap().id;
    assert_eq!(site.run_next_job().await, Outcome::Failed);
    assert!(
        site.job(id).await.error.unwrap().starts_with("the file of the picture it starts from is damaged")
    );
}

#[tokio::test]
async fn a_zip_holds_the_whole_pictures_and_a_note_in_the_place_of_a_damaged_one() {
    let (mut site, folder, damaged) = with_picture("a red boat").await;
    let whole = paint(&mut site, "a blue boat").await;
    damage(&file_of(&site, &folder, &damaged).await);
    let zip = site.services.zip_pictures(&site.alice, &[damaged.id, whole.id]).await.unwrap();
    let bytes: Vec<u8> = zip.map_ok(|piece| piece.to_vec()).try_concat().await.unwrap();
    let archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let names: Vec<_> =
        archive.file_names().map(|name| name.unwrap().split_once('-').unwrap().1.to_owned()).collect();
    assert_eq!(names, ["a-blue-boat-7.png", "a-red-boat-7.png.txt"]);
}

#[tokio::test]
async fn a_damaged_picture_is_not_given_out_again_for_the_same_request() {
    let folder = tempfile::tempdir().unwrap();
    let config = crate::Config { cache: true, ..config(folder.path()) };
    let engine = std::sync::Arc::new(crate::engine::fake::FakeEngine::new());
    let mut site = TestServices::over(crate::shared::Shared::open(&config, engine).await.unwrap());
    let first = paint(&mut site, "a red boat").await;
    damage(&file_of(&site, &folder, &first).await);
    let id = site.ask("a red boat").await;
    assert_eq!(site.job(id).await.status, JobStatus::Running, "it was handed over to the worker");
    assert_eq!(site.run_next_job().await, Outcome::Done);
    let job = site.job(id).await;
    assert!(!job.cached);
    assert!(site.services.picture_file(&site.alice, job.pictures[0].id, PictureFormat::Png).await.is_ok());
}
