//! What visitors send: kept, used, and swept.

use std::io::Cursor;

use bytes::Bytes;
use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage};
use time::{Duration, OffsetDateTime};
use types::error::ErrorCode;
use types::job::{JobId, JobStatus};
use types::picture::{PictureFormat, PictureId};
use types::request::{PictureSource, RawRequest};
use types::upload::{MAX_UPLOAD_BYTES, UploadId, UploadInfo};
use uuid::Uuid;

use super::helpers::{TestServices, asking, config, free_running, gated, is_step, read_until};
use crate::access::Limits;
use crate::engine::fake::FakeEngine;
use crate::jobs::worker::Outcome;
use crate::store::{Inserted, NewJob, Store};
use crate::uploads;

/// A colour that the fake engine never paints all over.
const TEAL: Rgb<u8> = Rgb([10, 200, 190]);

pub(super) fn png(image: impl Into<DynamicImage>) -> Bytes {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner().into()
}

/// A picture of one colour.
fn teal(width: u32, height: u32) -> Bytes {
    png(RgbImage::from_pixel(width, height, TEAL))
}

/// A mask that lets the right half be painted anew.
fn right_half(width: u32, height: u32) -> Bytes {
    png(GrayImage::from_fn(width, height, |x, _| Luma([if x < width / 2 { 0 } else { 255 }])))
}

/// A request that starts from an upload.
fn starting_from(upload: UploadId) -> RawRequest {
    RawRequest { start: Some(upload.to_string()), ..asking("a red boat") }
}

impl TestServices {
    /// Alice sends a file.
    async fn send(&self, bytes: Bytes) -> UploadInfo {
        self.services.store_upload(&self.alice, bytes).await.unwrap()
    }

    async fn ask_raw(&self, raw: RawRequest) -> JobId {
        self.services.create_job(&self.alice, raw).await.unwrap().id
    }

    /// The sentence with which Alice's request is refused, behind its field.
    async fn refusal(&self, raw: RawRequest) -> String {
        let error = self.services.create_job(&self.alice, raw).await.unwrap_err().public();
        format!("{}: {}", error.field.unwrap_or_default(), error.message)
    }

    /// The pixels of the only picture of a job.
    async fn pixels(&self, id: JobId) -> RgbImage {
        let picture = self.job(id).await.pictures.remove(0);
        let file = self.services.picture_file(&self.alice, picture.id, PictureFormat::Png).await.unwrap();
        image::load_from_memory(&file.bytes).unwrap().into_rgb8()
    }

    /// How many files lie in the uploads' folder.
    fn n_files(folder: &tempfile::TempDir) -> usize {
        std::fs::read_dir(config(folder.path()).data_dir.join("uploads")).unwrap().count()
    }

    /// Sweeps as if it were so much later.
    async fn sweep_after(&self, time: Duration) -> usize {
        uploads::sweep_unused(&self.services.shared(), OffsetDateTime::now_utc() + time).await.unwrap()
    }
}

#[tokio::test]
async fn an_upload_comes_back_as_it_was_sent_and_to_its_owner_alone() {
    let (site, _folder) = free_running().await;
    let bytes = teal(96, 64);
    let info = site.send(bytes.clone()).await;
    assert_eq!((info.width, info.height), (96, 64));
    assert_eq!(site.services.upload_info(&site.alice, info.id).await.unwrap(), info);
    let file = site.services.upload_file(&site.alice, info.id).await.unwrap();
    assert_eq!((file.bytes, file.content_type), (bytes, "image/png"));

    let unknown = format!("there is no upload with the id {}", info.id);
    for error in [
        site.services.upload_info(&site.bob, info.id).await.err().unwrap(),
        site.services.upload_file(&site.bob, info.id).await.err().unwrap(),
    ] {
        let error = error.public();
        assert_eq!((error.code, error.message), (ErrorCode::NotFound, unknown.clone()));
    }
}

#[tokio::test]
async fn what_is_no_picture_is_refused_and_nothing_is_kept() {
    let (site, folder) = free_running().await;
    let half = teal(96, 64);
    let half = half.slice(..half.len() / 2);
    for (bytes, sentence) in [
        (Bytes::from_static(b"hello"), "the file is not an image; allowed are PNG, JPEG and WebP".to_owned()),
        (Bytes::new(), "the file is empty; send a PNG, JPEG or WebP image".to_owned()),
        (half, "the file breaks off before its end; send it again".to_owned()),
        (
            vec![0; MAX_UPLOAD_BYTES + 1].into(),
            "the file has 33554433 bytes; at most 33554432 are allowed".to_owned(),
        ),
    ] {
        let error = site.services.store_upload(&site.alice, bytes).await.unwrap_err().public();
        assert_eq!((error.code, error.field.as_deref()), (ErrorCode::InvalidField, Some("file")));
        assert_eq!(error.message, sentence);
    }
    assert_eq!(TestServices::n_files(&folder), 0);
}

#[tokio::test]
async fn a_job_starts_from_an_upload_and_keeps_what_the_mask_covers() {
    let (mut site, _folder) = free_running().await;
    let start = site.send(teal(96, 64)).await;
    let mask = site.send(right_half(96, 64)).await;
    let raw = RawRequest { mask: Some(mask.id.to_string()), strength: Some(1.0), ..starting_from(start.id) };
    let id = site.ask_raw(raw).await;
    let request = site.job(id).await.request;
    assert_eq!((request.width, request.height), (96, 64));
    assert_eq!(request.start.unwrap().source, PictureSource::Upload(start.id));
    assert_eq!(site.run_next_job().await, Outcome::Done);

    let pixels = site.pixels(id).await;
    let n_kept = |range: std::ops::Range<u32>| {
        let all = range.flat_map(|x| (0..64).map(move |y| (x, y)));
        all.filter(|(x, y)| *pixels.get_pixel(*x, *y) == TEAL).count()
    };
    assert_eq!((n_kept(0..48), n_kept(48..96)), (48 * 64, 0));
}

#[tokio::test]
async fn margins_lie_around_the_start_and_the_picture_is_as_large_as_both() {
    let (mut site, _folder) = free_running().await;
    let start = site.send(teal(96, 64)).await;
    let raw = RawRequest {
        outpaint_left: Some(32),
        outpaint_bottom: Some(16),
        strength: Some(0.5),
        ..starting_from(start.id)
    };
    let id = site.ask_raw(raw).await;
    site.run_next_job().await;
    let job = site.job(id).await;
    assert_eq!((job.pictures[0].width, job.pictures[0].height), (128, 80));
    let (with, without) = (site.pixels(id).await, {
        let raw = RawRequest { width: Some(128), height: Some(80), ..asking("a red boat") };
        let id = site.ask_raw(raw).await;
        site.run_next_job().await;
        site.pixels(id).await
    });
    let differs = |x, y| with.get_pixel(x, y) != without.get_pixel(x, y);
    assert!(differs(40, 10) && differs(127, 63), "the start shows through");
    assert!(!differs(31, 10) && !differs(127, 64), "what lies around it is painted");
}

#[tokio::test]
async fn a_start_of_another_size_is_scaled_to_the_picture() {
    let (mut site, _folder) = free_running().await;
    let start = site.send(teal(1000, 500)).await;
    let id = site.ask_raw(RawRequest { strength: Some(0.25), ..starting_from(start.id) }).await;
    site.run_next_job().await;
    assert_eq!(site.pixels(id).await.dimensions(), (512, 256));
}

#[tokio::test]
async fn a_finished_picture_of_ones_own_is_a_start_too() {
    let (mut site, _folder) = free_running().await;
    let first = site.ask("a blue boat").await;
    site.run_next_job().await;
    let picture = site.job(first).await.pictures[0].id;
    let raw = RawRequest { start: Some(picture.to_string()), strength: Some(0.25), ..asking("a red boat") };
    let id = site.ask_raw(raw.clone()).await;
    assert_eq!(site.job(id).await.request.start.unwrap().source, PictureSource::Picture(picture));
    assert_eq!(site.run_next_job().await, Outcome::Done);

    let error = site.services.create_job(&site.bob, raw).await.unwrap_err().public();
    assert_eq!(
        error.message,
        format!("start `{picture}` is neither an upload nor a picture of yours; upload it, or leave it out")
    );
}

#[tokio::test]
async fn a_second_pass_makes_a_larger_picture() {
    let (mut site, _folder) = free_running().await;
    let raw = RawRequest { hires_scale: Some(2.0), ..asking("a red boat") };
    let id = site.ask_raw(raw).await;
    let mut events = site.events(id, None).await;
    let working = site.begin_next_job();
    read_until(&mut events, is_step(4 + 2)).await;
    assert_eq!(working.await.unwrap(), Outcome::Done);
    let job = site.job(id).await;
    assert_eq!((job.pictures[0].width, job.pictures[0].height), (256, 256));
    assert_eq!(site.pixels(id).await.dimensions(), (256, 256));
    assert_eq!(site.run_next_job().await, Outcome::Idle);
}

#[tokio::test]
async fn the_uploads_of_somebody_else_are_as_unknown_as_none() {
    let (site, _folder) = free_running().await;
    let bobs = site.services.store_upload(&site.bob, teal(96, 64)).await.unwrap().id;
    let own = site.send(teal(96, 64)).await.id;
    let none = UploadId(Uuid::nil());
    for unknown in [bobs, none] {
        assert_eq!(
            site.refusal(starting_from(unknown)).await,
            format!(
                "start: start `{unknown}` is neither an upload nor a picture of yours; upload it, or leave it out"
            )
        );
        let masked = RawRequest { mask: Some(unknown.to_string()), ..starting_from(own) };
        assert_eq!(
            site.refusal(masked).await,
            format!("mask: mask `{unknown}` is not an upload of yours; upload it, or leave it out")
        );
    }
}

#[tokio::test]
async fn ones_own_uploads_that_no_job_uses_can_be_discarded() {
    let (site, folder) = free_running().await;
    let (used, unused) = (site.send(teal(96, 64)).await.id, site.send(teal(96, 64)).await.id);
    let bobs = site.services.store_upload(&site.bob, teal(96, 64)).await.unwrap().id;
    site.services.create_job(&site.alice, starting_from(used)).await.unwrap();
    site.services.discard_uploads(&site.alice, &[used, unused, bobs]).await;
    assert!(site.services.upload_file(&site.alice, used).await.is_ok());
    assert!(site.services.upload_file(&site.bob, bobs).await.is_ok());
    let error = site.services.upload_file(&site.alice, unused).await.unwrap_err().public();
    assert_eq!(error.code, ErrorCode::NotFound);
    assert_eq!(TestServices::n_files(&folder), 2);
}

#[tokio::test]
async fn a_mask_of_another_size_than_the_start_is_refused() {
    let (site, _folder) = free_running().await;
    let (start, mask) = (site.send(teal(96, 64)).await, site.send(right_half(64, 96)).await);
    let raw = RawRequest { mask: Some(mask.id.to_string()), ..starting_from(start.id) };
    assert_eq!(
        site.refusal(raw).await,
        "mask: the mask has 64x96 pixels; allowed are 96x64, as the start picture has"
    );
}

#[tokio::test]
async fn a_job_whose_start_was_deleted_fails_with_a_sentence_and_the_worker_goes_on() {
    let (mut site, _folder) = free_running().await;
    let first = site.ask("a blue boat").await;
    site.run_next_job().await;
    let picture: PictureId = site.job(first).await.pictures[0].id;
    let id = site.ask_raw(RawRequest { start: Some(picture.to_string()), ..asking("a red boat") }).await;
    site.services.delete_picture(&site.alice, picture).await.unwrap();
    assert_eq!(site.run_next_job().await, Outcome::Failed);
    let job = site.job(id).await;
    assert_eq!(
        (job.status, job.error.as_deref(), job.error_code),
        (
            JobStatus::Failed,
            Some("the picture it starts from is not there any more; ask anew with another one"),
            Some(ErrorCode::NotFound)
        )
    );
    site.ask("another").await;
    assert_eq!(site.run_next_job().await, Outcome::Done);
}

#[tokio::test]
async fn a_job_whose_masks_file_is_lost_fails_with_a_sentence() {
    let (mut site, folder) = free_running().await;
    let (start, mask) = (site.send(teal(96, 64)).await, site.send(right_half(96, 64)).await);
    let raw = RawRequest { mask: Some(mask.id.to_string()), ..starting_from(start.id) };
    let id = site.ask_raw(raw).await;
    std::fs::remove_file(config(folder.path()).data_dir.join(format!("uploads/{}.png", mask.id))).unwrap();
    assert_eq!(site.run_next_job().await, Outcome::Failed);
    assert_eq!(
        site.job(id).await.error.unwrap(),
        "its mask is not there any more; ask anew with another one"
    );
}

#[tokio::test]
async fn an_upload_that_no_job_uses_is_deleted_after_a_day_and_one_that_a_job_uses_is_not() {
    let (mut site, folder) = free_running().await;
    let (used, unused) = (site.send(teal(96, 64)).await, site.send(teal(64, 96)).await);
    let id = site.ask_raw(starting_from(used.id)).await;
    assert_eq!(site.sweep_after(Duration::hours(23)).await, 0);
    assert_eq!(site.sweep_after(Duration::hours(25)).await, 1);
    assert!(site.services.upload_info(&site.alice, unused.id).await.is_err());
    assert_eq!(TestServices::n_files(&folder), 1);

    assert_eq!(site.run_next_job().await, Outcome::Done);
    assert_eq!(site.sweep_after(Duration::days(400)).await, 0, "as long as the job");
    assert_eq!(site.job(id).await.status, JobStatus::Done);
    assert!(site.services.upload_file(&site.alice, used.id).await.is_ok());
    assert!(site.refusal(starting_from(unused.id)).await.contains("is neither an upload nor"));
}

#[tokio::test]
async fn an_upload_that_was_swept_after_the_request_was_checked_leaves_no_job() {
    let (site, _folder) = free_running().await;
    let upload = site.send(teal(96, 64)).await;
    let id = site.ask_raw(starting_from(upload.id)).await;
    let mut request = site.job(id).await.request;
    let gone = PictureSource::Upload(UploadId(Uuid::nil()));
    request.start.as_mut().unwrap().source = gone;
    let store = site.services.shared().store.clone();
    let job =
        NewJob { request: &request, fingerprint: None, once: None, cached: false, limits: Limits::default() };
    assert!(matches!(store.insert_job(&site.alice, job).await.unwrap(), Inserted::Swept));
    assert_eq!(site.services.latest_jobs(&site.alice, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn files_of_uploads_that_were_written_just_before_the_end_are_swept() {
    let (site, folder) = free_running().await;
    let kept = site.send(teal(96, 64)).await;
    let data = config(folder.path()).data_dir.join("uploads");
    let without_row = data.join("0123456789abcdef0123456789abcdef.jpg");
    let half = data.join("0123456789abcdef0123456789abcdef.png#1");
    let notes = data.join("notes.txt");
    for file in [&without_row, &half, &notes] {
        std::fs::write(file, "bytes").unwrap();
    }
    drop(site);
    let site = TestServices::open(folder.path(), FakeEngine::new()).await;
    assert_eq!(uploads::sweep_files(&site.services.shared()).await.unwrap(), 2);
    assert!(!without_row.exists() && !half.exists() && notes.exists());
    assert!(site.services.upload_file(&site.alice, kept.id).await.is_ok());
}

#[tokio::test]
async fn an_image_to_image_job_that_the_program_died_over_is_finished_after_the_restart() {
    let (site, folder, gate) = gated().await;
    let start = site.send(teal(96, 64)).await;
    let mask = site.send(right_half(96, 64)).await;
    let raw = RawRequest { mask: Some(mask.id.to_string()), strength: Some(1.0), ..starting_from(start.id) };
    let id = site.ask_raw(raw).await;
    let mut events = site.events(id, None).await;
    let working = site.begin_next_job();
    gate.allow(2);
    read_until(&mut events, is_step(2)).await;
    working.abort();
    assert!(working.await.unwrap_err().is_cancelled());
    drop(site);

    let mut site = TestServices::open(folder.path(), FakeEngine::new()).await;
    uploads::sweep_at_start(&site.services.shared()).await;
    assert_eq!(site.run_next_job().await, Outcome::Done);
    let pixels = site.pixels(id).await;
    assert_eq!(*pixels.get_pixel(3, 3), TEAL, "what the mask covers was kept");
    assert_ne!(*pixels.get_pixel(90, 3), TEAL);
}

/// Looks now and then until it is so, and does not for ever.
async fn soon(is_so: impl AsyncFn() -> bool) {
    let looking = async {
        while !is_so().await {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), looking).await.expect("it comes to be so");
}

#[tokio::test]
async fn a_sender_who_hangs_up_leaves_no_file_without_its_row() {
    let (site, folder) = free_running().await;
    let other = Store::look(&config(folder.path()).data_dir.join("darkroom.sqlite3")).await.unwrap();
    let lock = other.begin_writing().await.unwrap();
    let (services, alice) = (site.services.clone(), site.alice.clone());
    let sending = tokio::spawn(async move { services.store_upload(&alice, teal(96, 64)).await });
    // The file is there, and its row waits for the lock.
    soon(async || TestServices::n_files(&folder) > 0).await;
    sending.abort();
    assert!(sending.await.unwrap_err().is_cancelled());
    lock.rollback().await.unwrap();
    let shared = site.services.shared();
    soon(async || shared.store.has_uploads().await.unwrap()).await;
    assert_eq!(uploads::sweep_files(&shared).await.unwrap(), 0, "every file has its row");
    assert_eq!(TestServices::n_files(&folder), 1);
}
