//! What stands at a moment, as metrics: the queue, models in memory, memory, the disk.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::labels::OfModel;
use super::{Resident, rendered};
use crate::disk::DiskSpace;
use crate::services::{MachineFacts, MemoryUse};
use crate::store::QueueDepth;

/// What stands at a moment, as far as it could be told. What could not be told is left out: no number is better than a
/// wrong one.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    pub(crate) queue: Option<QueueDepth>,
    pub(crate) residents: Vec<Resident>,
    pub(crate) memory: Option<MemoryUse>,
    pub(crate) machine: Option<MachineFacts>,
    pub(crate) disk: Option<DiskSpace>,
    /// Whether it can work: see [`crate::Readiness`].
    pub(crate) is_ready: bool,
    /// When the program began, in seconds since 1970.
    pub(crate) started_at: f64,
}

/// The same in Prometheus' text format.
pub(crate) fn render(standing: &Standing) -> String {
    let mut registry = Registry::default();
    let version = vec![("version", env!("CARGO_PKG_VERSION"))];
    registry.register("darkroom_build", "The program's version", Info::new(version));
    registry.register(
        "darkroom_ready",
        "Whether it can work, as /readyz tells: 1 or 0",
        whole(standing.is_ready.into()),
    );
    if let Some(queue) = &standing.queue {
        registry.register("darkroom_queued_jobs", "Jobs that wait", whole(queue.n_queued));
        registry.register("darkroom_running_jobs", "Jobs that are worked on", whole(queue.n_running));
        registry.register_with_unit(
            "darkroom_oldest_queued_job_age",
            "How long the job waits that was asked for first; 0 if none waits",
            Unit::Seconds,
            fraction(queue.oldest_age.as_secs_f64()),
        );
    }
    let models = Family::<OfModel, Gauge>::default();
    for Resident { model, n_bytes } in &standing.residents {
        models.get_or_create(&OfModel::new(model)).set(n_bytes.cast_signed());
    }
    let mut bytes = |name: &str, help: &str, n_bytes: u64| {
        registry.register_with_unit(name, help, Unit::Bytes, whole(n_bytes));
    };
    if let Some(memory) = &standing.memory {
        bytes("process_resident_memory", "Memory that the program takes", memory.used);
    }
    if let Some(machine) = &standing.machine {
        bytes("darkroom_machine_memory", "Memory that the machine has", machine.memory_bytes);
        bytes("darkroom_machine_memory_free", "Memory that nobody uses", machine.free_bytes);
        bytes("darkroom_device_memory", "Memory of what computes", machine.device_bytes);
        bytes("darkroom_device_memory_free", "What of it nobody uses", machine.device_free_bytes);
    }
    if let Some(disk) = &standing.disk {
        bytes("darkroom_data_disk", "Size of the disk of the data folder", disk.total_bytes);
        bytes("darkroom_data_disk_free", "What of it is free for the program", disk.free_bytes);
    }
    registry.register_with_unit(
        "darkroom_resident_model",
        "Memory of each loaded model",
        Unit::Bytes,
        models,
    );
    registry.register_with_unit(
        "process_start_time",
        "When the program began, since 1970",
        Unit::Seconds,
        fraction(standing.started_at),
    );
    rendered(&registry)
}

fn whole(value: u64) -> Gauge {
    let gauge = Gauge::default();
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
    gauge
}

fn fraction(value: f64) -> Gauge<f64, AtomicU64> {
    let gauge = Gauge::default();
    gauge.set(value);
    gauge
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_known_is_told_and_what_is_not_is_left_out() {
        let queue = QueueDepth { n_queued: 3, n_running: 1, oldest_age: Duration::from_millis(1500) };
        let residents = vec![Resident { model: "demo".to_owned(), n_bytes: 7 }];
        let known = Standing { queue: Some(queue), residents, is_ready: true, ..Standing::default() };
        let text = render(&known);
        for line in [
            "darkroom_queued_jobs 3",
            "darkroom_running_jobs 1",
            "darkroom_oldest_queued_job_age_seconds 1.5",
            "darkroom_resident_model_bytes{model=\"demo\"} 7",
            "darkroom_ready 1",
        ] {
            assert!(text.lines().any(|told| told == line), "{line} in {text}");
        }
        let text = render(&Standing::default());
        assert!(text.contains("darkroom_ready 0"), "{text}");
        assert!(!text.contains("darkroom_queued_jobs") && !text.contains("_memory"), "{text}");
    }
}
