//! A run of a model over some pictures of a request.

use std::ops::{ControlFlow, Range};

use image::RgbImage;
use inference::pipelines::stable_diffusion::{Painted, Rgb, Seeds, StepReport};
use types::note::Note;
use types::request::GenerationRequest;

use super::{CandleEngine, faults, task};
use crate::Engine;
use crate::engine::{EngineError, Made, Materials, Report, Step};
use crate::machine::Precision;

impl CandleEngine {
    /// Makes pictures in these numbers.
    pub(super) fn paint(
        &self,
        request: &GenerationRequest,
        indices: Range<u32>,
        materials: &Materials,
        precision: Precision,
        on_report: &mut dyn FnMut(Report<'_>) -> ControlFlow<()>,
    ) -> Result<Vec<Made>, EngineError> {
        self.fits(request)?;
        let n_together = indices.end.saturating_sub(indices.start);
        let mut tell = |fraction| on_report(Report::Loading(fraction));
        let model = self.painter(request, n_together, precision, &mut tell)?;
        let task = task::picture_request(request, indices.start, materials)?;
        let seeds: Vec<Seeds> = indices.map(|index| task::seeds(request, index)).collect();
        let mut report = |report: StepReport<'_>| {
            let preview = || {
                let preview = report.preview(0);
                // A picture is worth more than its preview.
                preview
                    .inspect_err(|error| tracing::warn!(%error, "a preview failed"))
                    .ok()
                    .flatten()
                    .and_then(to_image)
            };
            let (step, n_steps) = (report.step as u32, report.n_steps as u32);
            on_report(Report::Step(Step { step, n_steps, preview: &preview }))
        };
        let painted = match model.generate_batch(&task, &seeds, &mut report) {
            // One after the other may fit where all together do not.
            Err(error) if faults::is_out_of_memory(&error) && seeds.len() > 1 => {
                tracing::warn!(model.name = request.model, %error, n_together, "pictures are made one by one");
                let one_by_one = seeds.iter().map(|one| model.generate_batch(&task, &[*one], &mut report));
                one_by_one
                    .collect::<Result<Vec<_>, _>>()
                    .map(|painted| painted.into_iter().flatten().collect())
            }
            painted => painted,
        };
        let painted = painted.map_err(|error| self.fault(&request.model, &error))?;
        let made = painted.into_iter().map(|painted| {
            let notes = notes(&painted);
            let image = to_image(painted.picture).ok_or_else(|| EngineError::Fault {
                model: request.model.clone(),
                reason: "it painted fewer pixels than the picture has".to_owned(),
            })?;
            Ok(Made { image, notes })
        });
        made.collect()
    }

    /// What went wrong while a model computed.
    pub(super) fn fault(&self, name: &str, error: &inference::Error) -> EngineError {
        let installed = self.installed();
        let model = installed.pictures.iter().find(|model| model.info.name == name);
        faults::of_run(name, model.map(|model| &model.files), error)
    }
}

/// What is to be said of how a picture was made.
fn notes(painted: &Painted) -> Vec<Note> {
    let said =
        [(painted.was_decoded_in_f32, Note::DecodedInF32), (painted.was_encoded_in_f32, Note::EncodedInF32)];
    said.into_iter().filter(|(is_so, _)| *is_so).map(|(_, note)| note).collect()
}

fn to_image(rgb: Rgb) -> Option<RgbImage> {
    RgbImage::from_raw(rgb.width, rgb.height, rgb.pixels)
}
