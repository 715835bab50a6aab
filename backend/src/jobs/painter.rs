//! The part of the work on a job that computes: engine, previews, encoding. Blocks its thread.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::time::Instant;

use tokio_util::sync::CancellationToken;
use types::event::JobEvent;
use types::job::{JobId, Loading, Progress};
use types::note::Note;
use types::picture::PictureFormat;
use types::request::GenerationRequest;

use super::numbers;
use super::pace::Pace;
use super::progress::ProgressHub;
use crate::engine::{Made, Materials, Report, Step};
use crate::measures::PictureKind;
use crate::{Engine, Measures, Result, pictures};

/// All that is needed to paint some pictures of a job.
pub(super) struct Painter {
    pub(super) engine: Arc<dyn Engine>,
    pub(super) hub: Arc<ProgressHub>,
    pub(super) measures: Measures,
    pub(super) job: JobId,
    pub(super) attempt: u64,
    pub(super) request: Arc<GenerationRequest>,
    pub(super) materials: Arc<Materials>,
    /// Those that are made together.
    pub(super) indices: Range<u32>,
    pub(super) pace: Pace,
    /// Looked at at every report.
    pub(super) stop: CancellationToken,
}

/// A picture as the bytes of its files.
pub(super) struct Painted {
    pub(super) png: Vec<u8>,
    pub(super) thumbnail: Vec<u8>,
    /// Pixels.
    pub(super) width: u32,
    /// Pixels.
    pub(super) height: u32,
    /// What is to be said of how it was made.
    pub(super) notes: Vec<Note>,
}

impl Painter {
    /// Paints the pictures and tells the hub how far they are. The pace is for the next ones of the job.
    ///
    /// # Errors
    /// `EngineError::Cancelled` if it was stopped; otherwise whatever is wrong with the model.
    pub(super) fn paint(mut self) -> Result<(Vec<Painted>, Pace)> {
        self.pace.begin_pictures(self.indices.start, self.n_together());
        let engine = Arc::clone(&self.engine);
        let request = Arc::clone(&self.request);
        // A cell of a grid is the first picture of a request of its own.
        let cell = request.cell(self.indices.start);
        let (asked, places) = cell.as_ref().map_or((&*request, self.indices.clone()), |cell| (cell, 0..1));
        let materials = Arc::clone(&self.materials);
        let indices = self.indices.clone();
        let kind = PictureKind::of(asked);
        let made =
            engine.generate(asked, places, &materials, &mut |report| self.on_report(&kind, &report))?;
        if let Some(last_step) = self.pace.last_step() {
            self.measures.decoded(&kind, last_step.elapsed());
        }
        let painted = indices.zip(made).map(|(index, Made { image, notes })| {
            let png = pictures::encode(&image, &request, index, PictureFormat::Png)?;
            let thumbnail = pictures::thumbnail(&image)?;
            Ok(Painted { png, thumbnail, width: image.width(), height: image.height(), notes })
        });
        Ok((painted.collect::<Result<_>>()?, self.pace))
    }

    fn n_together(&self) -> u32 {
        self.indices.end - self.indices.start
    }

    fn on_report(&mut self, kind: &PictureKind, report: &Report<'_>) -> ControlFlow<()> {
        if self.stop.is_cancelled() {
            return ControlFlow::Break(());
        }
        match report {
            Report::Loading(fraction) => self.on_loading(*fraction),
            Report::Step(step) => self.on_step(kind, step),
        }
        ControlFlow::Continue(())
    }

    fn on_loading(&self, fraction: f64) {
        let number = numbers::loading(self.attempt, self.indices.start, fraction);
        let loading = Loading { model: self.request.model.clone(), fraction };
        self.hub.publish(self.job, number, JobEvent::Loading { loading });
    }

    fn on_step(&mut self, kind: &PictureKind, step: &Step<'_>) {
        let now = Instant::now();
        // Where pictures are made one by one after all, what lies before a first step is another picture's decoding.
        if let Some(took) = self.pace.record_step(now).filter(|_| step.step > 1) {
            self.measures.step_done(kind, took);
        }
        let preview = if self.pace.wants_preview(now) { (step.preview)() } else { None };
        let preview = preview.and_then(|image| {
            pictures::preview_data_url(&image)
                .inspect_err(|error| tracing::warn!(%error, "a preview was left out"))
                .ok()
        });
        let first = self.indices.start;
        let remaining = self.pace.remaining(first, step.step);
        let progress = Progress {
            picture: first + 1,
            n_together: self.n_together(),
            n_pictures: self.request.count,
            step: step.step,
            n_steps: step.n_steps,
            remaining_ms: remaining.map(|time| time.as_millis() as u64),
        };
        let number = numbers::step(self.attempt, first, step.step);
        self.hub.publish(self.job, number, JobEvent::Progress { progress, preview });
    }
}
