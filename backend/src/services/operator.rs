//! What whoever operates the site is shown: everybody's jobs, the machine, and the last hour.

mod jobs_now;

use std::time::Duration;

use time::OffsetDateTime;

use super::{MachineFacts, MemoryUse, Readiness, Services};
use crate::disk::{self, DiskSpace};
use crate::measures::Resident;
use crate::measures::standing::{self, Standing};
use crate::samples::Sample;
use crate::shared::Shared;

pub use jobs_now::{Asked, FailedJob, JobFacts, JobsNow, QueuedJob, RunningJob};

/// How long the database may take. Whoever looks into a failure has to see the rest meanwhile.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(5);

/// How the program stands at a moment. What could not be told is left out.
#[derive(Debug, Clone, PartialEq)]
pub struct OperatorSnapshot {
    /// The moment.
    pub taken_at: OffsetDateTime,
    /// When the program began.
    pub started_at: OffsetDateTime,
    /// Whether it can work, and what keeps it from that.
    pub readiness: Readiness,
    /// The jobs, if the database answers.
    pub jobs: Option<JobsNow>,
    /// What computes, and its memory.
    pub machine: Option<MachineFacts>,
    /// What the program takes of it.
    pub memory: Option<MemoryUse>,
    /// The disk of the data folder.
    pub disk: Option<DiskSpace>,
    /// The models in memory.
    pub residents: Vec<Resident>,
    /// The last hour, a sample a minute, oldest first.
    pub last_hour: Vec<Sample>,
}

impl Services {
    /// How the program stands just now. Prompts are in it only if they are asked for: they are the visitors' own, and no
    /// business of whoever looks after the machine.
    pub async fn operator_snapshot(&self, with_prompts: bool) -> OperatorSnapshot {
        let shared = &*self.0.shared;
        let jobs = tokio::time::timeout(DATABASE_TIMEOUT, jobs_now::look(shared, with_prompts));
        let (readiness, jobs, machine, memory) =
            tokio::join!(self.readiness(), jobs, self.machine_facts(), self.memory_use());
        let jobs = jobs.ok().and_then(|jobs| {
            jobs.inspect_err(|error| tracing::warn!(%error, "the jobs cannot be shown to the operator")).ok()
        });
        OperatorSnapshot {
            taken_at: OffsetDateTime::now_utc(),
            started_at: shared.samples.started_at(),
            readiness,
            jobs,
            machine: machine.ok(),
            memory: memory.ok(),
            disk: space(shared).await,
            residents: shared.measures.residents(),
            last_hour: shared.samples.all(),
        }
    }

    /// All metrics of this crate in Prometheus' text format. Whoever serves them can add their own at the end.
    pub async fn metrics(&self) -> String {
        let shared = &*self.0.shared;
        let depth = tokio::time::timeout(DATABASE_TIMEOUT, shared.store.queue_depth());
        let (readiness, depth, machine, memory) =
            tokio::join!(self.readiness(), depth, self.machine_facts(), self.memory_use());
        let standing = Standing {
            queue: depth.ok().and_then(Result::ok),
            residents: shared.measures.residents(),
            memory: memory.ok(),
            machine: machine.ok(),
            disk: space(shared).await,
            is_ready: readiness.is_ready(),
            started_at: (shared.samples.started_at() - OffsetDateTime::UNIX_EPOCH).as_seconds_f64(),
        };
        shared.measures.render() + &standing::render(&standing)
    }
}

/// The disk of the data folder. The system may have to wait for it.
async fn space(shared: &Shared) -> Option<DiskSpace> {
    let folder = shared.folder.path().to_owned();
    tokio::task::spawn_blocking(move || disk::space(&folder)).await.ok().flatten()
}
