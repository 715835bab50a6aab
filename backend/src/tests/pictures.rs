use types::picture::PictureFormat;
use types::picture::THUMBNAIL_SIDE;
use types::request::RawRequest;

use super::helpers::{TestServices, asking, free_running};
use crate::PictureFile;
use types::picture::PictureId;

/// A picture that was made and stored.
async fn with_picture() -> (TestServices, tempfile::TempDir, PictureId) {
    let (mut site, folder) = free_running().await;
    let raw = RawRequest { width: Some(320), height: Some(192), ..asking("a red boat") };
    let job = site.services.create_job(&site.alice, raw).await.unwrap();
    site.run_next_job().await;
    let id = site.job(job.id).await.pictures[0].id;
    (site, folder, id)
}

async fn file(site: &TestServices, id: PictureId, format: PictureFormat) -> PictureFile {
    site.services.picture_file(&site.alice, id, format).await.unwrap()
}

#[tokio::test]
async fn a_picture_is_had_in_every_format_with_a_name_and_a_tag_of_its_own() {
    let (site, _folder, id) = with_picture().await;
    for format in PictureFormat::ALL {
        let file = file(&site, id, format).await;
        assert_eq!(file.content_type, format.content_type());
        assert_eq!(file.file_name, format!("darkroom-a-red-boat-7.{}", format.extension()));
        assert_eq!(file.etag, format!("\"{id}-{}\"", format.extension()));
        let image = image::load_from_memory(&file.bytes).unwrap();
        assert_eq!((image.width(), image.height()), (320, 192));
    }
}

#[tokio::test]
async fn the_settings_are_inside_the_png() {
    let (site, _folder, id) = with_picture().await;
    let png = file(&site, id, PictureFormat::Png).await.bytes;
    let reader = png::Decoder::new(std::io::Cursor::new(&png)).read_info().unwrap();
    let chunks = &reader.info().uncompressed_latin1_text;
    let settings = &chunks.iter().find(|chunk| chunk.keyword == "parameters").unwrap().text;
    assert!(settings.starts_with("a red boat\nSteps: 4, Sampler: DPM++ 2M"), "{settings}");
    assert!(settings.contains("Seed: 7, Size: 320x192, Model: demo"), "{settings}");
}

#[tokio::test]
async fn a_thumbnail_is_small() {
    let (site, _folder, id) = with_picture().await;
    let thumbnail = site.services.thumbnail(&site.alice, id).await.unwrap();
    let image = image::load_from_memory(&thumbnail.bytes).unwrap();
    assert_eq!((image.width(), image.height()), (THUMBNAIL_SIDE, 153));
    assert_eq!(thumbnail.content_type, "image/jpeg");
}

#[tokio::test]
async fn the_same_request_gives_the_same_bytes() {
    let (mut site, _folder, first) = with_picture().await;
    let raw = RawRequest { width: Some(320), height: Some(192), ..asking("a red boat") };
    let job = site.services.create_job(&site.alice, raw).await.unwrap();
    site.run_next_job().await;
    let second = site.job(job.id).await.pictures[0].id;
    for format in PictureFormat::ALL {
        assert_eq!(file(&site, first, format).await.bytes, file(&site, second, format).await.bytes);
    }
}
