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

use super::bound::Bound;
use super::maker::{Failed, Maker, Making, Try};
use super::numbers;
use super::pace::Pace;
use super::progress::ProgressHub;
use crate::engine::{Made, Materials, Report, Step};
use crate::measures::PictureKind;
use crate::safety::{self, SafetyMode};
use crate::{Engine, EngineError, Measures, Result, Signer, pictures};

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
    pub(super) bound: Bound,
    /// What becomes of pictures that the safety checker would not show.
    pub(super) safety: SafetyMode,
    /// Signs the pictures, if there is something to sign with.
    pub(super) signer: Signer,
    /// The model that stands in for one that fails.
    pub(super) fallback_model: Option<String>,
    /// Models that failed in this attempt already.
    pub(super) failed: Vec<Failed>,
    /// Looked at at every report.
    pub(super) stop: CancellationToken,
}

/// What came of it.
pub(super) struct Painting {
    /// The pictures, in their order. One that is not to be shown is an error, and the ones before it stand. If the job has
    /// taken as long as it may, that error stands for all of them.
    pub(super) pictures: Vec<Result<Painted>>,
    /// For the next pictures of the job.
    pub(super) pace: Pace,
    pub(super) bound: Bound,
    /// What made them, as it is counted.
    pub(super) kind: PictureKind,
    /// The model that failed, if another one stood in for it.
    pub(super) failed: Option<Failed>,
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
    /// Paints the pictures and tells the hub how far they are.
    ///
    /// # Errors
    /// `EngineError::Cancelled` if it was stopped; otherwise whatever is wrong with the model.
    pub(super) fn paint(mut self) -> Result<Painting> {
        let engine = Arc::clone(&self.engine);
        let request = Arc::clone(&self.request);
        // A cell of a grid is the first picture of a request of its own.
        let cell = request.cell(self.indices.start);
        let (asked, places) = cell.as_ref().map_or((&*request, self.indices.clone()), |cell| (cell, 0..1));
        let materials = Arc::clone(&self.materials);
        let (failed, fallback_model) =
            (std::mem::take(&mut self.failed), std::mem::take(&mut self.fallback_model));
        let maker = Maker {
            engine: &*engine,
            fallback_model: fallback_model.as_deref(),
            materials: &materials,
            failed: &failed,
        };
        let (mut begun, mut stood_in) = (None, false);
        self.bound.begin(Instant::now());
        let making = maker.make(asked, &places, &mut |now, report| {
            if begun.replace(now.n_before) != Some(now.n_before) {
                self.pace.begin_pictures(self.indices.start, self.n_together());
            }
            stood_in |= now.request.model != asked.model;
            self.on_report(now, report)
        });
        let Making { made, instead } = match (making, self.bound.reached()) {
            (Err(EngineError::Cancelled), Some(reached)) if !self.stop.is_cancelled() => {
                let pictures = vec![Err(reached.into())];
                // What another model's steps took says nothing of those of the one that was asked for.
                let pace = if stood_in { Pace::new(Vec::new()) } else { self.pace };
                return Ok(Painting {
                    pictures,
                    pace,
                    bound: self.bound,
                    kind: PictureKind::of(asked),
                    failed: None,
                });
            }
            (making, _) => making?,
        };
        let (instead, failed) = instead.unzip();
        let kind = PictureKind::of(instead.as_ref().unwrap_or(asked));
        if let Some(last_step) = self.pace.last_step() {
            self.measures.decoded(&kind, last_step.elapsed());
        }
        let model = instead.as_ref().map_or(&asked.model, |instead| &instead.model);
        let pictures = self.indices.clone().zip(places).zip(made).map(|((index, place), made)| {
            let Made { image, notes } = self.look_at(index, model, made)?;
            let png = match &instead {
                Some(instead) => self.signer.encode(&image, instead, place, PictureFormat::Png)?,
                None => self.signer.encode(&image, &request, index, PictureFormat::Png)?,
            };
            let thumbnail = pictures::thumbnail(&image)?;
            Ok(Painted { png, thumbnail, width: image.width(), height: image.height(), notes })
        });
        let pictures = pictures.collect();
        Ok(Painting { pictures, pace: self.pace, bound: self.bound, kind, failed })
    }

    /// The picture as it may be shown.
    fn look_at(&self, index: u32, model: &str, made: Made) -> Result<Made> {
        if !self.safety.is_on() || !self.engine.is_unsafe(model, &made.image)? {
            return Ok(made);
        }
        tracing::info!(job.id = %self.job, picture.index = index, mode = %self.safety, "a picture is not shown as it is");
        match self.safety {
            SafetyMode::Refuse => Err(safety::refused(index, self.request.count).into()),
            SafetyMode::Off | SafetyMode::Blur => {
                let Made { image, mut notes } = made;
                notes.push(Note::Blurred);
                Ok(Made { image: pictures::blurred(&image), notes })
            }
        }
    }

    fn n_together(&self) -> u32 {
        self.indices.end - self.indices.start
    }

    fn on_report(&mut self, now: Try<'_>, report: &Report<'_>) -> ControlFlow<()> {
        if self.stop.is_cancelled() {
            return ControlFlow::Break(());
        }
        match report {
            Report::Loading(fraction) => {
                self.bound.pass_over(Instant::now());
                self.on_loading(now, *fraction);
            }
            Report::Step(step) => {
                self.bound.count(Instant::now());
                self.on_step(now, step);
            }
        }
        if self.bound.reached().is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn on_loading(&self, now: Try<'_>, fraction: f64) {
        let number = numbers::loading(self.attempt, self.indices.start, now.n_before, fraction);
        let loading = Loading { model: now.request.model.clone(), fraction };
        self.hub.publish(self.job, number, JobEvent::Loading { loading });
    }

    fn on_step(&mut self, this_try: Try<'_>, step: &Step<'_>) {
        let now = Instant::now();
        // Where pictures are made one by one after all, what lies before a first step is another picture's decoding.
        if let Some(took) = self.pace.record_step(now).filter(|_| step.step > 1) {
            self.measures.step_done(&PictureKind::of(this_try.request), took);
        }
        let preview = if self.pace.wants_preview(now) { (step.preview)() } else { None };
        // Nobody knows yet whether the picture may be shown.
        let preview = preview.map(|image| if self.safety.is_on() { pictures::coarse(&image) } else { image });
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
        let number = numbers::step(self.attempt, first, this_try.n_before, step.step);
        self.hub.publish(self.job, number, JobEvent::Progress { progress, preview });
    }
}
