//! The last hour, a sample a minute: what the graphs of the operator's page are drawn from.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::MissedTickBehavior;

use crate::measures::{Measures, Totals};
use crate::services::memory_use;
use crate::shared::Shared;

/// Time from one sample to the next.
const INTERVAL: Duration = Duration::from_mins(1);

/// Samples that are kept: those of an hour, and the one that it begins with.
const MOST: usize = 61;

/// How it stood at a moment, and what happened since the sample before.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// When.
    pub at: OffsetDateTime,
    /// Jobs that waited; nothing if the database did not answer.
    pub n_queued: Option<u64>,
    /// Pictures that were made since the sample before.
    pub n_pictures: u64,
    /// What a step took since then, on average, in milliseconds; nothing if there was none.
    pub step_ms: Option<f64>,
    /// Memory that the program took, in bytes; nothing if the system did not tell.
    pub memory_bytes: Option<u64>,
}

/// The samples that are kept, oldest first.
///
/// The lock is a std one: it is held to add or to copy a few numbers, never across an await.
pub(crate) struct Samples {
    started_at: OffsetDateTime,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    samples: VecDeque<Sample>,
    /// The sums at the last of them.
    totals: Totals,
}

impl Default for Samples {
    fn default() -> Self {
        Self { started_at: OffsetDateTime::now_utc(), kept: Mutex::default() }
    }
}

impl Samples {
    /// When the program began.
    pub(crate) fn started_at(&self) -> OffsetDateTime {
        self.started_at
    }

    /// Those of the last hour, oldest first.
    pub(crate) fn all(&self) -> Vec<Sample> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).samples.iter().cloned().collect()
    }

    fn push(
        &self,
        at: OffsetDateTime,
        n_queued: Option<u64>,
        memory_bytes: Option<u64>,
        measures: &Measures,
    ) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (totals, before) = (measures.totals(), kept.totals);
        let n_steps = totals.n_steps.saturating_sub(before.n_steps);
        let in_steps = totals.in_steps.saturating_sub(before.in_steps);
        let step_ms = (n_steps > 0).then(|| in_steps.as_secs_f64() * 1000.0 / n_steps as f64);
        let n_pictures = totals.n_pictures.saturating_sub(before.n_pictures);
        if kept.samples.len() == MOST {
            kept.samples.pop_front();
        }
        kept.samples.push_back(Sample { at, n_queued, n_pictures, step_ms, memory_bytes });
        kept.totals = totals;
    }
}

/// Takes a sample now and then one a minute, until the program stops.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut minute = tokio::time::interval(INTERVAL);
    // After the machine slept, one sample is enough.
    minute.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = minute.tick() => take(&shared).await,
            () = shared.stopping.cancelled() => return,
        }
    }
}

/// Takes one sample. What cannot be told now is left out of it.
pub(crate) async fn take(shared: &Shared) {
    let depth = shared.store.queue_depth().await;
    let depth = depth.inspect_err(|error| tracing::warn!(%error, "the queue could not be counted"));
    // Files of the system are read for it.
    let memory = tokio::task::spawn_blocking(memory_use::measure).await.ok().flatten();
    let (n_queued, memory_bytes) = (depth.ok().map(|depth| depth.n_queued), memory.map(|memory| memory.used));
    shared.samples.push(OffsetDateTime::now_utc(), n_queued, memory_bytes, &shared.measures);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measures::PictureKind;

    #[test]
    fn a_sample_tells_what_happened_since_the_one_before() {
        let (samples, measures) = (Samples::default(), Measures::default());
        let kind = PictureKind::new("demo", (64, 64));
        let now = OffsetDateTime::now_utc();
        samples.push(now, Some(2), None, &measures);
        for took in [10, 20] {
            measures.step_done(&kind, Duration::from_millis(took));
        }
        measures.picture_made(&kind);
        samples.push(now, None, Some(7), &measures);
        samples.push(now, Some(0), Some(7), &measures);
        let sample = |n_queued, n_pictures, step_ms, memory_bytes| Sample {
            at: now,
            n_queued,
            n_pictures,
            step_ms,
            memory_bytes,
        };
        let expected = [
            sample(Some(2), 0, None, None),
            sample(None, 1, Some(15.0), Some(7)),
            sample(Some(0), 0, None, Some(7)),
        ];
        assert_eq!(samples.all(), expected);
    }

    #[test]
    fn no_more_than_an_hour_is_kept() {
        let (samples, measures) = (Samples::default(), Measures::default());
        for minute in 0..2 * MOST {
            samples.push(OffsetDateTime::UNIX_EPOCH, Some(minute as u64), None, &measures);
        }
        let kept: Vec<_> = samples.all().into_iter().map(|sample| sample.n_queued).collect();
        assert_eq!(kept.len(), MOST);
        assert_eq!((kept[0], kept[MOST - 1]), (Some(MOST as u64), Some(2 * MOST as u64 - 1)));
    }
}
