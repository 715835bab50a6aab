//! What happens to each job, kept for those who watch.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use types::event::{JobEvent, NumberedEvent};
use types::job::{JobId, Loading, Progress};
use types::picture::{PictureId, PictureInfo};

/// What happened to one job since this program took it up, oldest first.
///
/// Only the newest preview is kept, and of places in the queue one after the other the last: old ones are of no use to anybody.
#[derive(Debug, Default)]
pub(crate) struct Log {
    events: Vec<NumberedEvent>,
}

impl Log {
    /// The events with a number greater than this.
    pub(crate) fn after(&self, number: Option<u64>) -> &[NumberedEvent] {
        let seen = number.map_or(0, |number| self.events.partition_point(|event| event.number <= number));
        &self.events[seen..]
    }

    fn push(&mut self, event: NumberedEvent) {
        if let JobEvent::Progress { preview: Some(_), .. } = event.event {
            for old in &mut self.events {
                if let JobEvent::Progress { preview, .. } = &mut old.event {
                    *preview = None;
                }
            }
        }
        let waits = |event: Option<&NumberedEvent>| {
            matches!(event, Some(NumberedEvent { event: JobEvent::Queued { .. }, .. }))
        };
        if waits(Some(&event)) && waits(self.events.last()) {
            self.events.pop();
        }
        self.events.push(event);
    }
}

/// The logs of the jobs that are worked on or watched.
///
/// A log lives in a `watch` channel, which holds the log itself and wakes whoever waits for a change. A slow
/// reader therefore loses nothing but old previews and places, and there is no moment between looking and waiting in
/// which an event could slip by.
///
/// The lock is a std one: it is held for a look-up, never across an await.
#[derive(Default)]
pub(crate) struct ProgressHub {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    logs: HashMap<JobId, watch::Sender<Log>>,
    closed: bool,
}

impl ProgressHub {
    /// Everything that will happen to the job, and what happened since it was taken up. When the log is
    /// dropped (after the job's end, or at [`ProgressHub::close`]), the receiver sees its last state and then
    /// an error.
    pub(crate) fn subscribe(&self, id: JobId) -> watch::Receiver<Log> {
        let mut state = self.lock();
        if state.closed {
            return watch::Sender::new(Log::default()).subscribe();
        }
        // Here is as good a place as any to drop the logs of queued jobs that nobody watches any more.
        state.logs.retain(|_, log| log.receiver_count() > 0 || !log.borrow().events.is_empty());
        state.logs.entry(id).or_default().subscribe()
    }

    /// Keeps a log of the job from now on, whether it is watched or not.
    pub(crate) fn begin(&self, id: JobId, number: u64, event: JobEvent) {
        let mut state = self.lock();
        if !state.closed {
            let log = state.logs.entry(id).or_default();
            log.send_modify(|log| log.push(NumberedEvent { number, event }));
        }
    }

    /// Adds an event to the log, if one is kept.
    pub(crate) fn publish(&self, id: JobId, number: u64, event: JobEvent) {
        if let Some(log) = self.lock().logs.get(&id) {
            log.send_if_modified(|log| {
                // An event that is known already, or that comes too late, is dropped: numbers only grow.
                let is_new = log.events.last().is_none_or(|last| last.number < number);
                if is_new {
                    log.push(NumberedEvent { number, event });
                }
                is_new
            });
        }
    }

    /// Adds the job's last event and closes its log: those who watch see it to the end. The second of two who
    /// know of the end does nothing.
    pub(crate) fn finish(&self, id: JobId, number: u64, event: JobEvent) {
        if let Some(log) = self.lock().logs.remove(&id) {
            log.send_modify(|log| log.push(NumberedEvent { number, event }));
        }
    }

    /// A picture was changed after it was stored: whoever comes now is told of it as it is. Those who were told
    /// before are not told again.
    pub(crate) fn replace_picture(&self, changed: &PictureInfo) {
        self.amend(changed.job_id, |events| {
            for event in events {
                if let JobEvent::Picture { picture } = &mut event.event
                    && picture.id == changed.id
                {
                    *picture = changed.clone();
                }
            }
        });
    }

    /// A picture was deleted: nobody is told any more that it was made.
    pub(crate) fn drop_picture(&self, job: JobId, deleted: PictureId) {
        self.amend(job, |events| {
            events.retain(
                |event| !matches!(&event.event, JobEvent::Picture { picture } if picture.id == deleted),
            );
        });
    }

    /// Changes what happened, without waking those who wait for what will.
    fn amend(&self, id: JobId, change: impl FnOnce(&mut Vec<NumberedEvent>)) {
        if let Some(log) = self.lock().logs.get(&id) {
            log.send_if_modified(|log| {
                change(&mut log.events);
                false
            });
        }
    }

    /// The jobs that are worked on or watched.
    pub(crate) fn watched(&self) -> HashSet<JobId> {
        self.lock().logs.keys().copied().collect()
    }

    /// How far the job is, if it is worked on.
    pub(crate) fn progress(&self, id: JobId) -> Option<Progress> {
        let state = self.lock();
        let log = state.logs.get(&id)?.borrow();
        log.events.iter().rev().find_map(|event| match event.event {
            JobEvent::Progress { progress, .. } => Some(progress),
            _ => None,
        })
    }

    /// What its picture looks like, if that was told.
    pub(crate) fn preview(&self, id: JobId) -> Option<String> {
        let state = self.lock();
        let log = state.logs.get(&id)?.borrow();
        log.events.iter().rev().find_map(|event| match &event.event {
            JobEvent::Progress { preview, .. } => preview.clone(),
            _ => None,
        })
    }

    /// How much of its model is loaded, if that is what is being done for the job.
    pub(crate) fn loading(&self, id: JobId) -> Option<Loading> {
        let state = self.lock();
        match &state.logs.get(&id)?.borrow().events.last()?.event {
            JobEvent::Loading { loading } => Some(loading.clone()),
            _ => None,
        }
    }

    /// Ends all streams: the program stops.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.logs.clear();
    }

    /// A panic elsewhere leaves nothing half done in a log.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn progress(step: u32, preview: Option<&str>) -> JobEvent {
        JobEvent::Progress {
            progress: Progress {
                picture: 1,
                n_together: 1,
                n_pictures: 1,
                step,
                n_steps: 9,
                remaining_ms: None,
            },
            preview: preview.map(str::to_owned),
        }
    }

    #[test]
    fn only_the_newest_preview_is_kept() {
        let (hub, id) = (ProgressHub::default(), JobId(Uuid::new_v4()));
        let watcher = hub.subscribe(id);
        hub.begin(id, 1, progress(1, Some("first")));
        hub.publish(id, 2, progress(2, Some("second")));
        hub.publish(id, 3, progress(3, None));
        let events: Vec<_> = watcher.borrow().after(None).iter().map(|event| event.event.clone()).collect();
        assert_eq!(events, [progress(1, None), progress(2, Some("second")), progress(3, None)]);
        assert_eq!(hub.preview(id).as_deref(), Some("second"));
        assert_eq!(watcher.borrow().after(Some(2)).len(), 1);
    }

    #[test]
    fn of_the_places_in_the_queue_only_the_last_is_kept() {
        let (hub, id) = (ProgressHub::default(), JobId(Uuid::new_v4()));
        let watcher = hub.subscribe(id);
        for (number, n_ahead) in [(1, 2), (3, 3), (4, 2)] {
            hub.publish(id, number, JobEvent::Queued { n_ahead, wait_ms: None });
        }
        let numbers: Vec<_> = watcher.borrow().after(None).iter().map(|event| event.number).collect();
        assert_eq!(numbers, [4]);
    }

    #[test]
    fn a_watcher_sees_the_end_though_the_log_is_gone() {
        let (hub, id) = (ProgressHub::default(), JobId(Uuid::new_v4()));
        let watcher = hub.subscribe(id);
        hub.finish(id, 9, JobEvent::Done);
        assert_eq!(watcher.borrow().after(None).len(), 1);
        assert!(watcher.has_changed().is_err(), "nothing more will come");
    }

    #[test]
    fn logs_that_nobody_watches_are_dropped() {
        let hub = ProgressHub::default();
        let (gone, other) = (JobId(Uuid::new_v4()), JobId(Uuid::new_v4()));
        drop(hub.subscribe(gone));
        let _watcher = hub.subscribe(other);
        assert_eq!(hub.watched(), HashSet::from([other]));
    }
}
