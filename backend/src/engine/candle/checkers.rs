//! Safety checkers: which one looks at a model's pictures, and the one that is loaded.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use candle_core::Device;
use image::RgbImage;
use inference::model_files::ModelFiles;
use inference::pipelines::safety_checker::{SAFETY_CHECKER, SafetyChecker};
use inference::pipelines::stable_diffusion::Rgb;
use inference::weights::Weights;

use super::{faults, unpoisoned};
use crate::Config;
use crate::engine::EngineError;
use crate::machine::Precision;
use crate::models::{Installed, PictureModel, Stamp};

/// Safety checkers. One is in memory at a time, since as a rule all models have the same.
pub(super) struct Checkers {
    models_dir: Option<PathBuf>,
    /// Whether pictures are looked at.
    is_on: bool,
    device: Device,
    last: Mutex<Option<Known>>,
}

/// A checker's files.
#[derive(Debug, Clone)]
struct Place {
    files: ModelFiles,
    stamp: Stamp,
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        (self.files.name(), &self.stamp) == (other.files.name(), &other.stamp)
    }
}

/// What is known of the checker that was last asked for.
struct Known {
    place: Place,
    /// What its weights take in memory.
    n_bytes: u64,
    loaded: Option<Arc<SafetyChecker>>,
}

impl Checkers {
    pub(super) fn new(config: &Config, device: &Device) -> Self {
        Self {
            models_dir: config.models_dir.clone(),
            is_on: config.safety.is_on(),
            device: device.clone(),
            last: Mutex::default(),
        }
    }

    /// A text that two models have in common if the same checker looks at their pictures; `None` if there is none.
    pub(super) fn name(&self, installed: &Installed, model: &str) -> Option<String> {
        let Place { files, stamp } = self.find(installed, model)?;
        Some(format!("{} {stamp:?}", files.name()))
    }

    /// Bytes of memory that the checker of a model's pictures takes beside the model.
    pub(super) fn n_bytes(&self, installed: &Installed, model: &PictureModel) -> u64 {
        if !self.is_on {
            return 0;
        }
        let place = self.find(installed, &model.info.name);
        place.map_or(0, |place| known(&mut unpoisoned(&self.last), place).n_bytes)
    }

    /// Whether the checker of a model's pictures would not show this one. It is loaded if it is not there yet.
    ///
    /// # Errors
    /// There is none, or it cannot be used.
    pub(super) fn is_unsafe(
        &self,
        installed: &Installed,
        model: &str,
        picture: &RgbImage,
    ) -> Result<bool, EngineError> {
        let Some(place) = self.find(installed, model) else {
            let reason = "no safety checker is installed any more".to_owned();
            return Err(EngineError::Unusable { model: model.to_owned(), reason });
        };
        let files = place.files.clone();
        let fault = |error: inference::Error| faults::of_loading(model, &files, &error);
        let loaded = known(&mut unpoisoned(&self.last), place.clone()).loaded.clone();
        let checker = if let Some(checker) = loaded {
            checker
        } else {
            // Without the lock: it takes seconds, and whoever asks for a job looks up how much memory a checker takes. Two who
            // load at once have it twice for a moment.
            let checker = Arc::new(SafetyChecker::load(&files, &self.device).map_err(fault)?);
            tracing::info!(model.name = model, "the safety checker was loaded");
            known(&mut unpoisoned(&self.last), place).loaded = Some(Arc::clone(&checker));
            checker
        };
        let (width, height) = picture.dimensions();
        let picture = Rgb { width, height, pixels: picture.as_raw().clone() };
        checker.is_unsafe(&picture).map_err(fault)
    }

    /// The model's own; else that of the models folder; else that of any other model, as they are all alike.
    fn find(&self, installed: &Installed, model: &str) -> Option<Place> {
        let own = installed.pictures.iter().filter(|other| SafetyChecker::is_in(&other.files));
        let own: Vec<&PictureModel> = own.collect();
        let of = |model: &PictureModel| Place {
            files: model.files.with_precision(Precision::F32),
            stamp: model.stamp.clone(),
        };
        if let Some(model) = own.iter().find(|other| other.info.name == model) {
            return Some(of(model));
        }
        let of_folder = self.models_dir.as_ref().and_then(|folder| {
            let files = ModelFiles::folder(folder);
            let stamp = || Stamp::of(&folder.join(SAFETY_CHECKER));
            SafetyChecker::is_in(&files).then(|| Place { stamp: stamp(), files })
        });
        of_folder.or_else(|| own.first().map(|other| of(other)))
    }
}

/// What is known of the checker at this place. What was known of another one is forgotten.
fn known(last: &mut Option<Known>, place: Place) -> &mut Known {
    if last.as_ref().is_some_and(|known| known.place != place) {
        *last = None;
    }
    last.get_or_insert_with(|| {
        let weights = Weights::open(&place.files, SAFETY_CHECKER, "model", &Device::Cpu);
        // What is the matter with one that cannot be read is said when it is to look.
        let n_bytes = weights.map_or(0, |weights| weights.n_parameters() * Precision::F32.n_bytes());
        Known { place, n_bytes, loaded: None }
    })
}

#[cfg(test)]
#[path = "checkers_tests.rs"]
mod tests;
