//! Makes pictures, and tries what is left where that fails: f32 where numbers left their range, the site's fallback model
//! where a model cannot be used.

use std::ops::{ControlFlow, Range};

use image::RgbImage;
use types::note::Note;
use types::request::GenerationRequest;

use super::fallback::rewritten;
use crate::engine::{Made, Materials, Report};
use crate::{Engine, EngineError};

/// What makes a job's pictures.
pub(super) struct Maker<'a> {
    pub(super) engine: &'a dyn Engine,
    /// The model that stands in for one that fails, if the site has one.
    pub(super) fallback_model: Option<&'a str>,
    pub(super) materials: &'a Materials,
    /// Models that failed before, and are not tried again.
    pub(super) failed: &'a [Failed],
}

/// A model that cannot be used, and what is wrong with it: said of the job, should the one that stands in for it fail later.
#[derive(Debug, Clone)]
pub(super) struct Failed {
    pub(super) model: String,
    pub(super) error: EngineError,
}

/// One run of a model over pictures.
#[derive(Debug, Clone, Copy)]
pub(super) struct Try<'a> {
    /// What is made, by which model.
    pub(super) request: &'a GenerationRequest,
    /// How many there were before, for the same pictures.
    pub(super) n_before: u32,
}

/// Pictures, and how they came about.
#[derive(Debug)]
pub(super) struct Making {
    pub(super) made: Vec<Made>,
    /// What they were made from, if that is not what was asked for, and the model that is to be left alone from then on.
    pub(super) instead: Option<(GenerationRequest, Failed)>,
}

/// Who is told how far it is; `Break` ends all tries.
type OnReport<'a> = &'a mut dyn FnMut(Try<'_>, &Report<'_>) -> ControlFlow<()>;

impl Maker<'_> {
    /// Makes these pictures of a request.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`]; what is wrong with the model that was asked for, if no other can stand in for it.
    pub(super) fn make(
        &self,
        asked: &GenerationRequest,
        places: &Range<u32>,
        on_report: OnReport<'_>,
    ) -> Result<Making, EngineError> {
        let mut n_tries = 0;
        let known = self.failed.iter().find(|failed| failed.model == asked.model);
        let error = if let Some(failed) = known {
            failed.error.clone()
        } else {
            match self.make_with(asked, places.clone(), &mut n_tries, on_report) {
                Ok(made) => return Ok(Making { made, instead: None }),
                Err(error) if is_about_the_model(&error) => error,
                Err(error) => return Err(error),
            }
        };
        let Some(instead) = self.instead_of(asked) else { return Err(error) };
        tracing::warn!(
            model.name = asked.model,
            model.fallback = instead.model,
            %error,
            "a model cannot be used, and the fallback model stands in for it"
        );
        match self.make_in_parts(&instead, places, &mut n_tries, on_report) {
            Ok(mut made) => {
                for Made { notes, .. } in &mut made {
                    notes.push(Note::MadeByFallback);
                }
                let failed = Failed { model: asked.model.clone(), error };
                Ok(Making { made, instead: Some((instead, failed)) })
            }
            Err(EngineError::Cancelled) => Err(EngineError::Cancelled),
            Err(of_fallback) => {
                tracing::error!(model.name = instead.model, error = %of_fallback, "the fallback model failed, too");
                Err(error)
            }
        }
    }

    /// What the fallback model can make of it.
    fn instead_of(&self, asked: &GenerationRequest) -> Option<GenerationRequest> {
        let name = self.fallback_model.filter(|name| *name != asked.model)?;
        let models = self.engine.picture_models();
        let model = |name: &str| models.iter().find(|model| model.name == name);
        let instead = rewritten(asked, model(&asked.model), model(name)?, &self.engine.loras())?;
        self.engine
            .fits(&instead)
            .inspect_err(
                |error| tracing::error!(model.name = name, %error, "the fallback model cannot stand in"),
            )
            .ok()?;
        Some(instead)
    }

    /// As many together as the model can, which may be fewer than the one before it could.
    fn make_in_parts(
        &self,
        request: &GenerationRequest,
        places: &Range<u32>,
        n_tries: &mut u32,
        on_report: OnReport<'_>,
    ) -> Result<Vec<Made>, EngineError> {
        let n_together = self.engine.n_together(request).max(1);
        let mut made = Vec::new();
        for first in places.clone().step_by(n_together as usize) {
            let part = first..places.end.min(first + n_together);
            made.extend(self.make_with(request, part, n_tries, on_report)?);
        }
        Ok(made)
    }

    /// Makes them, and once more in f32 what is no picture. Each try is counted in `n_tries`.
    fn make_with(
        &self,
        request: &GenerationRequest,
        places: Range<u32>,
        n_tries: &mut u32,
        on_report: OnReport<'_>,
    ) -> Result<Vec<Made>, EngineError> {
        let Self { engine, materials, .. } = *self;
        let model = request.model.as_str();
        let mut begin = || {
            *n_tries += 1;
            Try { request, n_before: *n_tries - 1 }
        };
        let now = begin();
        let made = engine.generate(request, places.clone(), materials, &mut |report| on_report(now, &report));
        let mut in_f32 = |places: Range<u32>| {
            let now = begin();
            engine.generate_in_f32(request, places, materials, &mut |report| on_report(now, &report))
        };
        let mut made = match made {
            Ok(made) => made,
            Err(EngineError::NotFinite(error)) => {
                tracing::warn!(model.name = model, %error, "pictures are made once more in f32");
                let mut made = match in_f32(places) {
                    Ok(Some(made)) => made,
                    Err(EngineError::Cancelled) => return Err(EngineError::Cancelled),
                    Ok(None) => return Err(EngineError::NotFinite(error)),
                    Err(of_retry) => {
                        tracing::error!(model.name = model, error = %of_retry, "they cannot be made in f32");
                        return Err(EngineError::NotFinite(error));
                    }
                };
                for Made { image, notes } in &mut made {
                    notes.push(Note::MadeInF32);
                    notes.extend(is_black(image).then_some(Note::AllBlack));
                }
                return Ok(made);
            }
            Err(error) => return Err(error),
        };
        for (place, made) in places.zip(&mut made).filter(|(_, made)| is_black(&made.image)) {
            match in_f32(place..place + 1).map(|made| made.and_then(|mut made| made.pop())) {
                Ok(Some(once_more)) if !is_black(&once_more.image) => {
                    *made = once_more;
                    made.notes.push(Note::MadeInF32);
                }
                Err(EngineError::Cancelled) => return Err(EngineError::Cancelled),
                outcome => {
                    if let Err(error) = outcome {
                        tracing::warn!(model.name = model, %error, "a black picture cannot be made in f32");
                    }
                    made.notes.push(Note::AllBlack);
                }
            }
        }
        Ok(made)
    }
}

/// Whether another model may do better.
fn is_about_the_model(error: &EngineError) -> bool {
    match error {
        EngineError::Unusable { .. }
        | EngineError::UnknownModel { .. }
        | EngineError::OutOfMemory(_)
        // In f32 as well, by then, or there is no room for that.
        | EngineError::NotFinite(_) => true,
        EngineError::Cancelled | EngineError::Refused(_) | EngineError::Fault { .. } => false,
    }
}

/// Whether every pixel is black, as it is where numbers were none.
fn is_black(image: &RgbImage) -> bool {
    image.as_raw().iter().all(|&byte| byte == 0)
}
