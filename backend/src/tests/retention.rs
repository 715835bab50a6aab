//! Pictures that are too old or too many, and what goes with them.

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use types::event::JobEvent;
use types::job::{JobId, JobStatus};
use types::picture::{PictureFormat, PictureInfo};

use super::helpers::{TestServices, asking, config, read_until};
use crate::engine::fake::FakeEngine;
use crate::files::thumbnail_file;
use crate::jobs::worker::Outcome;
use crate::retention::{Cleaned, clean, finish_deleting, measure, pause};
use crate::shared::Shared;
use crate::{Config, Retention, Services, Visitor};

const DAY: Duration = Duration::from_hours(24);

/// Far more than it takes, and far less than anybody would wait.
const SOON: Duration = Duration::from_secs(30);

fn keeping(folder: &tempfile::TempDir, retention: Retention) -> Config {
    Config { retention, ..config(folder.path()) }
}

async fn open(retention: Retention) -> (TestServices, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let shared = Shared::open(&keeping(&folder, retention), Arc::new(FakeEngine::new())).await.unwrap();
    (TestServices::over(shared), folder)
}

impl TestServices {
    async fn paint(&mut self, visitor: &Visitor, prompt: &str) -> PictureInfo {
        let id = self.services.create_job(visitor, asking(prompt)).await.unwrap().id;
        assert_eq!(self.run_next_job().await, Outcome::Done);
        self.services.job(visitor, id).await.unwrap().pictures.remove(0)
    }

    async fn clean_after(&self, time: Duration) -> Cleaned {
        clean(&self.services.shared(), OffsetDateTime::now_utc() + time).await.unwrap()
    }

    async fn size_of(&self, picture: &PictureInfo) -> u64 {
        let (row, _) = self.services.shared().store.picture(picture.id).await.unwrap().unwrap();
        row.size_bytes.unwrap().unsigned_abs()
    }

    async fn has_job(&self, id: JobId) -> bool {
        self.services.shared().store.job(id).await.unwrap().is_some()
    }
}

fn n_files(folder: &tempfile::TempDir) -> usize {
    let pictures = config(folder.path()).data_dir.join("pictures");
    let jobs = std::fs::read_dir(pictures).unwrap().flatten();
    jobs.map(|job| std::fs::read_dir(job.path()).unwrap().count()).sum()
}

#[tokio::test]
async fn nothing_is_deleted_unless_somebody_says_so() {
    let (mut site, _folder) = open(Retention::default()).await;
    let alice = site.alice.clone();
    site.paint(&alice, "a red boat").await;
    assert_eq!(site.clean_after(10_000 * DAY).await, Cleaned::default());
    assert_eq!(pause(&site.services.shared(), OffsetDateTime::now_utc()).await.unwrap(), None);
    assert_eq!(site.history().await.len(), 1);
}

#[tokio::test]
async fn a_picture_that_is_too_old_goes_with_its_thumbnail_and_its_job() {
    let (mut site, folder) = open(Retention { max_age: Some(DAY), ..Retention::default() }).await;
    let alice = site.alice.clone();
    let picture = site.paint(&alice, "a red boat").await;
    assert_eq!(site.clean_after(Duration::ZERO).await, Cleaned::default());
    assert_eq!(n_files(&folder), 2);
    assert_eq!(site.clean_after(2 * DAY).await, Cleaned { n_pictures: 1, n_jobs: 1 });
    assert_eq!(n_files(&folder), 0);
    assert!(site.history().await.is_empty());
    assert!(!site.has_job(picture.job_id).await);
}

#[tokio::test]
async fn favourites_are_kept_and_do_not_count_unless_somebody_says_so() {
    let limits = Retention { max_age: Some(DAY), max_pictures: Some(1), ..Retention::default() };
    for keep_favourites in [true, false] {
        let (mut site, folder) = open(Retention { keep_favourites, ..limits }).await;
        let alice = site.alice.clone();
        let favourite = site.paint(&alice, "a red boat").await;
        site.paint(&alice, "a blue boat").await;
        site.services.set_favourite(&alice, favourite.id, true).await.unwrap();
        site.clean_after(2 * DAY).await;
        let kept = if keep_favourites { vec!["a red boat"] } else { Vec::new() };
        assert_eq!(site.history().await, kept);
        assert_eq!(n_files(&folder), 2 * kept.len());
        assert_eq!(site.has_job(favourite.job_id).await, keep_favourites);
    }
}

#[tokio::test]
async fn favourites_take_half_of_the_bytes_at_most_and_whoever_has_the_most_loses_their_oldest() {
    let (mut site, folder) = open(Retention::default()).await;
    let (alice, bob) = (site.alice.clone(), site.bob.clone());
    let mut marked_bytes = 0;
    for (visitor, prompt) in [(&bob, "bob's"), (&alice, "one"), (&alice, "two"), (&alice, "three")] {
        let picture = site.paint(visitor, prompt).await;
        site.services.set_favourite(visitor, picture.id, true).await.unwrap();
        marked_bytes += site.size_of(&picture).await;
    }
    site.paint(&alice, "four").await;
    drop(site);

    // Half of it is one byte too little for all four.
    let max_bytes = 2 * (marked_bytes - 1);
    let retention = Retention { max_bytes: Some(max_bytes), ..Retention::default() };
    let shared = Shared::open(&keeping(&folder, retention), Arc::new(FakeEngine::new())).await.unwrap();
    let site = TestServices::over(shared);
    assert_eq!(site.clean_after(Duration::ZERO).await, Cleaned { n_pictures: 1, n_jobs: 0 });
    assert_eq!(site.history().await, ["four", "three", "two"]);
    let bobs = site.services.history(&bob, types::history::HistoryQuery::default()).await.unwrap();
    assert_eq!(bobs.pictures.len(), 1, "Bob marked one, and keeps it");
    assert_eq!(site.clean_after(Duration::ZERO).await, Cleaned::default());
}

#[tokio::test]
async fn what_favourites_take_is_room_that_others_do_not_have() {
    let (mut site, folder) = open(Retention::default()).await;
    let alice = site.alice.clone();
    let favourite = site.paint(&alice, "one").await;
    site.services.set_favourite(&alice, favourite.id, true).await.unwrap();
    let mut bytes = site.size_of(&favourite).await;
    site.paint(&alice, "two").await;
    for prompt in ["three", "four"] {
        let picture = site.paint(&alice, prompt).await;
        bytes += site.size_of(&picture).await;
    }
    drop(site);
    let retention = Retention { max_bytes: Some(bytes), ..Retention::default() };
    let shared = Shared::open(&keeping(&folder, retention), Arc::new(FakeEngine::new())).await.unwrap();
    let site = TestServices::over(shared);
    assert_eq!(site.clean_after(Duration::ZERO).await.n_pictures, 1);
    assert_eq!(site.history().await, ["four", "three", "one"]);
}

#[tokio::test]
async fn of_too_many_the_newest_are_kept() {
    let (mut site, folder) = open(Retention { max_pictures: Some(2), ..Retention::default() }).await;
    let alice = site.alice.clone();
    for prompt in ["one", "two", "three", "four"] {
        site.paint(&alice, prompt).await;
    }
    assert_eq!(site.clean_after(Duration::ZERO).await, Cleaned { n_pictures: 2, n_jobs: 0 });
    assert_eq!(site.history().await, ["four", "three"]);
    assert_eq!(n_files(&folder), 4);
    assert_eq!(site.clean_after(Duration::ZERO).await, Cleaned::default());
}

#[tokio::test]
async fn a_visitor_who_makes_many_pictures_costs_the_others_none() {
    let limits = Retention { max_pictures_per_visitor: Some(2), ..Retention::default() };
    let (mut site, _folder) = open(limits).await;
    let (alice, bob) = (site.alice.clone(), site.bob.clone());
    site.paint(&alice, "alice's").await;
    for prompt in ["one", "two", "three"] {
        site.paint(&bob, prompt).await;
    }
    assert_eq!(site.clean_after(Duration::ZERO).await.n_pictures, 1);
    assert_eq!(site.history().await, ["alice's"]);
    let bobs = site.services.history(&bob, types::history::HistoryQuery::default()).await.unwrap();
    let prompts: Vec<_> = bobs.pictures.into_iter().map(|picture| picture.prompt).collect();
    assert_eq!(prompts, ["three", "two"]);
}

#[tokio::test]
async fn of_too_many_bytes_as_many_of_the_newest_are_kept_as_fit() {
    let (mut site, folder) = open(Retention::default()).await;
    let alice = site.alice.clone();
    let mut sizes = Vec::new();
    for prompt in ["one", "two", "three"] {
        let picture = site.paint(&alice, prompt).await;
        sizes.push(site.size_of(&picture).await);
    }
    drop(site);
    // Room for the last two, and one byte less than that.
    for (max_bytes, kept) in [(sizes[1] + sizes[2], 2), (sizes[1] + sizes[2] - 1, 1)] {
        let retention = Retention { max_bytes: Some(max_bytes), ..Retention::default() };
        let engine = Arc::new(FakeEngine::new());
        let shared = Shared::open(&keeping(&folder, retention), engine).await.unwrap();
        let site = TestServices::over(shared);
        site.clean_after(Duration::ZERO).await;
        assert_eq!(site.history().await.len(), kept);
        assert_eq!(n_files(&folder), 2 * kept);
    }
}

#[tokio::test]
async fn a_pictures_size_is_that_of_its_files_and_found_out_for_old_rows() {
    let (mut site, folder) = open(Retention::default()).await;
    let alice = site.alice.clone();
    let picture = site.paint(&alice, "a red boat").await;
    let shared = site.services.shared();
    let (row, _) = shared.store.picture(picture.id).await.unwrap().unwrap();
    let pictures = config(folder.path()).data_dir.join("pictures");
    let on_disk = [row.file.clone(), thumbnail_file(&row.file)].map(|file| {
        let file = pictures.join(file);
        (file.clone(), std::fs::metadata(file).unwrap().len())
    });
    let all_bytes = on_disk.iter().map(|(_, n_bytes)| n_bytes).sum::<u64>();
    assert_eq!(site.size_of(&picture).await, all_bytes);

    shared.store.forget_sizes().await;
    assert_eq!(measure(&shared).await.unwrap(), 1);
    assert_eq!(site.size_of(&picture).await, all_bytes);
    assert_eq!(measure(&shared).await.unwrap(), 0);

    shared.store.forget_sizes().await;
    std::fs::remove_file(&on_disk[0].0).unwrap();
    measure(&shared).await.unwrap();
    assert_eq!(site.size_of(&picture).await, on_disk[1].1, "a lost file takes no room");
}

#[tokio::test]
async fn a_picture_that_cannot_be_measured_holds_up_no_other() {
    let (mut site, folder) = open(Retention::default()).await;
    let alice = site.alice.clone();
    let (first, second) = (site.paint(&alice, "one").await, site.paint(&alice, "two").await);
    let shared = site.services.shared();
    shared.store.forget_sizes().await;
    // A folder where the file should be.
    let (row, _) = shared.store.picture(first.id).await.unwrap().unwrap();
    let folder = config(folder.path()).data_dir.join("pictures").join(row.file);
    let folder = folder.parent().unwrap();
    std::fs::remove_dir_all(folder).unwrap();
    std::fs::write(folder, b"no folder").unwrap();
    assert_eq!(measure(&shared).await.unwrap(), 1);
    assert!(site.size_of(&second).await > 0);
}

#[tokio::test]
async fn uploads_that_no_job_uses_go_after_a_day_though_nobody_sends_another() {
    let (site, _folder) = open(Retention::default()).await;
    let file = super::uploads::png(image::RgbImage::new(64, 64));
    let upload = site.services.store_upload(&site.alice, file).await.unwrap();
    let (shared, now) = (site.services.shared(), OffsetDateTime::now_utc());
    finish_deleting(&shared, now).await.unwrap();
    assert!(site.services.upload_info(&site.alice, upload.id).await.is_ok());
    finish_deleting(&shared, now + 2 * DAY).await.unwrap();
    assert!(site.services.upload_info(&site.alice, upload.id).await.is_err());
}

#[tokio::test]
async fn a_job_under_way_keeps_its_pictures_until_it_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Retention { max_age: Some(DAY), max_pictures: Some(1), ..Retention::default() };
    let (engine, gate) = FakeEngine::gated();
    let shared = Shared::open(&keeping(&folder, limits), Arc::new(engine)).await.unwrap();
    let site = TestServices::over(shared);
    let raw = types::request::RawRequest { count: Some(3), ..asking("boats") };
    let id = site.services.create_job(&site.alice, raw).await.unwrap().id;
    let mut events = site.events(id, None).await;
    let working = site.begin_next_job();
    gate.allow(9);
    let is_third =
        |event: &JobEvent| matches!(event, JobEvent::Progress { progress, .. } if progress.picture == 3);
    read_until(&mut events, is_third).await;
    assert_eq!(site.clean_after(2 * DAY).await, Cleaned::default());
    gate.open();
    assert_eq!(working.await.unwrap(), Outcome::Done);
    assert_eq!(site.clean_after(Duration::ZERO).await.n_pictures, 2);
    let job = site.job(id).await;
    assert_eq!((job.status, job.pictures.len(), job.pictures[0].index), (JobStatus::Done, 1, 2));
}

#[tokio::test]
async fn a_job_that_failed_goes_when_it_is_too_old_and_one_that_waits_does_not() {
    let limits = Retention { max_age: Some(DAY), ..Retention::default() };
    let (site, _folder) = open(limits).await;
    let cancelled = site.ask("one").await;
    let waiting = site.ask("two").await;
    site.services.cancel_job(&site.alice, cancelled).await.unwrap();
    assert_eq!(site.clean_after(Duration::ZERO).await, Cleaned::default());
    assert_eq!(site.clean_after(2 * DAY).await, Cleaned { n_pictures: 0, n_jobs: 1 });
    assert!(!site.has_job(cancelled).await);
    assert!(site.has_job(waiting).await);
}

#[tokio::test]
async fn a_deleted_pictures_place_in_the_search_is_empty() {
    let (mut site, _folder) = open(Retention { max_pictures: Some(1), ..Retention::default() }).await;
    let alice = site.alice.clone();
    site.paint(&alice, "a red boat").await;
    site.paint(&alice, "a blue cottage").await;
    site.clean_after(Duration::ZERO).await;
    let found = |search: &str| {
        let query = types::history::HistoryQuery { search: search.into(), ..Default::default() };
        let services = site.services.clone();
        let alice = alice.clone();
        async move { services.history(&alice, query).await.unwrap().n_matches }
    };
    assert_eq!((found("boat").await, found("cottage").await), (0, 1));
}

#[tokio::test]
async fn the_task_cleans_up_at_the_start_and_whenever_a_job_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let mut site = TestServices::open(folder.path(), FakeEngine::new()).await;
    let alice = site.alice.clone();
    for prompt in ["one", "two", "three"] {
        site.paint(&alice, prompt).await;
    }
    drop(site);

    let config = keeping(&folder, Retention { max_pictures: Some(1), ..Retention::default() });
    let services = Services::open(config, Arc::new(FakeEngine::new())).await.unwrap();
    let only = |prompt: &'static str| {
        let (services, alice) = (services.clone(), alice.clone());
        let look = async move {
            loop {
                let query = types::history::HistoryQuery::default();
                let pictures = services.history(&alice, query).await.unwrap().pictures;
                if let [picture] = &pictures[..]
                    && picture.prompt == prompt
                {
                    break services.picture_file(&alice, picture.id, PictureFormat::Png).await.unwrap();
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(SOON, look)
    };
    only("three").await.expect("it looks at the start");
    services.create_job(&alice, asking("four")).await.unwrap();
    only("four").await.expect("it looks when a job is done");
    services.shutdown().await;
}

#[tokio::test]
async fn the_task_looks_again_when_the_oldest_picture_grows_too_old() {
    let (mut site, _folder) = open(Retention { max_age: Some(DAY / 48), ..Retention::default() }).await;
    let shared = site.services.shared();
    assert_eq!(pause(&shared, OffsetDateTime::now_utc()).await.unwrap(), None, "there is none");
    let alice = site.alice.clone();
    let picture = site.paint(&alice, "a red boat").await;
    let after = |time: Duration| pause(&shared, picture.created_at + time);
    assert_eq!(after(Duration::ZERO).await.unwrap(), Some(DAY / 48 + Duration::from_millis(1)));
    assert_eq!(after(DAY / 48).await.unwrap(), Some(Duration::from_millis(1)));
    assert_eq!(after(DAY).await.unwrap(), Some(Duration::from_millis(1)), "it is overdue");
    site.clean_after(DAY).await;
    assert_eq!(after(Duration::ZERO).await.unwrap(), None);
}
