//! Workflows and the names of uploads.

use bytes::Bytes;
use image::RgbImage;
use types::job::JobId;
use types::upload::UploadId;
use uuid::Uuid;

use super::helpers::{TestServices, free_running};
use crate::engine::fake::FakeEngine;
use crate::{NewWorkflow, Visitor, WorkflowFilter, WorkflowRoom};

impl TestServices {
    /// Room for one of Alice's.
    fn room(&self) -> WorkflowRoom {
        self.services.room_for_workflow(&self.alice, 100).unwrap()
    }

    /// A workflow of Alice's with one job.
    async fn keep(&self, client_id: &str) -> (JobId, i64) {
        let id = self.ask("a red boat").await;
        let new = NewWorkflow { id, client_id: Some(client_id), jobs: &[id], document: client_id };
        (id, self.services.keep_workflow(&self.alice, self.room(), new).await.unwrap().number)
    }

    async fn found(&self, filter: WorkflowFilter<'_>) -> Vec<JobId> {
        let found = self.services.workflows(&self.alice, filter).await.unwrap();
        found.into_iter().map(|workflow| workflow.id).collect()
    }

    async fn send_shade(&self, owner: &Visitor, shade: u8) -> UploadId {
        let mut png = std::io::Cursor::new(Vec::new());
        let picture = RgbImage::from_pixel(8, 8, image::Rgb([shade; 3]));
        picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
        self.services.store_upload(owner, Bytes::from(png.into_inner())).await.unwrap().id
    }
}

#[tokio::test]
async fn workflows_are_found_by_who_posted_them_and_by_where_they_stand() {
    let (mut test, _folder) = free_running().await;
    let (first, number) = test.keep("one").await;
    let (second, _) = test.keep("two").await;
    test.run_next_job().await;
    assert_eq!(test.found(WorkflowFilter::default()).await, [second, first]);
    let of_one = WorkflowFilter { client_id: Some("one"), ..WorkflowFilter::default() };
    assert_eq!(test.found(of_one).await, [first]);
    let after_first = WorkflowFilter { after: Some(number), ..WorkflowFilter::default() };
    assert_eq!(test.found(after_first).await, [second]);
    let open = WorkflowFilter { is_open: Some(true), ..WorkflowFilter::default() };
    assert_eq!(test.found(open).await, [second]);
    assert_eq!(test.services.n_open_workflows(&test.alice).await.unwrap(), 1);
    let ended = WorkflowFilter { is_open: Some(false), ..WorkflowFilter::default() };
    assert_eq!(test.found(ended).await, [first]);
    let paged = WorkflowFilter { offset: 1, limit: 1, ..WorkflowFilter::default() };
    assert_eq!(test.found(paged).await, [first]);
    let oldest = WorkflowFilter { oldest_first: true, ..WorkflowFilter::default() };
    assert_eq!(test.found(oldest).await, [first, second]);
    assert_eq!(test.found(WorkflowFilter { offset: 1, ..oldest }).await, [second]);
    assert_eq!(test.found(WorkflowFilter { limit: 1, ..oldest }).await, [first]);
}

#[tokio::test]
async fn a_workflow_is_open_until_the_last_of_its_jobs_is_at_its_end() {
    let (mut test, _folder) = free_running().await;
    let jobs = [test.ask("a red boat").await, test.ask("a blue boat").await];
    let new = NewWorkflow { id: jobs[0], client_id: None, jobs: &jobs, document: "{}" };
    test.services.keep_workflow(&test.alice, test.room(), new).await.unwrap();
    for n_open in [1, 1, 0] {
        assert_eq!(test.services.n_open_workflows(&test.alice).await.unwrap(), n_open);
        test.run_next_job().await;
    }
}

#[tokio::test]
async fn a_workflow_is_its_owners_alone_and_outlives_the_program() {
    let (test, folder) = free_running().await;
    let (id, _) = test.keep("one").await;
    assert_eq!(test.services.workflow(&test.bob, id).await.unwrap(), None);
    assert_eq!(test.services.workflows(&test.bob, WorkflowFilter::default()).await.unwrap(), []);
    test.services.forget_workflows(&test.bob, &[id]).await.unwrap();
    drop(test);
    let test = TestServices::open(folder.path(), FakeEngine::new()).await;
    assert_eq!(test.services.workflow(&test.alice, id).await.unwrap().unwrap().document, "one");
    test.services.forget_workflows(&test.alice, &[id]).await.unwrap();
    assert_eq!(test.services.workflow(&test.alice, id).await.unwrap(), None);
    assert_eq!(test.job(id).await.id, id, "its job stays");
}

#[tokio::test]
async fn of_workflows_at_their_end_the_newest_are_kept_and_of_open_ones_all() {
    let (mut test, _folder) = free_running().await;
    let ended = [test.ask("a red boat").await];
    test.run_next_job().await;
    let (open, _) = test.keep("open").await;
    let post = async |owner: &Visitor| {
        let id = JobId(Uuid::new_v4());
        let new = NewWorkflow { id, client_id: None, jobs: &ended, document: "{}" };
        test.services.shared().store.insert_workflow(owner, &new, 5).await.unwrap();
        id
    };
    let of_bob = post(&test.bob).await;
    let mut posted = Vec::new();
    for _ in 0..8 {
        posted.push(post(&test.alice).await);
    }
    let at_their_end =
        WorkflowFilter { is_open: Some(false), oldest_first: true, ..WorkflowFilter::default() };
    assert_eq!(test.found(at_their_end).await, posted[3..]);
    assert!(
        test.services.workflow(&test.alice, open).await.unwrap().is_some(),
        "it is older than all of them"
    );
    assert!(test.services.workflow(&test.bob, of_bob).await.unwrap().is_some(), "it is somebody else's");
    assert_eq!(test.job(ended[0]).await.id, ended[0], "the job stays");
}

#[tokio::test]
async fn a_name_stands_for_one_upload_of_its_owner() {
    let (test, _folder) = free_running().await;
    let (first, second) = (test.send_shade(&test.alice, 1).await, test.send_shade(&test.alice, 2).await);
    test.services.name_upload(&test.alice, "boat.png", first).await.unwrap();
    test.services.name_upload(&test.alice, "a/boat.png", second).await.unwrap();
    assert_eq!(test.services.named_upload(&test.alice, "boat.png").await.unwrap(), Some(first));
    test.services.name_upload(&test.alice, "boat.png", second).await.unwrap();
    assert_eq!(test.services.named_upload(&test.alice, "boat.png").await.unwrap(), Some(second));
    assert_eq!(test.services.upload_names(&test.alice, 9).await.unwrap(), ["a/boat.png", "boat.png"]);
    assert_eq!(test.services.named_upload(&test.bob, "boat.png").await.unwrap(), None);
    let stolen = test.services.name_upload(&test.bob, "mine.png", first).await.unwrap_err();
    assert_eq!(stolen.to_string(), format!("there is no upload with the id {first}"));
}

#[tokio::test]
async fn a_name_that_is_taken_stays_with_its_picture_though_many_want_it_at_once() {
    let (test, _folder) = free_running().await;
    let mut uploads = Vec::new();
    for shade in 0..8 {
        uploads.push(test.send_shade(&test.alice, shade).await);
    }
    let named = async |id: UploadId| {
        test.services.name_upload_unless_taken(&test.alice, "boat.png", id).await.unwrap()
    };
    let got = futures::future::join_all(uploads.iter().map(|&id| named(id))).await;
    assert_eq!(got.iter().filter(|&&is_named| is_named).count(), 1, "{got:?}");
    let first = uploads[got.iter().position(|&is_named| is_named).unwrap()];
    assert_eq!(test.services.named_upload(&test.alice, "boat.png").await.unwrap(), Some(first));
    // The same picture, sent once more, is kept for longer.
    let shade = u8::try_from(uploads.iter().position(|&id| id == first).unwrap()).unwrap();
    let again = test.send_shade(&test.alice, shade).await;
    assert!(named(again).await);
    assert_eq!(test.services.named_upload(&test.alice, "boat.png").await.unwrap(), Some(again));
    let stolen = test.services.name_upload_unless_taken(&test.bob, "mine.png", first).await.unwrap_err();
    assert_eq!(stolen.to_string(), format!("there is no upload with the id {first}"));
}

#[tokio::test]
async fn a_name_goes_with_the_upload_that_it_stands_for() {
    let (test, _folder) = free_running().await;
    let upload = test.send_shade(&test.alice, 1).await;
    test.services.name_upload(&test.alice, "boat.png", upload).await.unwrap();
    let in_two_days = time::OffsetDateTime::now_utc() + time::Duration::days(2);
    crate::uploads::sweep_unused(&test.services.shared(), in_two_days).await.unwrap();
    assert_eq!(test.services.named_upload(&test.alice, "boat.png").await.unwrap(), None);
}
