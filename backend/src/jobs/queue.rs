//! Waking the worker, and cancelling what it works on.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};
use types::event::JobEvent;
use types::job::{JobId, JobStatus};

use super::{estimate, numbers};
use crate::shared::Shared;
use crate::store::entities::job;

/// The part of the queue that is in memory. What is queued stands in the database.
pub(crate) struct Queue {
    woken: Notify,
    /// The job that is being worked on, and what stops it.
    running: Mutex<Option<(JobId, CancellationToken)>>,
    /// Attempts that somebody else than the worker began and could not end.
    handed_over: Mutex<Vec<job::Model>>,
    stopping: CancellationToken,
}

/// The time in which a job is worked on. When it is dropped, for whatever reason, the engine is told to stop.
pub(crate) struct Running {
    token: CancellationToken,
    _stop_on_drop: DropGuard,
}

impl Running {
    /// Cancelled when the work is to stop: the owner says so, or the program stops.
    pub(crate) fn token(&self) -> CancellationToken {
        self.token.clone()
    }
}

impl Queue {
    pub(crate) fn new(stopping: CancellationToken) -> Self {
        Self { woken: Notify::new(), running: Mutex::default(), handed_over: Mutex::default(), stopping }
    }

    /// Says that there may be something to do. If the worker is busy, it looks again afterwards.
    pub(crate) fn wake(&self) {
        self.woken.notify_one();
    }

    /// Has the worker put a job back into the queue, as soon as the database lets it.
    pub(crate) fn hand_over(&self, claim: job::Model) {
        self.handed_over.lock().unwrap_or_else(PoisonError::into_inner).push(claim);
        self.wake();
    }

    /// What was handed over since this was asked last.
    pub(crate) fn take_handed_over(&self) -> Vec<job::Model> {
        std::mem::take(&mut *self.handed_over.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Resolves at the first [`Queue::wake`] after this call, or at one before it that nobody has taken.
    pub(crate) fn woken(&self) -> tokio::sync::futures::Notified<'_> {
        self.woken.notified()
    }

    /// The job is being worked on from now on.
    pub(crate) fn begin(&self, id: JobId) -> Running {
        let token = self.stopping.child_token();
        *self.lock() = Some((id, token.clone()));
        Running { _stop_on_drop: token.clone().drop_guard(), token }
    }

    /// Stops the work on a job, if it is this job that is worked on.
    pub(crate) fn stop(&self, id: JobId) {
        if let Some((running, token)) = &*self.lock()
            && *running == id
        {
            token.cancel();
        }
    }

    /// Tells those who wait how many are before them now. Whatever made the queue move has happened, so that
    /// nobody can be told is only logged: they are told the next time it moves.
    pub(crate) async fn announce_places(&self, shared: &Shared) {
        let Shared { store, hub, estimates, .. } = shared;
        let open = match store.open_jobs().await {
            Ok(open) => open,
            Err(error) => {
                tracing::warn!(%error, "places in the queue could not be told");
                return;
            }
        };
        let waits =
            |job: &job::Model| job.status == JobStatus::Queued.as_str() && hub.is_watched(job.job_id());
        if !open.iter().any(waits) {
            return;
        }
        let mut wait = Some(Duration::ZERO);
        for (job, n_ahead) in open.into_iter().zip(0..) {
            let id = job.job_id();
            if job.status == JobStatus::Queued.as_str() && hub.is_watched(id) {
                let wait_ms = wait.map(|wait| wait.as_millis() as u64);
                let number = numbers::queued(job.attempt_number(), n_ahead);
                hub.publish(id, number, JobEvent::Queued { n_ahead, wait_ms });
            }
            wait = wait.zip(estimate::time_left(estimates, hub, &job)).map(|(before, own)| before + own);
        }
    }

    /// A panic elsewhere leaves nothing half done here.
    fn lock(&self) -> MutexGuard<'_, Option<(JobId, CancellationToken)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
