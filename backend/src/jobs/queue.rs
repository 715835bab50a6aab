//! Waking the worker, and cancelling what it works on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};
use types::job::JobId;

use super::places::Places;
use crate::shared::Shared;
use crate::store::entities::job;

/// The part of the queue that is in memory. What is queued stands in the database.
pub(crate) struct Queue {
    woken: Notify,
    /// The job that is being worked on, and what stops it.
    running: Mutex<Option<(JobId, CancellationToken)>>,
    /// Attempts that somebody else than the worker began and could not end.
    handed_over: Mutex<Vec<job::Model>>,
    /// How often the queue moved.
    n_moves: AtomicU64,
    /// How many of these moves those who wait were told of. Locked while they are told.
    n_told: tokio::sync::Mutex<u64>,
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
        Self {
            woken: Notify::new(),
            running: Mutex::default(),
            handed_over: Mutex::default(),
            n_moves: AtomicU64::new(0),
            n_told: tokio::sync::Mutex::default(),
            stopping,
        }
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

    /// Tells those who wait where they stand now, after somebody came or left. Whatever made the queue move has happened, so
    /// that nobody can be told is only logged: they are told the next time it moves.
    ///
    /// Moves that come while others are told of one are told together: many who come at once cost two looks at the queue.
    pub(crate) async fn announce_places(&self, shared: &Shared) {
        let own = self.n_moves.fetch_add(1, Ordering::SeqCst) + 1;
        let mut n_told = self.n_told.lock().await;
        if *n_told >= own {
            return;
        }
        let n_moves = self.n_moves.load(Ordering::SeqCst);
        tell_places(shared).await;
        *n_told = n_moves;
    }

    /// A panic elsewhere leaves nothing half done here.
    fn lock(&self) -> MutexGuard<'_, Option<(JobId, CancellationToken)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn tell_places(shared: &Shared) {
    let watched = shared.hub.watched();
    if watched.is_empty() {
        return;
    }
    let places = match Places::now(shared).await {
        Ok(places) => places,
        Err(error) => {
            tracing::warn!(%error, "places in the queue could not be told");
            return;
        }
    };
    for id in watched {
        if let Some(place) = places.get(id) {
            let (number, event) = place.event();
            shared.hub.publish(id, number, event);
        }
    }
}
