//! What happens, counted and timed for whoever operates the site.
//!
//! Numbers that only grow are kept here, in the terms of Prometheus; `docs/operating.md` lists them. What stands at a
//! moment (the queue, memory) is looked up when somebody asks, in [`standing`].
//!
//! # Invariants
//! No label grows without bound, and none tells of a visitor: models are installed names, sizes are classes of pixels,
//! and the rest are words of this program.

mod labels;
pub(crate) mod standing;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use types::error::ErrorCode;

use self::labels::{OfEnd, OfModel};
use crate::store::gave_up;
pub(crate) use labels::PictureKind;

/// Seconds of what a visitor waits for: from a tenth to an hour.
const WAITS: [f64; 13] = [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0];

/// Seconds of a step or a decoding: from a small model on a graphics card to a large one on a processor.
const STEPS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];

/// Seconds of reading a model from a disk.
const LOADS: [f64; 10] = [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

/// The record of one program. Cheap to clone; clones count together.
///
/// It is a value of its own rather than one of the whole process, so that two programs in one process, as tests have
/// them, do not count for each other.
#[derive(Clone, Default)]
pub struct Measures(Arc<Inner>);

struct Inner {
    registry: Registry,
    wait: Family<PictureKind, Histogram>,
    step: Family<PictureKind, Histogram>,
    decode: Family<PictureKind, Histogram>,
    total: Family<PictureKind, Histogram>,
    ends: Family<OfEnd, Counter>,
    pictures: Family<PictureKind, Counter>,
    load: Family<OfModel, Histogram>,
    failed_loads: Family<OfModel, Counter>,
    n_pictures: AtomicU64,
    n_steps: AtomicU64,
    /// Microseconds of those steps together.
    steps_us: AtomicU64,
    /// Bytes by kind of model and by name.
    residents: Mutex<BTreeMap<ResidentKind, Vec<Resident>>>,
}

/// How a job came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobEnd {
    /// All its pictures were made.
    Done,
    /// All its pictures were made before, for another job.
    Cached,
    /// A fault ended it.
    Failed(ErrorCode),
    /// Its owner did.
    Cancelled,
}

/// Sums since the program began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) n_pictures: u64,
    pub(crate) n_steps: u64,
    /// What those steps took together.
    pub(crate) in_steps: Duration,
}

/// What a loaded model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ResidentKind {
    /// It paints.
    Painter,
    /// It writes prompts.
    Writer,
}

/// A model in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resident {
    /// Its name.
    pub model: String,
    /// What it takes, in bytes. Nothing between its runs, if it is used part by part.
    pub n_bytes: u64,
}

impl Measures {
    /// A job was taken up for the first time, so long after it was asked for.
    pub(crate) fn job_begun(&self, kind: &PictureKind, waited: Duration) {
        self.0.wait.get_or_create(kind).observe(waited.as_secs_f64());
    }

    /// A step was done, of all the pictures that are made together.
    pub(crate) fn step_done(&self, kind: &PictureKind, took: Duration) {
        self.0.step.get_or_create(kind).observe(took.as_secs_f64());
        self.0.n_steps.fetch_add(1, Ordering::Relaxed);
        self.0.steps_us.fetch_add(took.as_micros() as u64, Ordering::Relaxed);
    }

    /// Latents became pictures, of all that are made together.
    pub(crate) fn decoded(&self, kind: &PictureKind, took: Duration) {
        self.0.decode.get_or_create(kind).observe(took.as_secs_f64());
    }

    /// A picture was made and stored.
    pub(crate) fn picture_made(&self, kind: &PictureKind) {
        self.0.pictures.get_or_create(kind).inc();
        self.0.n_pictures.fetch_add(1, Ordering::Relaxed);
    }

    /// All pictures of a job were made, so long after it was asked for.
    pub(crate) fn job_done(&self, kind: &PictureKind, took: Duration) {
        self.0.total.get_or_create(kind).observe(took.as_secs_f64());
        self.job_ended(JobEnd::Done);
    }

    /// A job came to its end.
    pub(crate) fn job_ended(&self, end: JobEnd) {
        self.0.ends.get_or_create(&OfEnd::from(end)).inc();
    }

    /// So many jobs were given up at the start: the program had died too often with them.
    pub(crate) fn jobs_given_up(&self, n_jobs: u64) {
        if n_jobs > 0 {
            let end = JobEnd::Failed(gave_up().code);
            self.0.ends.get_or_create(&OfEnd::from(end)).inc_by(n_jobs);
        }
    }

    /// A model was read into memory.
    pub(crate) fn model_loaded(&self, model: &str, took: Duration) {
        self.0.load.get_or_create(&OfModel::new(model)).observe(took.as_secs_f64());
    }

    /// A model could not be read into memory.
    pub(crate) fn model_failed(&self, model: &str) {
        self.0.failed_loads.get_or_create(&OfModel::new(model)).inc();
    }

    /// These models are in memory now, and no others of that kind. One that is there twice, with other LoRAs, counts as
    /// one.
    pub(crate) fn keep_residents(&self, kind: ResidentKind, models: impl IntoIterator<Item = Resident>) {
        let mut kept: Vec<Resident> = Vec::new();
        for Resident { model, n_bytes } in models {
            match kept.iter_mut().find(|known| known.model == model) {
                Some(known) => known.n_bytes += n_bytes,
                None => kept.push(Resident { model, n_bytes }),
            }
        }
        self.0.residents.lock().unwrap_or_else(PoisonError::into_inner).insert(kind, kept);
    }

    /// The models in memory.
    pub(crate) fn residents(&self) -> Vec<Resident> {
        let residents = self.0.residents.lock().unwrap_or_else(PoisonError::into_inner);
        residents.values().flatten().cloned().collect()
    }

    /// Sums since the program began.
    pub(crate) fn totals(&self) -> Totals {
        Totals {
            n_pictures: self.0.n_pictures.load(Ordering::Relaxed),
            n_steps: self.0.n_steps.load(Ordering::Relaxed),
            in_steps: Duration::from_micros(self.0.steps_us.load(Ordering::Relaxed)),
        }
    }

    /// All that was counted, in Prometheus' text format.
    pub(crate) fn render(&self) -> String {
        rendered(&self.0.registry)
    }
}

/// A registry's metrics as text.
fn rendered(registry: &Registry) -> String {
    let mut text = String::new();
    // Writing to a `String` cannot fail.
    let _ = prometheus_text::encode(&mut text, registry);
    text
}

impl Default for Inner {
    fn default() -> Self {
        let mut registry = Registry::default();
        let mut seconds = |name, help, family: &Family<PictureKind, Histogram>| {
            registry.register_with_unit(name, help, Unit::Seconds, family.clone());
        };
        let (wait, total) = (timed(|| Histogram::new(WAITS)), timed(|| Histogram::new(WAITS)));
        let (step, decode) = (timed(|| Histogram::new(STEPS)), timed(|| Histogram::new(STEPS)));
        seconds("darkroom_job_wait", "From asking for a job to taking it up", &wait);
        seconds("darkroom_step", "One step of a sampler, of all pictures made together", &step);
        seconds("darkroom_decode", "From the last step to the pictures, of all made together", &decode);
        seconds("darkroom_job", "From asking for a job to its last picture", &total);

        let load = Family::new_with_constructor(loading as fn() -> Histogram);
        registry.register_with_unit(
            "darkroom_model_load",
            "Reading a model into memory",
            Unit::Seconds,
            load.clone(),
        );
        let failed_loads = Family::default();
        registry.register(
            "darkroom_model_load_failures",
            "Models that could not be read into memory",
            Family::clone(&failed_loads),
        );
        let ends = Family::default();
        registry.register("darkroom_jobs", "Jobs that came to their end", Family::clone(&ends));
        let pictures = Family::default();
        registry.register(
            "darkroom_pictures",
            "Pictures that were made and stored",
            Family::clone(&pictures),
        );
        Self {
            registry,
            wait,
            step,
            decode,
            total,
            ends,
            pictures,
            load,
            failed_loads,
            n_pictures: AtomicU64::default(),
            n_steps: AtomicU64::default(),
            steps_us: AtomicU64::default(),
            residents: Mutex::default(),
        }
    }
}

fn timed(histogram: fn() -> Histogram) -> Family<PictureKind, Histogram> {
    Family::new_with_constructor(histogram)
}

fn loading() -> Histogram {
    Histogram::new(LOADS)
}

impl fmt::Debug for Measures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Measures").field("totals", &self.totals()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_told_with_its_labels() {
        let measures = Measures::default();
        let kind = PictureKind::new("demo", (256, 256));
        measures.job_begun(&kind, Duration::from_millis(300));
        measures.step_done(&kind, Duration::from_millis(20));
        measures.step_done(&kind, Duration::from_millis(40));
        measures.picture_made(&kind);
        measures.job_done(&kind, Duration::from_secs(2));
        measures.job_ended(JobEnd::Failed(ErrorCode::ModelUnusable));
        let text = measures.render();
        for line in [
            "darkroom_job_wait_seconds_bucket{model=\"demo\",size=\"256x256\",le=\"0.25\"} 0",
            "darkroom_job_wait_seconds_bucket{model=\"demo\",size=\"256x256\",le=\"0.5\"} 1",
            "darkroom_step_seconds_count{model=\"demo\",size=\"256x256\"} 2",
            "darkroom_pictures_total{model=\"demo\",size=\"256x256\"} 1",
            "darkroom_job_seconds_sum{model=\"demo\",size=\"256x256\"} 2.0",
            "darkroom_jobs_total{outcome=\"done\",code=\"\"} 1",
            "darkroom_jobs_total{outcome=\"failed\",code=\"model_unusable\"} 1",
        ] {
            assert!(text.lines().any(|told| told == line), "{line} in {text}");
        }
        let sums = Totals { n_pictures: 1, n_steps: 2, in_steps: Duration::from_millis(60) };
        assert_eq!(measures.totals(), sums);
    }

    #[test]
    fn clones_count_together_and_two_programs_do_not() {
        let (one, other) = (Measures::default(), Measures::default());
        one.clone().picture_made(&PictureKind::new("demo", (64, 64)));
        assert_eq!((one.totals().n_pictures, other.totals().n_pictures), (1, 0));
    }

    #[test]
    fn a_model_that_is_in_memory_twice_is_told_once() {
        let measures = Measures::default();
        let resident = |model: &str, n_bytes| Resident { model: model.to_owned(), n_bytes };
        measures.keep_residents(ResidentKind::Writer, [resident("gpt2", 5)]);
        measures.keep_residents(ResidentKind::Painter, [resident("demo", 3), resident("demo", 4)]);
        assert_eq!(measures.residents(), [resident("demo", 7), resident("gpt2", 5)]);
        measures.keep_residents(ResidentKind::Painter, []);
        assert_eq!(measures.residents(), [resident("gpt2", 5)]);
    }
}
