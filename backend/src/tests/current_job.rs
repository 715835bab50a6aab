use types::job::JobStatus;
use types::request::RawRequest;

use super::helpers::{asking, gated, is_step, read_until};

#[tokio::test]
async fn what_is_worked_on_comes_before_what_waits_and_shows_its_newest_preview() {
    let (site, _folder, gate) = gated().await;
    assert_eq!(site.services.current_job(&site.alice).await.unwrap(), None);
    let (first, second) = (site.ask("one").await, site.ask("two").await);
    let current = site.services.current_job(&site.alice).await.unwrap().unwrap();
    assert_eq!((current.job.id, current.job.status, current.preview), (first, JobStatus::Queued, None));

    let mut events = site.events(first, None).await;
    let working = site.begin_next_job();
    gate.allow(1);
    read_until(&mut events, is_step(1)).await;
    let current = site.services.current_job(&site.alice).await.unwrap().unwrap();
    assert_eq!((current.job.id, current.job.status), (first, JobStatus::Running));
    assert_eq!(current.job.progress.unwrap().step, 1);
    assert!(current.job.is_owner);
    assert!(current.preview.unwrap().starts_with("data:image/jpeg;base64,"));

    gate.open();
    working.await.unwrap();
    let current = site.services.current_job(&site.alice).await.unwrap().unwrap();
    assert_eq!((current.job.id, current.job.status), (second, JobStatus::Queued));
}

#[tokio::test]
async fn nobody_is_told_of_somebody_elses_job() {
    let (site, _folder, _gate) = gated().await;
    site.services.create_job(&site.bob, RawRequest { count: Some(2), ..asking("boats") }).await.unwrap();
    assert_eq!(site.services.current_job(&site.alice).await.unwrap(), None);
    assert_eq!(site.services.current_job(&site.bob).await.unwrap().unwrap().job.request.count, 2);
}
