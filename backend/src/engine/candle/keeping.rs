//! Models in memory: found there, or loaded, with others making room.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use inference::model_files::ModelFiles;
use inference::pipelines::prompt_writer::PromptWriter;
use inference::pipelines::stable_diffusion::{LoadOptions, Residence, StableDiffusion};
use inference::prompts::Embeddings;
use types::error::PublicError;
use types::request::GenerationRequest;

use super::residents::Residents;
use super::{CandleEngine, faults, loading, loras, unpoisoned};
use crate::engine::EngineError;
use crate::machine::Precision;
use crate::measures::{Measures, Resident, ResidentKind};
use crate::memory::Plan;
use crate::models::{self, Stamp, Writer};

/// Which model it is: two that are equal paint alike.
#[derive(PartialEq)]
pub(super) struct Key {
    name: String,
    stamp: Stamp,
    loras: Vec<loras::Wanted>,
    pub(super) residence: Residence,
    precision: Precision,
}

impl CandleEngine {
    /// The model that a request asks for, with the LoRAs that it asks for. `tell` is told how much of it was read if
    /// it has to be loaded, and may break off.
    pub(super) fn painter(
        &self,
        request: &GenerationRequest,
        n_together: u32,
        precision: Precision,
        tell: &mut dyn FnMut(f64) -> ControlFlow<()>,
    ) -> Result<Arc<StableDiffusion>, EngineError> {
        let installed = self.installed();
        let name = &request.model;
        let model = installed.pictures.iter().find(|model| model.info.name == *name);
        let model = model.ok_or_else(|| EngineError::UnknownModel { name: name.clone() })?;
        self.problems.check(name, &model.stamp)?;
        let loras = loras::wanted(request, &installed)?;
        let plan = self.plan(model, request, n_together, precision)?;
        let files = model.files.with_precision(precision);
        let prepare = || {
            let files_with_loras = loras::open(&loras).and_then(|loras| files.with_loras(&loras));
            // The model is as good as it was.
            files_with_loras.map_err(|error| {
                let sentence = loras::without_paths(models::without_path(&error, &files, name), &loras);
                EngineError::from(PublicError::invalid_field("loras", sentence))
            })
        };
        let mut is_new = false;
        let load = |files: ModelFiles| {
            let folder = self.config.models_dir.as_ref();
            let embeddings = folder.map(|folder| Embeddings::folder(folder.join(models::EMBEDDINGS)));
            let options = LoadOptions { residence: plan.residence, embeddings };
            let read = |files: &ModelFiles| StableDiffusion::load_with(files, &self.device, options);
            let model = loading::load(&files, models::n_bytes(&files), read, tell)
                .map_err(|error| faults::of_loading(name, &files, &error))?;
            is_new = true;
            Ok(model)
        };
        let key = Key {
            name: name.clone(),
            stamp: model.stamp.clone(),
            loras: loras.clone(),
            residence: plan.residence,
            precision,
        };
        let painter = self
            .kept(ResidentKind::Painter, &self.painters, key, &plan, prepare, load)
            .inspect_err(|error| {
                // Else it may be the LoRAs that the model cannot take.
                if loras.is_empty() {
                    self.problems.note(name, &model.stamp, error);
                }
            })?;
        // Told now that it is kept, so that whoever breaks off here finds it the next time.
        if is_new && tell(1.0).is_break() {
            return Err(EngineError::Cancelled);
        }
        Ok(painter)
    }

    /// The first that is installed: there is one kind of writer, and the bundled one comes first.
    pub(super) fn writer(&self) -> Result<(String, Arc<PromptWriter>), EngineError> {
        let installed = self.installed();
        let Some(Writer { name, files, stamp }) = installed.writers.first() else {
            return Err(EngineError::UnknownModel { name: "gpt2".to_owned() });
        };
        self.writer_problems.check(name, stamp)?;
        let load = |()| {
            PromptWriter::load(files, &self.device).map_err(|error| faults::of_loading(name, files, &error))
        };
        let residence = Residence::Whole;
        let (loras, precision) = (Vec::new(), Precision::F32);
        let key = Key { name: name.clone(), stamp: stamp.clone(), loras, residence, precision };
        let plan = Plan { residence, model: models::n_bytes(files), others: u64::MAX };
        let writer = self.kept(ResidentKind::Writer, &self.writers, key, &plan, || Ok(()), load);
        let writer = writer.inspect_err(|error| self.writer_problems.note(name, stamp, error))?;
        Ok((name.clone(), writer))
    }

    /// The model if it is loaded; else it is loaded, and others make room for it, once what it needs was found good.
    fn kept<P, T>(
        &self,
        kind: ResidentKind,
        residents: &Mutex<Residents<Key, T>>,
        key: Key,
        plan: &Plan,
        prepare: impl FnOnce() -> Result<P, EngineError>,
        load: impl FnOnce(P) -> Result<T, EngineError>,
    ) -> Result<Arc<T>, EngineError> {
        let measures = &self.config.measures;
        let mut residents = unpoisoned(residents);
        if let Some(model) = residents.get(&key) {
            residents.make_room(&key, plan.model, plan.others);
            tell_residents(measures, kind, &residents);
            return Ok(model);
        }
        let prepared = prepare()?;
        // Nobody will ask again for what its files were before.
        residents.forget(|other| other.name == key.name && other.stamp != key.stamp);
        residents.make_room(&key, plan.model, plan.others);
        tell_residents(measures, kind, &residents);
        let begin = std::time::Instant::now();
        let model = load(prepared).inspect_err(|error| {
            if !matches!(error, EngineError::Cancelled) {
                measures.model_failed(&key.name);
            }
        })?;
        measures.model_loaded(&key.name, begin.elapsed());
        let duration_ms = begin.elapsed().as_millis() as u64;
        tracing::info!(
            model.name = key.name,
            model.n_loras = key.loras.len(),
            duration_ms,
            "a model was loaded"
        );
        // Between its runs a model that is used part by part takes nothing.
        let n_bytes = if plan.residence == Residence::Whole { plan.model } else { 0 };
        let model = residents.keep(key, n_bytes, model);
        tell_residents(measures, kind, &residents);
        Ok(model)
    }
}

/// Tells which models are in memory. Kept beside them, since they are locked for as long as one is loaded.
fn tell_residents<T>(measures: &Measures, kind: ResidentKind, residents: &Residents<Key, T>) {
    let models = residents.kept().map(|(key, n_bytes)| Resident { model: key.name.clone(), n_bytes });
    measures.keep_residents(kind, models);
}
