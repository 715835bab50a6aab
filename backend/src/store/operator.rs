//! The queue as whoever operates the site sees it: everybody's jobs.

use std::time::Duration;

use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder, QuerySelect};
use types::job::JobStatus;

use super::entities::job;
use super::{Store, now_ms};
use crate::Result;

/// How much there is to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct QueueDepth {
    /// Jobs that wait.
    pub(crate) n_queued: u64,
    /// Jobs that are worked on.
    pub(crate) n_running: u64,
    /// How long the job waits that was asked for first; nothing if none waits.
    pub(crate) oldest_age: Duration,
}

impl Store {
    /// How much there is to do.
    pub(crate) async fn queue_depth(&self) -> Result<QueueDepth> {
        let oldest: Option<i64> = with_status(JobStatus::Queued)
            .select_only()
            .column(job::Column::CreatedAt)
            .order_by_asc(job::Column::Seq)
            .into_tuple()
            .one(&self.db)
            .await?;
        Ok(QueueDepth {
            n_queued: with_status(JobStatus::Queued).count(&self.db).await?,
            n_running: with_status(JobStatus::Running).count(&self.db).await?,
            oldest_age: oldest.map_or(Duration::ZERO, since),
        })
    }

    /// The jobs that are worked on, the oldest first.
    pub(crate) async fn running_jobs(&self) -> Result<Vec<job::Model>> {
        Ok(with_status(JobStatus::Running).order_by_asc(job::Column::Seq).all(&self.db).await?)
    }

    /// The jobs that failed, the one that did so last first.
    pub(crate) async fn latest_failures(&self, limit: u64) -> Result<Vec<job::Model>> {
        let failed = with_status(JobStatus::Failed)
            .order_by_desc(job::Column::FinishedAt)
            .order_by_desc(job::Column::Seq)
            .limit(limit);
        Ok(failed.all(&self.db).await?)
    }
}

/// Time since a moment of the database; none if the clock was set back since.
pub(crate) fn since(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(now_ms() - ms).unwrap_or(0))
}

fn with_status(status: JobStatus) -> Select<job::Entity> {
    job::Entity::find().filter(job::Column::Status.eq(status.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_back_makes_no_time_that_is_less_than_none() {
        assert_eq!(since(now_ms() + 3_600_000), Duration::ZERO);
        assert!(since(now_ms() - 5_000) >= Duration::from_secs(5));
    }
}
