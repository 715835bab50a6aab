//! The one handle that pages and HTTP handlers hold.

mod asking;
mod current_job;
mod fitted_uploads;
mod helpers;
mod machine_facts;
pub(crate) mod memory_use;
mod metadata;
mod operator;
mod pictures;
mod readiness;
mod selection;
mod sharing;
mod start_pictures;
mod uploads;
mod words;
mod workflows;

use std::sync::Arc;

use futures::StreamExt;
use futures::stream::BoxStream;
use rand::Rng;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use types::event::NumberedEvent;
use types::job::{JobId, JobInfo};
use types::lora::LoraInfo;
use types::model::ModelInfo;
use types::request::check_prompt;

use crate::access::{Keyring, Limits};
use crate::jobs::worker::Worker;
use crate::jobs::{self, info};
use crate::prompts::Prompts;
use crate::samples;
use crate::shared::Shared;
use crate::{Config, Engine, Error, Result, Visitor, retention};

pub use asking::MAX_IDEMPOTENCY_KEY;
pub use current_job::CurrentJob;
pub use fitted_uploads::Frame;
pub use machine_facts::MachineFacts;
pub use memory_use::MemoryUse;
pub use operator::{Asked, FailedJob, JobFacts, JobsNow, OperatorSnapshot, QueuedJob, RunningJob};
pub use pictures::PictureFile;
pub use readiness::{Check, Readiness};
pub use selection::{MOST_SELECTED, ZipStream};
pub use start_pictures::{MaskUse, StartNames};
pub use uploads::UploadFile;
pub use workflows::{
    MOST_KEPT_WORKFLOWS, MOST_WORKFLOWS, NewWorkflow, Workflow, WorkflowFilter, WorkflowRoom,
};

/// A job's events; ends after the final one, or when the program stops.
pub type EventStream = BoxStream<'static, NumberedEvent>;

/// New text of a prompt, in pieces; ends when the prompt does. Dropping it stops the writing.
pub type PromptStream = BoxStream<'static, Result<String>>;

/// Everything the site can do. Cheap to clone; when the last clone is dropped, the worker stops.
#[derive(Clone)]
pub struct Services(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    prompts: Prompts,
    worker: Mutex<Option<JoinHandle<()>>>,
    sampler: Mutex<Option<JoinHandle<()>>>,
    housekeeper: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared.stopping.cancel();
    }
}

impl Services {
    /// Opens the data folder, puts the jobs back into the queue that were running when the program died, and
    /// starts the worker.
    ///
    /// # Errors
    /// The data folder cannot be written to, is in use by another program, or its database is of no use.
    pub async fn open(config: Config, engine: Arc<dyn Engine>) -> Result<Self> {
        let services = Self::without_worker(Shared::open(&config, engine).await?);
        // Before anybody can send something: what is being written has no row yet either.
        crate::uploads::sweep_at_start(&services.0.shared).await;
        let worker = Worker::new(Arc::clone(&services.0.shared));
        *services.0.worker.lock().await = Some(tokio::spawn(worker.run()));
        let sampler = samples::run(Arc::clone(&services.0.shared));
        *services.0.sampler.lock().await = Some(tokio::spawn(sampler));
        let housekeeper = retention::keep_house(Arc::clone(&services.0.shared));
        *services.0.housekeeper.lock().await = Some(tokio::spawn(housekeeper));
        Ok(services)
    }

    /// Services whose jobs stay in the queue, for tests that do the worker's steps themselves.
    pub(crate) fn without_worker(shared: Shared) -> Self {
        Self(Arc::new(Inner {
            shared: Arc::new(shared),
            prompts: Prompts::new(),
            worker: Mutex::default(),
            sampler: Mutex::default(),
            housekeeper: Mutex::default(),
        }))
    }

    /// What the worker works with.
    #[cfg(test)]
    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.0.shared)
    }

    /// Those who write prompts.
    #[cfg(test)]
    pub(crate) fn prompts(&self) -> &Prompts {
        &self.0.prompts
    }

    /// The picture models, the default one first. One that cannot be used says why.
    pub fn models(&self) -> Vec<ModelInfo> {
        self.0.shared.engine.picture_models()
    }

    /// The LoRA files, by name. One that cannot be used says why.
    pub fn loras(&self) -> Vec<LoraInfo> {
        self.0.shared.engine.loras()
    }

    /// The keys that programs may show.
    pub fn keyring(&self) -> Keyring {
        Keyring::of(self.0.shared.store.clone())
    }

    /// How much everybody may ask for at a time.
    pub fn limits(&self) -> Limits {
        self.0.shared.limits
    }

    /// Names of the models that write prompts.
    pub fn prompt_models(&self) -> Vec<String> {
        self.0.shared.engine.prompt_models()
    }

    /// A job of the viewer's, or one that its owner shares; [`JobInfo::is_owner`] says who may act.
    ///
    /// # Errors
    /// There is no such job, or it is somebody else's who does not share it.
    pub async fn job(&self, viewer: &Visitor, id: JobId) -> Result<JobInfo> {
        info::job_info(&self.0.shared, Some(viewer), id).await
    }

    /// Jobs of the viewer's, or shared ones, in any order. Those that are not there, or nobody's business, are left out.
    ///
    /// # Errors
    /// The database is out of order.
    pub async fn jobs_named(&self, viewer: &Visitor, ids: &[JobId]) -> Result<Vec<JobInfo>> {
        let rows = self.0.shared.store.jobs(ids).await?;
        let rows = rows.into_iter().filter(|row| info::may_see(viewer, row)).collect();
        info::describe_all(&self.0.shared, viewer, rows).await
    }

    /// What happens to a job, from where it stands, or from after the event with the number `after`. The
    /// stream ends after the final event, when the job's owner shares it with the viewer no longer, or when the program
    /// stops.
    ///
    /// # Errors
    /// There is no such job, or it is somebody else's who does not share it.
    pub async fn events(&self, viewer: &Visitor, id: JobId, after: Option<u64>) -> Result<EventStream> {
        let Shared { store, taken_back, .. } = &*self.0.shared;
        // First listen, then look: what is taken back in between is told.
        let told = taken_back.subscribe();
        let row = store.job(id).await?.filter(|row| info::may_see(viewer, row));
        let row = row.ok_or_else(|| Error::not_found("job", &id))?;
        let events = jobs::events::events(&self.0.shared, id, after).await?;
        if row.owner == viewer.owner_id() {
            return Ok(events);
        }
        let taken_back = sharing::until_taken_back(store.clone(), viewer.clone(), id, told);
        Ok(events.take_until(taken_back).boxed())
    }

    /// Waits until the job came to its end.
    ///
    /// # Errors
    /// There is no such job; the program stops before it is done.
    pub async fn wait(&self, id: JobId) -> Result<JobInfo> {
        let mut events = jobs::events::events(&self.0.shared, id, None).await?;
        while events.next().await.is_some() {}
        let job = info::job_info(&self.0.shared, None, id).await?;
        if job.status.is_final() { Ok(job) } else { Err(Error::ShuttingDown) }
    }

    /// A visitor's jobs: those that are not at their end first, then the latest.
    ///
    /// # Errors
    /// The database is out of order.
    pub async fn latest_jobs(&self, owner: &Visitor, limit: u32) -> Result<Vec<JobInfo>> {
        info::latest_jobs(&self.0.shared, owner, limit).await
    }

    /// Has a prompt written, or the beginning in `start` continued, up to the first word that the site does not paint.
    ///
    /// # Errors
    /// A `start` that no prompt may have, or with words that the site does not paint; too many prompts that the visitor waits
    /// for already. What goes wrong later is the stream's last item.
    pub fn write_prompt(&self, visitor: &Visitor, start: String, seed: Option<u64>) -> Result<PromptStream> {
        let Shared { engine, stopping, .. } = &*self.0.shared;
        check_prompt("start", &start)?;
        // A space at the end is kept: it says that the last word is complete.
        let start = if start.contains(char::is_control) {
            start.replace("\r\n", " ").replace(char::is_control, " ")
        } else {
            start
        };
        let blocked = self.blocked_for(&start)?;
        let seed = seed.unwrap_or_else(choose_seed);
        let pieces =
            self.0.prompts.write(visitor, Arc::clone(engine), start.clone(), seed, stopping.clone())?;
        Ok(match blocked {
            Some(blocked) => words::up_to_blocked(pieces, start, blocked),
            None => pieces,
        })
    }

    /// Stops: takes no more jobs, puts the running one back into the queue, and ends all streams.
    ///
    /// Does not wait for the engine, whose present step may take longer than anybody lets a program live that
    /// was told to stop. It ends after that step, and nothing that it still makes is stored.
    pub async fn shutdown(&self) {
        let Shared { stopping, hub, .. } = &*self.0.shared;
        stopping.cancel();
        hub.close();
        for task in [&self.0.worker, &self.0.housekeeper, &self.0.sampler] {
            let task = task.lock().await.take();
            if let Some(task) = task
                && let Err(error) = task.await
            {
                tracing::error!(%error, "a task in the background did not stop as it should");
            }
        }
    }
}

/// A random seed of 32 bits: torch's CPU generator uses no more, and a person can still copy it.
pub fn choose_seed() -> u64 {
    rand::rng().random_range(0..=u64::from(u32::MAX))
}
