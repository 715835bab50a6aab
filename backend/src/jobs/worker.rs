//! Takes a job, makes its pictures, stores them.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use types::error::PublicError;
use types::event::JobEvent;
use types::job::Progress;
use types::request::GenerationRequest;

use super::backoff::Backoff;
use super::bound::Bound;
use super::pace::Pace;
use super::painter::{Painted, Painter, Painting};
use super::{estimate, fingerprint, materials, numbers, sheet};
use crate::engine::EngineError;
use crate::measures::{JobEnd, PictureKind};
use crate::shared::Shared;
use crate::store::entities::job::KnownNote;
use crate::store::entities::{job, picture};
use crate::store::{MAX_CRASHES, NewPicture, gave_up, since};
use crate::{Engine, Error, Result};
use crate::{background, files};

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

/// The one worker. A graphics card, or two processor cores, are busy with one job at a time.
pub(crate) struct Worker {
    shared: Arc<Shared>,
    /// Attempts whose end could not be written down, since the disk was full or the database out of order.
    unrecorded: Vec<(job::Model, End)>,
}

/// How an attempt ended that did not make all the pictures: what is to be written down.
enum End {
    /// The job goes back into the queue.
    PutBack { crashed: bool },
    /// The job is over.
    Failed(PublicError),
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
        let mut backoff = Backoff::default();
        while !shared.stopping.is_cancelled() {
            // The worker asks to be woken before it looks, so that a job which comes in between is seen.
            let mut woken = std::pin::pin!(shared.queue.woken());
            woken.as_mut().enable();
            let pause = match self.run_next_job().await {
                Ok(outcome) => {
                    backoff.reset();
                    if outcome != Outcome::Idle {
                        continue;
                    }
                    None
                }
                // Nobody says when the disk has room again, so the worker looks by itself.
                Err(error) => {
                    tracing::error!(
                        error = cause(&error),
                        "the queue cannot be worked off; it will be tried again"
                    );
                    Some(backoff.after_failure())
                }
            };
            tokio::select! {
                () = woken => {}
                () = wait(pause) => {}
                () = shared.stopping.cancelled() => {}
            }
        }
    }

    /// Takes the queued job whose turn it is and works on it to its end.
    ///
    /// # Errors
    /// The database is out of order, or nobody knows which words the site does not paint: then jobs wait, as what is the matter
    /// can be mended and a job that failed cannot. What goes wrong with the job itself becomes the job's own error.
    pub(crate) async fn run_next_job(&mut self) -> Result<Outcome> {
        self.record_ends().await?;
        self.shared.blocked_words()?;
        let Some(claim) = self.shared.store.claim().await? else { return Ok(Outcome::Idle) };
        // At the level of errors, so that the job stands beside every line, whatever is logged.
        let span = tracing::error_span!("job", job.id = %claim.job_id(), job.attempt = claim.attempt);
        Ok(self.work_off(claim).instrument(span).await)
    }

    /// Works on a job that was taken to its end.
    async fn work_off(&mut self, mut claim: job::Model) -> Outcome {
        let shared = Arc::clone(&self.shared);
        let id = claim.job_id();
        tracing::info!("a job begins");
        let running = shared.queue.begin(id);
        let outcome = match self.work_on(&mut claim, &running.token()).await {
            Ok(Ended::Done) => {
                shared.hub.finish(id, numbers::last(claim.attempt_number()), JobEvent::Done);
                Outcome::Done
            }
            Ok(Ended::Over) => self.tell_cancelled(&claim),
            Ok(Ended::Stopped) => self.end(claim, End::PutBack { crashed: false }).await,
            Ok(Ended::Crashed) if claim.crashes + 1 < MAX_CRASHES => {
                self.end(claim, End::PutBack { crashed: true }).await
            }
            Ok(Ended::Crashed) => self.end(claim, End::Failed(gave_up())).await,
            Err(error) => {
                tracing::error!(error = cause(&error), "a job failed");
                self.end(claim, End::Failed(error.public())).await
            }
        };
        tracing::info!(?outcome, "a job ends");
        shared.queue.announce_places(&shared).await;
        shared.housekeeping.wake();
        outcome
    }

    /// Makes the job's pictures from the first that is missing. Whoever stops the program does not wait for the
    /// engine: what it still makes is thrown away.
    async fn work_on(&self, claim: &mut job::Model, stop: &CancellationToken) -> Result<Ended> {
        let Shared { engine, store, hub, measures, stopping, .. } = &*self.shared;
        // Whoever cancelled the job before this worker could be told to stop has left word in the database.
        if !store.is_current(claim).await? {
            return Ok(Ended::Over);
        }
        let request = Arc::new(claim.generation_request()?);
        // The list may be another one than when the job was asked for.
        self.shared.refuse_blocked(&request).await?;
        let kind = PictureKind::of(&request);
        // A later attempt waited for the one before.
        if claim.attempt == 1 {
            measures.job_begun(&kind, since(claim.created_at));
        }
        if let Some(known) = &claim.fingerprint
            && !fingerprint::is_still(known, &self.shared, &request)
        {
            store.forget_fingerprint(claim).await?;
        }
        let (job, attempt) = (claim.job_id(), claim.attempt_number());
        let first = claim.n_made as u32;
        hub.begin(job, numbers::begin(attempt, first), beginning(&request, first));

        let materials = Arc::new(materials::gather(&self.shared, &claim.owner, &request).await?);
        let mut pace = Pace::new((0..request.count).map(|index| request.n_steps_of(index)).collect());
        let mut bound = Bound::of(self.shared.limits.seconds_per_job);
        let mut failed = Vec::new();
        let mut next = first;
        while next < request.count {
            let n_together = n_together(&**engine, &request).clamp(1, request.count - next);
            let indices = next..next + n_together;
            let task = Painter {
                engine: Arc::clone(engine),
                hub: Arc::clone(hub),
                measures: measures.clone(),
                job,
                attempt,
                request: Arc::clone(&request),
                materials: Arc::clone(&materials),
                indices: indices.clone(),
                pace,
                bound,
                safety: self.shared.safety,
                signer: self.shared.signer.clone(),
                fallback_model: self.shared.fallback_model.clone(),
                failed: failed.clone(),
                stop: stop.clone(),
            };
            let painting = if request.is_sheet(next) {
                sheet::begin(&self.shared, job, Arc::clone(&request), task.pace, bound).await?
            } else {
                background::compute(move || task.paint())?
            };
            let painted = tokio::select! {
                biased;
                painted = painting => painted,
                () = stopping.cancelled() => return Ok(Ended::Stopped),
            };
            let painting = match painted {
                Ok(Ok(painting)) => painting,
                Ok(Err(Error::Engine(EngineError::Cancelled))) if stopping.is_cancelled() => {
                    return Ok(Ended::Stopped);
                }
                Ok(Err(Error::Engine(EngineError::Cancelled))) => return Ok(Ended::Over),
                Ok(Err(error)) => return Err(error),
                Err(_) => {
                    tracing::error!("the engine panicked");
                    return Ok(Ended::Crashed);
                }
            };
            let Painting {
                pictures,
                pace: pace_after,
                bound: bound_after,
                kind: made_by,
                failed: failed_now,
            } = painting;
            if failed_now.is_some() {
                // Whoever asks for the same later may get it from the model that they ask for.
                store.forget_fingerprint(claim).await?;
            }
            failed.extend(failed_now);
            // The cells of a grid differ in what a step takes, and a model that stood in takes its own time.
            if request.grid.is_none()
                && failed.is_empty()
                && let Some(step) = pace_after.per_step()
            {
                let is_stopped = pictures.iter().any(Result::is_err);
                estimate::record(&self.shared, &request, step / n_together, is_stopped).await;
            }
            for (index, painted) in indices.zip(pictures) {
                let Some(stored) = self.store_picture(claim, &request, index, &painted?).await? else {
                    return Ok(Ended::Over);
                };
                measures.picture_made(&made_by);
                self.tell_picture(claim, &stored, index)?;
            }
            claim.crashes = 0;
            (pace, bound, next) = (pace_after, bound_after, next + n_together);
        }
        measures.job_done(&kind, since(claim.created_at));
        Ok(Ended::Done)
    }

    /// Writes a picture's files and then its row. If there is to be no row, the files are deleted.
    async fn store_picture(
        &self,
        claim: &mut job::Model,
        request: &GenerationRequest,
        index: u32,
        painted: &Painted,
    ) -> Result<Option<picture::Model>> {
        let Shared { store, files, .. } = &*self.shared;
        let file = files::picture_file(claim.job_id(), claim.attempt, index);
        let stored = async {
            files.create(&file, painted.png.clone()).await?;
            files.create(&files::thumbnail_file(&file), painted.thumbnail.clone()).await?;
            let Painted { width, height, ref notes, .. } = *painted;
            let size_bytes = (painted.png.len() + painted.thumbnail.len()) as u64;
            let notes = notes.clone();
            let new = NewPicture { index, file: file.clone(), width, height, size_bytes, notes };
            store.add_picture(claim, request, &new).await
        };
        let stored = stored.await;
        if !matches!(&stored, Ok(Some(picture)) if picture.file == file) {
            files.discard_picture(&file).await;
        }
        stored
    }

    /// Tells those who watch that a picture was stored, and before it what is to be said of it and was said of none before.
    fn tell_picture(&self, claim: &job::Model, stored: &picture::Model, index: u32) -> Result<()> {
        let (job, attempt) = (claim.job_id(), claim.attempt_number());
        for KnownNote { note, .. } in
            claim.known_notes()?.into_iter().filter(|known| (known.attempt, known.index) == (attempt, index))
        {
            tracing::info!(picture.index = index, note = note.as_str(), "a picture has a note");
            self.shared.hub.publish(job, numbers::note(attempt, index, note), JobEvent::Note { note });
        }
        let picture = JobEvent::Picture { picture: stored.info() };
        self.shared.hub.publish(job, numbers::picture(attempt, index), picture);
        Ok(())
    }

    /// Writes down how an attempt ended, now or, if that cannot be, as soon as it can.
    async fn end(&mut self, claim: job::Model, end: End) -> Outcome {
        let error = match self.record(&claim, &end).await {
            Ok(outcome) => return outcome,
            Err(error) => error,
        };
        tracing::error!(%error, "an attempt's end could not be written down; it will be tried again");
        let outcome = match &end {
            End::PutBack { .. } => Outcome::PutBack,
            End::Failed(fault) => {
                self.tell_failure(&claim, fault);
                Outcome::Failed
            }
        };
        self.unrecorded.push((claim, end));
        outcome
    }

    /// Writes down the ends that could not be written when they came.
    async fn record_ends(&mut self) -> Result<()> {
        let handed_over = self.shared.queue.take_handed_over().into_iter();
        self.unrecorded.extend(handed_over.map(|claim| (claim, End::PutBack { crashed: false })));
        while let Some((claim, end)) = self.unrecorded.last() {
            self.record(claim, end).await?;
            self.unrecorded.pop();
        }
        Ok(())
    }

    /// Writes an attempt's end into the database and then tells those who watch. That a job waits again, they
    /// are told with everybody's place in the queue.
    async fn record(&self, claim: &job::Model, end: &End) -> Result<Outcome> {
        let Shared { store, measures, .. } = &*self.shared;
        match end {
            End::PutBack { crashed } => {
                let is_back = store.put_back(claim, *crashed).await?;
                Ok(if is_back { Outcome::PutBack } else { self.tell_cancelled(claim) })
            }
            End::Failed(fault) => {
                if !store.fail(claim, fault).await? {
                    return Ok(self.tell_cancelled(claim));
                }
                measures.job_ended(JobEnd::Failed(fault.code));
                self.tell_failure(claim, fault);
                Ok(Outcome::Failed)
            }
        }
    }

    fn tell_failure(&self, claim: &job::Model, fault: &PublicError) {
        let failed = JobEvent::Failed { message: fault.message.clone() };
        self.shared.hub.finish(claim.job_id(), numbers::last(claim.attempt_number()), failed);
    }

    /// The job is no longer this attempt's, so its owner cancelled it. They may be about to say so to those who
    /// watch: whoever is first does it.
    fn tell_cancelled(&self, claim: &job::Model) -> Outcome {
        let number = numbers::last(claim.attempt_number());
        self.shared.hub.finish(claim.job_id(), number, JobEvent::Cancelled);
        Outcome::Cancelled
    }
}

/// How many pictures are made together, at most. The cells of a grid differ in what a batch has in common.
pub(crate) fn n_together(engine: &dyn Engine, request: &GenerationRequest) -> u32 {
    if request.grid.is_some() { 1 } else { engine.n_together(request) }
}

/// The error as the log takes it: with everything that led to it.
fn cause(error: &Error) -> &(dyn std::error::Error + 'static) {
    error
}

/// Resolves after that time, or never.
async fn wait(pause: Option<Duration>) {
    match pause {
        Some(pause) => tokio::time::sleep(pause).await,
        None => std::future::pending().await,
    }
}
/// Nothing is done yet of the picture that is `first` to be made.
fn beginning(request: &GenerationRequest, first: u32) -> JobEvent {
    let progress = Progress {
        picture: first + 1,
        n_pictures: request.count,
        n_steps: request.n_steps_of(first),
        ..Progress::default()
    };
    JobEvent::Progress { progress, preview: None }
}
