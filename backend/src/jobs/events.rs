//! A job's events as a stream.

use std::collections::{BTreeMap, VecDeque};

use futures::StreamExt;
use futures::stream::{BoxStream, unfold};
use tokio::sync::watch;
use types::event::{JobEvent, NumberedEvent};
use types::job::{JobId, JobStatus, Progress};

use super::info::describe;
use super::numbers;
use super::places::Places;
use super::progress::Log;
use crate::shared::Shared;
use crate::store::entities::job::KnownNote;
use crate::{Error, Result};

/// What happened to the job after event `after`, and all that will happen. Without `after`, the stream begins
/// with where the job stands: its pictures, and its place in the queue, how much of its model is loaded, or its
/// last step.
pub(crate) async fn events(
    shared: &Shared,
    id: JobId,
    after: Option<u64>,
) -> Result<BoxStream<'static, NumberedEvent>> {
    // First subscribe, then ask the database: what happens in between is in the log.
    let mut log = shared.hub.subscribe(id);
    let mut past = BTreeMap::new();
    for event in snapshot(shared, id).await? {
        past.insert(event.number, event.event);
    }
    for event in log.borrow_and_update().after(None) {
        past.insert(event.number, event.event.clone());
    }
    // Told before the past is cut: a reader who saw the end already has nothing to wait for.
    let is_over = past.values().any(JobEvent::is_final);
    match after {
        Some(after) => past = past.split_off(&after.saturating_add(1)),
        None => keep_where_it_stands(&mut past),
    }
    let pending = past.into_iter().map(|(number, event)| NumberedEvent { number, event }).collect();
    let reader = Reader { log, last: after, place: None, pending, is_over };
    Ok(unfold(reader, |mut reader| async move { Some((reader.next().await?, reader)) }).boxed())
}

/// Without the steps and places that are past. At the end, neither says anything any more.
fn keep_where_it_stands(past: &mut BTreeMap<u64, JobEvent>) {
    let passes = |event: &JobEvent| {
        matches!(event, JobEvent::Queued { .. } | JobEvent::Loading { .. } | JobEvent::Progress { .. })
    };
    let is_over = past.values().any(JobEvent::is_final);
    let newest = past.iter().rev().find(|(_, event)| passes(event)).map(|(number, _)| *number);
    past.retain(|number, event| !passes(event) || (Some(*number) == newest && !is_over));
}

/// What the database knows of a job, as events.
async fn snapshot(shared: &Shared, id: JobId) -> Result<Vec<NumberedEvent>> {
    let row = shared.store.job(id).await?.ok_or_else(|| Error::not_found("job", &id))?;
    let pictures = shared.store.pictures_of([id]).await?;
    let (attempt, n_made) = (row.attempt_number(), row.n_made as u32);
    let mut events: Vec<_> = pictures
        .iter()
        .map(|picture| NumberedEvent {
            number: numbers::picture(picture.attempt.unsigned_abs(), picture.idx.unsigned_abs()),
            event: JobEvent::Picture { picture: picture.info() },
        })
        .collect();
    events.extend(row.known_notes()?.into_iter().map(|KnownNote { note, attempt, index }| NumberedEvent {
        number: numbers::note(attempt, index, note),
        event: JobEvent::Note { note },
    }));
    let places = Places::of(shared, std::slice::from_ref(&row)).await?;
    let job = describe(shared, None, row, &[], &places)?;
    let (number, event) = match job.status {
        JobStatus::Queued => match places.get(id) {
            Some(place) => place.event(),
            // Its turn came after its row was read: the log tells of it.
            None => return Ok(events),
        },
        JobStatus::Running => {
            let known = job.progress.unwrap_or_default();
            let first = known.picture.saturating_sub(1);
            if (first + 1..first + known.n_together).contains(&n_made) {
                // Pictures that were made together are being stored: the log knows where they stand.
                return Ok(events);
            }
            let progress = Progress {
                picture: n_made + 1,
                n_pictures: known.n_pictures,
                n_steps: known.n_steps,
                ..Progress::default()
            };
            // Once it is past the beginning, the log knows more than this.
            (numbers::begin(attempt, n_made), JobEvent::Progress { progress, preview: None })
        }
        JobStatus::Done => (numbers::last(attempt), JobEvent::Done),
        JobStatus::Failed => {
            (numbers::last(attempt), JobEvent::Failed { message: job.error.unwrap_or_default() })
        }
        JobStatus::Cancelled => (numbers::last(attempt), JobEvent::Cancelled),
    };
    events.push(NumberedEvent { number, event });
    Ok(events)
}

/// Reads a job's log to its end.
struct Reader {
    log: watch::Receiver<Log>,
    /// Number of the last event that was given out.
    last: Option<u64>,
    /// The place in the queue that was given out last, if nothing else was since.
    place: Option<JobEvent>,
    pending: VecDeque<NumberedEvent>,
    /// The final event is pending or was given out.
    is_over: bool,
}

impl Reader {
    async fn next(&mut self) -> Option<NumberedEvent> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                self.last = Some(event.number);
                // Somebody came behind: where this job stands has not changed.
                if self.place.as_ref() == Some(&event.event) {
                    continue;
                }
                let is_place = matches!(event.event, JobEvent::Queued { .. });
                self.place = is_place.then(|| event.event.clone());
                return Some(event);
            }
            if self.is_over {
                return None;
            }
            // The channel remembers which state was seen last, so a change since then is not waited for.
            // An error means that the log was dropped, and that its last state was seen.
            self.log.changed().await.ok()?;
            let log = self.log.borrow_and_update();
            self.pending.extend(log.after(self.last).iter().cloned());
            self.is_over = self.pending.iter().any(|event| event.event.is_final());
        }
    }
}
