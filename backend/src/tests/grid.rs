//! A grid is one job: its cells in order, and the sheet behind them.

use std::sync::Arc;

use image::RgbImage;
use types::event::JobEvent;
use types::job::{JobId, JobStatus};
use types::metadata::Program;
use types::picture::{PictureFormat, PictureInfo};
use types::request::{RawGrid, RawGridAxis, RawRequest};
use types::sampler::Sampler;

use super::helpers::{TestServices, asking, config, free_running, gated, is_step, read_until};
use crate::Config;
use crate::engine::fake::FakeEngine;
use crate::jobs::worker::Outcome;
use crate::metadata::texts;
use crate::pictures::Decoded;
use crate::shared::Shared;

/// Two samplers by two numbers of steps: four cells.
fn asking_for_grid() -> RawRequest {
    let grid = RawGrid {
        columns: RawGridAxis::typed("sampler", "euler, ddim"),
        rows: Some(RawGridAxis::typed("steps", "2, 3")),
        sheets: None,
    };
    RawRequest { grid: Some(grid), ..asking("a red boat") }
}

async fn ask(site: &TestServices) -> JobId {
    site.services.create_job(&site.alice, asking_for_grid()).await.unwrap().id
}

async fn file(site: &TestServices, picture: &PictureInfo, format: PictureFormat) -> Vec<u8> {
    site.services.picture_file(&site.alice, picture.id, format).await.unwrap().bytes.to_vec()
}

async fn pixels(site: &TestServices, picture: &PictureInfo) -> RgbImage {
    Decoded::read(&file(site, picture, PictureFormat::Png).await).unwrap().into_rgb()
}

#[tokio::test]
async fn a_grid_is_one_job_with_its_cells_in_order_and_the_sheet_behind_them() {
    let (mut site, _folder) = free_running().await;
    let id = ask(&site).await;
    assert_eq!(site.run_next_job().await, Outcome::Done);
    let job = site.job(id).await;
    assert_eq!((job.status, job.request.count), (JobStatus::Done, 5));
    let told: Vec<_> = job.pictures.iter().map(|picture| (picture.index, picture.seed)).collect();
    assert_eq!(told, [(0, 7), (1, 7), (2, 7), (3, 7), (4, 7)]);
    assert!(job.pictures[..4].iter().all(|cell| (cell.width, cell.height) == (128, 128)));

    let sheet = pixels(&site, &job.pictures[4]).await;
    assert_eq!(sheet.dimensions(), (job.pictures[4].width, job.pictures[4].height));
    assert!(sheet.width() > 256 && sheet.height() > 256, "{:?}", sheet.dimensions());
    let cell = pixels(&site, &job.pictures[3]).await;
    let (right, below) = (sheet.width() - 13 - 128, sheet.height() - 13 - 128);
    let last = image::imageops::crop_imm(&sheet, right, below, 128, 128).to_image();
    assert!(last == cell, "the last cell stands at the lower right");
}

#[tokio::test]
async fn a_cell_is_the_picture_that_it_would_be_alone_and_says_so_in_every_format() {
    let (mut site, _folder) = free_running().await;
    let grid = ask(&site).await;
    site.run_next_job().await;
    let alone = RawRequest { sampler: Some("ddim".into()), steps: Some(3), ..asking("a red boat") };
    let alone = site.services.create_job(&site.alice, alone).await.unwrap().id;
    site.run_next_job().await;
    let (grid, alone) = (site.job(grid).await, site.job(alone).await);
    for format in PictureFormat::ALL {
        let cell = file(&site, &grid.pictures[3], format).await;
        assert!(cell == file(&site, &alone.pictures[0], format).await, "{format:?}");
    }
    let texts = texts(&file(&site, &grid.pictures[3], PictureFormat::Png).await);
    assert!(texts[0].1.contains("Steps: 3, Sampler: DDIM"), "{texts:?}");
}

#[tokio::test]
async fn a_cell_that_is_read_asks_for_itself_and_the_sheet_for_the_whole_grid() {
    let (mut site, _folder) = free_running().await;
    let id = ask(&site).await;
    site.run_next_job().await;
    let pictures = site.job(id).await.pictures;
    let cell = file(&site, &pictures[1], PictureFormat::Png).await;
    let read = site.services.read_settings(&site.alice, cell.into()).await.unwrap();
    assert_eq!(read.program, Program::Darkroom);
    assert_eq!((read.request.sampler.as_deref(), read.request.steps), (Some("ddim"), Some(2)));
    assert_eq!(read.request.grid, None);
    let sheet = file(&site, &pictures[4], PictureFormat::Webp).await;
    let read = site.services.read_settings(&site.alice, sheet.into()).await.unwrap();
    let fields: Vec<_> = read.request.grid.unwrap().fields().into_iter().map(|(_, text)| text).collect();
    assert_eq!(fields, ["sampler", "euler, ddim", "steps", "2, 3"]);
}

#[tokio::test]
async fn each_cell_tells_its_own_steps() {
    let (mut site, _folder) = free_running().await;
    let id = ask(&site).await;
    let mut events = site.events(id, None).await;
    site.run_next_job().await;
    let told = read_until(&mut events, JobEvent::is_final).await;
    assert!(told.is_sorted_by(|a, b| a.number < b.number), "{told:?}");
    let steps: Vec<_> = told
        .iter()
        .filter_map(|event| match &event.event {
            JobEvent::Progress { progress, .. } if progress.step > 0 => {
                Some((progress.picture, progress.step, progress.n_steps, progress.n_pictures))
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        steps,
        [
            (1, 1, 2, 5),
            (1, 2, 2, 5),
            (2, 1, 2, 5),
            (2, 2, 2, 5),
            (3, 1, 3, 5),
            (3, 2, 3, 5),
            (3, 3, 3, 5),
            (4, 1, 3, 5),
            (4, 2, 3, 5),
            (4, 3, 3, 5),
        ]
    );
}

#[tokio::test]
async fn after_a_crash_the_grid_goes_on_from_the_first_cell_that_is_missing() {
    let (site, folder, gate) = gated().await;
    let id = ask(&site).await;
    let mut events = site.events(id, None).await;
    let working = site.begin_next_job();
    gate.allow(5);
    read_until(&mut events, is_step(1)).await;
    read_until(&mut events, |event| matches!(event, JobEvent::Picture { picture } if picture.index == 1))
        .await;
    read_until(&mut events, is_step(1)).await;
    let before = site.job(id).await.pictures;
    assert_eq!(before.len(), 2);
    working.abort();
    assert!(working.await.unwrap_err().is_cancelled());
    drop(site);

    let mut site = TestServices::open(folder.path(), FakeEngine::new()).await;
    assert_eq!(site.run_next_job().await, Outcome::Done);
    let after = site.job(id).await.pictures;
    assert_eq!(after.iter().map(|picture| picture.index).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert_eq!(after[..2], before[..]);

    let whole = RawRequest { cache: Some(false), ..asking_for_grid() };
    let whole = site.services.create_job(&site.alice, whole).await.unwrap().id;
    site.run_next_job().await;
    let whole = site.job(whole).await.pictures;
    assert!(pixels(&site, &after[4]).await == pixels(&site, &whole[4]).await, "the sheet shows all cells");
}

#[tokio::test]
async fn a_grid_that_is_cancelled_keeps_its_cells_and_has_no_sheet() {
    let (site, _folder, gate) = gated().await;
    let id = ask(&site).await;
    let mut events = site.events(id, None).await;
    let working = site.begin_next_job();
    gate.allow(3);
    read_until(&mut events, |event| matches!(event, JobEvent::Picture { .. })).await;
    read_until(&mut events, is_step(1)).await;
    site.services.cancel_job(&site.alice, id).await.unwrap();
    gate.open();
    assert_eq!(working.await.unwrap(), Outcome::Cancelled);
    let job = site.job(id).await;
    assert_eq!((job.status, job.pictures.len()), (JobStatus::Cancelled, 1));
}

#[tokio::test]
async fn a_grid_is_given_whole_where_it_was_made_before_and_not_for_another_grid() {
    let folder = tempfile::tempdir().unwrap();
    let caching = Config { cache: true, ..config(folder.path()) };
    let mut site = TestServices::over(Shared::open(&caching, Arc::new(FakeEngine::new())).await.unwrap());
    ask(&site).await;
    site.run_next_job().await;
    let again = site.services.create_job(&site.alice, asking_for_grid()).await.unwrap();
    assert_eq!((again.status, again.cached, again.pictures.len()), (JobStatus::Done, true, 5));
    let base = RawRequest { grid: None, ..asking_for_grid() };
    assert!(!site.services.create_job(&site.alice, base).await.unwrap().cached);
    let mut other = asking_for_grid();
    other.grid.as_mut().unwrap().rows = None;
    assert!(!site.services.create_job(&site.alice, other).await.unwrap().cached);
}

#[tokio::test]
async fn a_cell_that_was_deleted_meanwhile_is_blank_on_the_sheet() {
    let (site, _folder, gate) = gated().await;
    let id = ask(&site).await;
    let mut events = site.events(id, None).await;
    let working = site.begin_next_job();
    gate.allow(3);
    read_until(&mut events, |event| matches!(event, JobEvent::Picture { .. })).await;
    let cell = site.job(id).await.pictures.remove(0);
    site.services.delete_picture(&site.alice, cell.id).await.unwrap();
    gate.open();
    assert_eq!(working.await.unwrap(), Outcome::Done);
    let pictures = site.job(id).await.pictures;
    assert_eq!(pictures.iter().map(|picture| picture.index).collect::<Vec<_>>(), [1, 2, 3, 4]);
    let sheet = pixels(&site, &pictures[3]).await;
    let upper_left =
        sheet.get_pixel(sheet.width() - 13 - 2 * 128 - 6 + 64, sheet.height() - 13 - 2 * 128 - 6 + 64);
    assert_eq!(upper_left.0, [0x1d, 0x19, 0x17]);
}

#[tokio::test]
async fn the_words_of_a_cell_are_those_that_the_history_finds_it_by() {
    let (mut site, _folder) = free_running().await;
    let grid = RawGrid { columns: RawGridAxis::typed("prompt_part", "red, blue"), ..RawGrid::default() };
    let raw = RawRequest { grid: Some(grid), ..asking("a red boat") };
    let id = site.services.create_job(&site.alice, raw).await.unwrap().id;
    site.run_next_job().await;
    assert_eq!(site.job(id).await.request.sampler, Sampler::DpmPlusPlus2M);
    assert_eq!(site.history().await, ["a red boat", "a blue boat", "a red boat"]);
}
