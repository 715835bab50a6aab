//! Where the jobs stand that wait: how many are worked on before each, and about how long that takes.
//!
//! All places are found in one pass over the queue, however many are asked for.

use std::collections::HashMap;
use std::time::Duration;

use types::event::JobEvent;
use types::job::{JobId, JobStatus};

use super::{estimate, numbers};
use crate::Result;
use crate::shared::Shared;
use crate::store::entities::job;

/// Of so many jobs it is estimated how long they take; of a longer queue, the rest takes as long as they do on average.
const LOOKED_AT: u64 = 100;

/// Where a job stands that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// How many jobs are worked on before it.
    pub(crate) n_ahead: u64,
    /// How long these take together, if that can be told of each.
    wait: Option<Duration>,
    /// The number of the event that tells of it.
    number: u64,
}

impl Place {
    /// Milliseconds until its turn, about.
    pub(crate) fn wait_ms(&self) -> Option<u64> {
        self.wait.map(|wait| wait.as_millis() as u64)
    }

    /// The event that tells of it, and its number.
    pub(crate) fn event(&self) -> (u64, JobEvent) {
        (self.number, JobEvent::Queued { n_ahead: self.n_ahead, wait_ms: self.wait_ms() })
    }
}

/// Where each job stands that waits, at one moment.
#[derive(Debug, Default)]
pub(crate) struct Places(HashMap<JobId, Place>);

impl Places {
    /// Those of all jobs that wait now.
    pub(crate) async fn now(shared: &Shared) -> Result<Self> {
        let Shared { store, estimates, hub, .. } = shared;
        let order = store.order_of_work().await?;
        let first = store.first_open_jobs(LOOKED_AT).await?;
        let takes: HashMap<_, _> =
            first.iter().map(|job| (job.id, estimate::time_left(estimates, hub, job))).collect();
        let mut places = HashMap::new();
        // Of those that are looked at; and at how many jobs that stopped.
        let (mut sum, mut n_summed) = (Some(Duration::ZERO), 0_u32);
        for (job, n_ahead) in order.iter().zip(0_u64..) {
            if job.status == JobStatus::Queued.as_str() {
                let wait =
                    sum.map(|sum| if n_ahead > LOOKED_AT { extended(sum, n_summed, n_ahead) } else { sum });
                let n_after = job.newest.saturating_sub(job.seq).unsigned_abs();
                let number = numbers::queued(job.attempt.unsigned_abs(), n_after, n_ahead);
                places.insert(JobId(job.id), Place { n_ahead, wait, number });
            }
            if n_ahead < LOOKED_AT {
                // One that came to its end between the two looks takes no time any more.
                let own = takes.get(&job.id).copied().unwrap_or(Some(Duration::ZERO));
                sum = sum.zip(own).map(|(sum, own)| sum + own);
                n_summed += 1;
            }
        }
        Ok(Self(places))
    }

    /// Those of these jobs that wait: the queue is looked at only if one does.
    pub(crate) async fn of(shared: &Shared, jobs: &[job::Model]) -> Result<Self> {
        let waits = |job: &job::Model| job.status == JobStatus::Queued.as_str();
        if jobs.iter().any(waits) { Self::now(shared).await } else { Ok(Self::default()) }
    }

    /// A job's place; `None` if its turn has come.
    pub(crate) fn get(&self, id: JobId) -> Option<&Place> {
        self.0.get(&id)
    }
}

/// What `n` jobs take if the first `n_known` of them take so long.
fn extended(time: Duration, n_known: u32, n: u64) -> Duration {
    let n = u32::try_from(n).unwrap_or(u32::MAX);
    (time / n_known.max(1)).saturating_mul(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_far_behind_waits_as_long_for_each_as_for_the_first() {
        assert_eq!(extended(Duration::from_secs(200), 100, 150), Duration::from_mins(5));
    }
}
