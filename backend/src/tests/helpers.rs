//! What the tests have in common.

use std::path::Path;
use std::sync::Arc;

use futures::StreamExt;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use types::event::{JobEvent, NumberedEvent};
use types::job::{JobId, JobInfo};
use types::request::RawRequest;

use crate::engine::fake::{FakeEngine, Gate};
use crate::jobs::worker::{Outcome, Worker};
use crate::shared::Shared;
use crate::{Config, EventStream, Services, Visitor};

/// Services on a folder of their own, whose worker does a step when the test says so.
pub(super) struct TestServices {
    pub(super) services: Services,
    pub(super) worker: Worker,
    pub(super) alice: Visitor,
    pub(super) bob: Visitor,
}

/// Services over an engine that runs freely, and the folder they work on.
pub(super) async fn free_running() -> (TestServices, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (TestServices::open(folder.path(), FakeEngine::new()).await, folder)
}

/// Services over an engine that does a step when the gate lets it.
pub(super) async fn gated() -> (TestServices, TempDir, Gate) {
    let folder = tempfile::tempdir().unwrap();
    let (engine, gate) = FakeEngine::gated();
    (TestServices::open(folder.path(), engine).await, folder, gate)
}

/// Where the tests' data lies.
pub(super) fn config(folder: &Path) -> Config {
    Config { data_dir: folder.join("data"), ..Config::default() }
}

/// A request for one picture of four steps.
pub(super) fn asking(prompt: &str) -> RawRequest {
    RawRequest { prompt: prompt.into(), seed: Some(7), ..RawRequest::default() }
}

impl TestServices {
    pub(super) async fn open(folder: &Path, engine: FakeEngine) -> Self {
        Self::over(Shared::open(&config(folder), Arc::new(engine)).await.unwrap())
    }

    pub(super) fn over(shared: Shared) -> Self {
        let services = Services::without_worker(shared);
        let worker = Worker::new(services.shared());
        Self { services, worker, alice: Visitor::from_token("alice"), bob: Visitor::from_token("bob") }
    }

    /// A job of Alice's.
    pub(super) async fn ask(&self, prompt: &str) -> JobId {
        self.services.create_job(&self.alice, asking(prompt)).await.unwrap().id
    }

    /// A job as Alice sees it.
    pub(super) async fn job(&self, id: JobId) -> JobInfo {
        self.services.job(&self.alice, id).await.unwrap()
    }

    pub(super) async fn events(&self, id: JobId, after: Option<u64>) -> EventStream {
        self.services.events(&self.alice, id, after).await.unwrap()
    }

    pub(super) async fn run_next_job(&mut self) -> Outcome {
        self.worker.run_next_job().await.unwrap()
    }

    /// The worker takes the next job on its own.
    pub(super) fn begin_next_job(&self) -> JoinHandle<Outcome> {
        let mut worker = Worker::new(self.services.shared());
        tokio::spawn(async move { worker.run_next_job().await.unwrap() })
    }

    /// Prompts of Alice's pictures, newest first.
    pub(super) async fn history(&self) -> Vec<String> {
        let page = self.services.history(&self.alice, types::history::HistoryQuery::default()).await.unwrap();
        page.pictures.into_iter().map(|picture| picture.prompt).collect()
    }
}

/// The events up to and with the first that the test looks for.
pub(super) async fn read_until(
    events: &mut EventStream,
    is_it: impl Fn(&JobEvent) -> bool,
) -> Vec<NumberedEvent> {
    let mut read = Vec::new();
    while let Some(event) = events.next().await {
        let found = is_it(&event.event);
        read.push(event);
        if found {
            return read;
        }
    }
    panic!("the stream ended before the event that was looked for, after {read:?}");
}

/// Whether it is step `step` of a picture.
pub(super) fn is_step(step: u32) -> impl Fn(&JobEvent) -> bool {
    move |event| matches!(event, JobEvent::Progress { progress, .. } if progress.step == step)
}

/// Whether it is told that this share of the model is loaded, or more.
pub(super) fn is_loading(fraction: f64) -> impl Fn(&JobEvent) -> bool {
    move |event| matches!(event, JobEvent::Loading { loading } if loading.fraction >= fraction)
}
