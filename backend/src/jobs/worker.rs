//! Takes a job, makes its pictures, stores them.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use types::event::JobEvent;
use types::job::Progress;

use super::numbers;
use super::pace::Pace;
use super::painter::{Painted, Painter};
use crate::engine::EngineError;
use crate::files;
use crate::shared::Shared;
use crate::store::entities::{job, picture};
use crate::store::{MAX_CRASHES, NewPicture, gave_up};
use crate::{Error, Result};

/// What became of the job that a worker took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// There was none.
    Idle,
    /// All its pictures are stored.
    Done,
    /// It ended with a fault, and says so.
    Failed,
    /// It was cancelled, and what was being made is thrown away.
    Cancelled,
    /// It waits in the queue again.
    PutBack,
}

/// The one worker. A graphics card, or two processor cores, are busy with one picture at a time.
pub(crate) struct Worker {
    shared: Arc<Shared>,
    /// Jobs whose failure could not be written down, since the disk that made them fail was full.
    unrecorded: Vec<(job::Model, String)>,
}

/// How the work on a job ended, if nothing went wrong.
enum Ended {
    Done,
    /// The job is no longer this attempt's: its owner cancelled it.
    Over,
    /// The program stops.
    Stopped,
    /// The engine panicked.
    Crashed,
}

impl Worker {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, unrecorded: Vec::new() }
    }

    /// Works off jobs until the program stops.
    pub(crate) async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        match shared.files.sweep(&shared.store).await {
            Ok(0) => {}
            Ok(n_swept) => tracing::info!(n_swept, "files without a picture were deleted"),
            Err(error) => tracing::warn!(%error, "files without a picture could not be looked for"),
        }
        while !shared.stopping.is_cancelled() {
            // The worker asks to be woken before it looks, so that a job which comes in between is seen.
            let mut woken = std::pin::pin!(shared.queue.woken());
            woken.as_mut().enable();
            match self.run_next_job().await {
                Ok(Outcome::Idle) => {}
                Ok(_) => continue,
                // With the database out of order there is nothing to do until somebody can write a job again.
                Err(error) => tracing::error!(%error, "the queue cannot be worked off"),
            }
            tokio::select! {
                () = woken => {}
                () = shared.stopping.cancelled() => {}
            }
        }
    }

    /// Takes the oldest queued job and works on it to its end.
    ///
    /// # Errors
    /// The database is out of order. What goes wrong with the job itself becomes the job's own error.
    pub(crate) async fn run_next_job(&mut self) -> Result<Outcome> {
        self.record_failures().await?;
        let shared = Arc::clone(&self.shared);
        let Some(claim) = shared.store.claim().await? else { return Ok(Outcome::Idle) };
        let id = claim.job_id();
        tracing::info!(job.id = %id, job.attempt = claim.attempt, "a job begins");
        let running = shared.queue.begin(id);
        let outcome = match self.work_on(&claim, &running.token()).await {
            Ok(Ended::Done) => {
                shared.hub.finish(id, numbers::last(claim.attempt_number()), JobEvent::Done);
                Outcome::Done
            }
            Ok(Ended::Over) => {
                shared.hub.forget(id);
                Outcome::Cancelled
            }
            Ok(Ended::Stopped) => self.put_back(&claim, false).await?,
            Ok(Ended::Crashed) if claim.crashes + 1 < MAX_CRASHES => self.put_back(&claim, true).await?,
            Ok(Ended::Crashed) => self.fail(claim, gave_up()).await,
            Err(error) => {
                tracing::error!(job.id = %id, %error, "a job failed");
                self.fail(claim, error.public().message).await
            }
        };
        tracing::info!(job.id = %id, ?outcome, "a job ends");
        shared.queue.announce_places(&shared.store, &shared.hub).await?;
        Ok(outcome)
    }

    /// Makes the job's pictures from the first that is missing.
    async fn work_on(&self, claim: &job::Model, stop: &CancellationToken) -> Result<Ended> {
        let Shared { engine, store, hub, stopping, .. } = &*self.shared;
        // Whoever cancelled the job before this worker could be told to stop has left word in the database.
        if !store.is_current(claim).await? {
            return Ok(Ended::Over);
        }
        let request = Arc::new(claim.generation_request()?);
        let (job, attempt) = (claim.job_id(), claim.attempt_number());
        let first = claim.n_made as u32;
        let progress = Progress {
            picture: first + 1,
            n_pictures: request.count,
            n_steps: request.steps,
            ..Progress::default()
        };
        hub.begin(job, numbers::step(attempt, first, 0), JobEvent::Progress { progress, preview: None });

        let mut pace = Pace::new(request.steps, request.count);
        for index in first..request.count {
            let task = Painter {
                engine: Arc::clone(engine),
                hub: Arc::clone(hub),
                job,
                attempt,
                request: Arc::clone(&request),
                index,
                pace,
                stop: stop.clone(),
            };
            let painted = match tokio::task::spawn_blocking(move || task.paint()).await {
                Ok(Ok(painted)) => painted,
                Ok(Err(Error::Engine(EngineError::Cancelled))) if stopping.is_cancelled() => {
                    return Ok(Ended::Stopped);
                }
                Ok(Err(Error::Engine(EngineError::Cancelled))) => return Ok(Ended::Over),
                Ok(Err(error)) => return Err(error),
                Err(panic) => {
                    tracing::error!(job.id = %job, %panic, "the engine panicked");
                    return Ok(Ended::Crashed);
                }
            };
            let Some(stored) = self.store_picture(claim, &request, index, &painted).await? else {
                return Ok(Ended::Over);
            };
            let picture = JobEvent::Picture { picture: stored.info() };
            hub.publish(job, numbers::picture(attempt, index), picture);
            pace = painted.pace;
        }
        Ok(Ended::Done)
    }

    /// Writes a picture's files and then its row. If there is to be no row, the files are deleted.
    async fn store_picture(
        &self,
        claim: &job::Model,
        request: &types::request::GenerationRequest,
        index: u32,
        painted: &Painted,
    ) -> Result<Option<picture::Model>> {
        let Shared { store, files, .. } = &*self.shared;
        let file = files::picture_file(claim.job_id(), claim.attempt, index);
        let stored = async {
            files.create(&file, painted.png.clone()).await?;
            files.create(&files::thumbnail_file(&file), painted.thumbnail.clone()).await?;
            store.add_picture(claim, request, &NewPicture { index, file: file.clone() }).await
        };
        let stored = stored.await;
        if !matches!(&stored, Ok(Some(picture)) if picture.file == file) {
            files.discard(&file).await;
        }
        stored
    }

    async fn put_back(&self, claim: &job::Model, crashed: bool) -> Result<Outcome> {
        let Shared { store, hub, .. } = &*self.shared;
        if !store.put_back(claim, crashed).await? {
            hub.forget(claim.job_id());
            return Ok(Outcome::Cancelled);
        }
        let n_ahead = store.n_ahead(claim.seq).await?;
        let number = numbers::queued(claim.attempt_number(), n_ahead);
        hub.publish(claim.job_id(), number, JobEvent::Queued { n_ahead });
        Ok(Outcome::PutBack)
    }

    async fn fail(&mut self, claim: job::Model, message: String) -> Outcome {
        let Shared { store, hub, .. } = &*self.shared;
        let (id, number) = (claim.job_id(), numbers::last(claim.attempt_number()));
        match store.fail(&claim, &message).await {
            Ok(true) => hub.finish(id, number, JobEvent::Failed { message }),
            Ok(false) => {
                hub.forget(id);
                return Outcome::Cancelled;
            }
            Err(error) => {
                tracing::error!(job.id = %id, %error, "a failure could not be written down; it will be tried again");
                hub.finish(id, number, JobEvent::Failed { message: message.clone() });
                self.unrecorded.push((claim, message));
            }
        }
        Outcome::Failed
    }

    /// Writes down the failures that could not be written when they happened.
    async fn record_failures(&mut self) -> Result<()> {
        while let Some((claim, message)) = self.unrecorded.last() {
            self.shared.store.fail(claim, message).await?;
            let failed = JobEvent::Failed { message: message.clone() };
            self.shared.hub.finish(claim.job_id(), numbers::last(claim.attempt_number()), failed);
            self.unrecorded.pop();
        }
        Ok(())
    }
}
