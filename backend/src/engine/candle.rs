//! The real engine: Stable Diffusion and GPT-2 on candle.

mod checkers;
mod faults;
mod loading;
mod loras;
mod residents;
mod task;

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::Device;
use image::RgbImage;
use inference::model_files::ModelFiles;
use inference::pipelines::prompt_writer::PromptWriter;
use inference::pipelines::stable_diffusion::{
    LoadOptions, Painted, Residence, Rgb, Seeds, StableDiffusion, StepReport,
};
use inference::prompts::Embeddings;
use types::error::PublicError;
use types::lora::LoraInfo;
use types::model::ModelInfo;
use types::note::Note;
use types::request::GenerationRequest;

use self::checkers::Checkers;
use self::residents::Residents;
use super::{Engine, EngineError, Made, Materials, Report, Step};
use crate::Config;
use crate::machine::{DeviceKind, Precision};
use crate::measures::{Measures, Resident, ResidentKind};
use crate::memory::{self, Memory, Plan};
use crate::models::{self, Hashes, Installed, PictureModel, Stamp, Writer};

/// What loaded models may take where the device does not tell its memory.
const USUAL_MEMORY_BYTES: u64 = 8_000_000_000;

/// Loads models when they are first asked for, and keeps as many as fit into a budget of memory.
pub struct CandleEngine {
    config: Config,
    /// What was found when the models folder was last looked at.
    installed: Mutex<Arc<Installed>>,
    /// What went wrong when a model was loaded, by its name, and with which files: told to the next visitor before
    /// they wait for it, for as long as the files are the same.
    problems: Mutex<HashMap<String, (Stamp, String)>>,
    /// A hash of each model for pictures that the program carries, by its name, once it was asked for.
    bundled_contents: Mutex<HashMap<String, String>>,
    painters: Mutex<Residents<Key, StableDiffusion>>,
    writers: Mutex<Residents<Key, PromptWriter>>,
    checkers: Checkers,
    /// What checkpoints are known by elsewhere.
    hashes: Arc<Hashes>,
    device: Device,
    /// What it computes in, if that can be told.
    memory: Option<Memory>,
}

/// Which model it is: two that are equal paint alike.
#[derive(PartialEq)]
struct Key {
    name: String,
    stamp: Stamp,
    loras: Vec<loras::Wanted>,
    residence: Residence,
    precision: Precision,
}

impl CandleEngine {
    /// Looks at what is installed; loads nothing yet. Computes on the first graphics card if this program was
    /// built for one, else on the processor.
    ///
    /// A model that is put into the models folder later, or repaired there, is found when it is next asked for.
    ///
    /// # Errors
    /// [`Config::default_model`] names a model that is not installed; there is no such device, or it computes
    /// otherwise than [`Config::precision`] says.
    pub fn open(config: &Config) -> Result<Self, EngineError> {
        let installed = models::look(config);
        if let Some(name) = &config.default_model
            && !installed.pictures.iter().any(|model| model.info.name == *name)
        {
            return Err(EngineError::UnknownModel { name: name.clone() });
        }
        let device = config.device.map_or_else(|| Ok(DeviceKind::best()), DeviceKind::open)?;
        let refuse = |error: inference::Error| PublicError::invalid_field("dtype", error.to_string());
        config.precision.check(&device).map_err(refuse)?;
        let memory = Memory::of(&device);
        let usual = memory.map_or(USUAL_MEMORY_BYTES, Memory::for_models);
        Ok(Self {
            config: config.clone(),
            installed: Mutex::new(Arc::new(installed)),
            problems: Mutex::default(),
            bundled_contents: Mutex::default(),
            painters: Mutex::new(Residents::new(config.memory_bytes.unwrap_or(usual))),
            // There is one kind of writer, and it is small.
            writers: Mutex::new(Residents::new(u64::MAX)),
            checkers: Checkers::new(config, &device),
            hashes: Arc::default(),
            device,
            memory,
        })
    }

    /// What is installed now. Files are looked at only if one of them changed.
    fn installed(&self) -> Arc<Installed> {
        let mut installed = unpoisoned(&self.installed);
        if let Some(changed) = models::look_again(&self.config, &installed) {
            tracing::info!("the models folder changed and was looked at again");
            *installed = Arc::new(changed);
        }
        Arc::clone(&installed)
    }

    /// How a picture is to fit into memory.
    fn plan(
        &self,
        model: &PictureModel,
        request: &GenerationRequest,
        n_together: u32,
        precision: Precision,
    ) -> Result<Plan, PublicError> {
        let memory = self.memory.map(|memory| memory.beside(self.checkers.n_bytes(&self.installed(), model)));
        memory::plan(&model.info, model.parameters, precision, request, n_together, memory)
    }

    /// As many pictures together as were asked for; else a few on a graphics card, which one alone does not fill.
    fn most_together(&self) -> u32 {
        self.config.n_together.unwrap_or(match self.device {
            // It is busy with one: more together take as long as one after the other, and are seen later.
            Device::Cpu => 1,
            _ => 4,
        })
    }

    /// The model that a request asks for, with the LoRAs that it asks for. `tell` is told how much of it was read if
    /// it has to be loaded, and may break off.
    fn painter(
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
                if let EngineError::Unusable { reason, .. } = error
                    && loras.is_empty()
                {
                    let problem = (model.stamp.clone(), reason.clone());
                    unpoisoned(&self.problems).insert(name.clone(), problem);
                }
            })?;
        // Told now that it is kept, so that whoever breaks off here finds it the next time.
        if is_new && tell(1.0).is_break() {
            return Err(EngineError::Cancelled);
        }
        Ok(painter)
    }

    /// Makes pictures in these numbers.
    fn paint(
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
    fn fault(&self, name: &str, error: &inference::Error) -> EngineError {
        let installed = self.installed();
        let model = installed.pictures.iter().find(|model| model.info.name == name);
        faults::of_run(name, model.map(|model| &model.files), error)
    }

    /// The first that is installed: there is one kind of writer, and the bundled one comes first.
    fn writer(&self) -> Result<(String, Arc<PromptWriter>), EngineError> {
        let installed = self.installed();
        let Some(Writer { name, files, stamp }) = installed.writers.first() else {
            return Err(EngineError::UnknownModel { name: "gpt2".to_owned() });
        };
        let load = |()| {
            PromptWriter::load(files, &self.device).map_err(|error| faults::of_loading(name, files, &error))
        };
        let residence = Residence::Whole;
        let (loras, precision) = (Vec::new(), Precision::F32);
        let key = Key { name: name.clone(), stamp: stamp.clone(), loras, residence, precision };
        let plan = Plan { residence, model: models::n_bytes(files), others: u64::MAX };
        let writer = self.kept(ResidentKind::Writer, &self.writers, key, &plan, || Ok(()), load)?;
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

impl Engine for CandleEngine {
    fn picture_models(&self) -> Vec<ModelInfo> {
        let installed = self.installed();
        let problems = unpoisoned(&self.problems);
        let describe = |model: &PictureModel| {
            let mut info = model.info.clone();
            if let Some((stamp, problem)) = problems.get(&info.name)
                && *stamp == model.stamp
            {
                info.problem = Some(problem.clone());
            }
            info
        };
        installed.pictures.iter().map(describe).collect()
    }

    fn loras(&self) -> Vec<LoraInfo> {
        self.installed().loras.clone()
    }

    fn model_of_hash(&self, hash: &str) -> Option<String> {
        self.hashes.find(hash, self.installed().checkpoint_files())
    }

    fn prompt_models(&self) -> Vec<String> {
        self.installed().writers.iter().map(|writer| writer.name.clone()).collect()
    }

    fn embeddings(&self) -> Vec<String> {
        models::embeddings(&self.config)
    }

    fn device(&self) -> DeviceKind {
        DeviceKind::of(&self.device)
    }

    fn device_memory(&self) -> Option<(u64, u64)> {
        let at_start = self.memory?.of_card()?;
        let now = Memory::of(&self.device)?.of_card()?;
        // Somebody else may have left the card since.
        Some((at_start.max(now), now))
    }

    fn fits(&self, request: &GenerationRequest) -> Result<(), PublicError> {
        let installed = self.installed();
        let model = installed.pictures.iter().find(|model| model.info.name == request.model);
        let Some(model) = model else { return Ok(()) };
        task::suits(request, &model.files)?;
        self.plan(model, request, 1, self.config.precision).map(|_| ())
    }

    fn fingerprint(&self, request: &GenerationRequest) -> Option<String> {
        let installed = self.installed();
        let model = installed.pictures.iter().find(|model| model.info.name == request.model)?;
        let loras = loras::wanted(request, &installed).ok()?;
        let embeddings =
            self.config.models_dir.as_ref().map(|folder| Stamp::of(&folder.join(models::EMBEDDINGS)));
        // What the program carries has no stamp, and may be trained anew under the same version.
        let content = model.info.bundled.then(|| {
            let mut contents = unpoisoned(&self.bundled_contents);
            contents.entry(model.info.name.clone()).or_insert_with(|| models::content(&model.files)).clone()
        });
        Some(format!(
            "{} {content:?} {:?} {loras:?} {embeddings:?} {:?} {:?}",
            env!("CARGO_PKG_VERSION"),
            model.stamp,
            self.device.location(),
            self.config.precision,
        ))
    }

    fn n_together(&self, request: &GenerationRequest) -> u32 {
        let installed = self.installed();
        let model = installed.pictures.iter().find(|model| model.info.name == request.model);
        let Some(model) = model else { return 1 };
        let plan = |n: u32| self.plan(model, request, n, self.config.precision);
        let fit = |n: &u32| plan(*n).is_ok_and(|plan| plan.residence == Residence::Whole);
        (2..=self.most_together()).rev().find(fit).unwrap_or(1)
    }

    fn generate(
        &self,
        request: &GenerationRequest,
        indices: Range<u32>,
        materials: &Materials,
        on_report: &mut dyn FnMut(Report<'_>) -> ControlFlow<()>,
    ) -> Result<Vec<Made>, EngineError> {
        self.paint(request, indices, materials, self.config.precision, on_report)
    }

    fn generate_in_f32(
        &self,
        request: &GenerationRequest,
        indices: Range<u32>,
        materials: &Materials,
        on_report: &mut dyn FnMut(Report<'_>) -> ControlFlow<()>,
    ) -> Result<Option<Vec<Made>>, EngineError> {
        if self.config.precision == Precision::F32 {
            return Ok(None);
        }
        self.paint(request, indices, materials, Precision::F32, on_report).map(Some)
    }

    fn safety_checker(&self, model: &str) -> Option<String> {
        self.checkers.name(&self.installed(), model)
    }

    fn is_unsafe(&self, model: &str, picture: &RgbImage) -> Result<bool, EngineError> {
        self.checkers.is_unsafe(&self.installed(), model, picture)
    }

    fn write_prompt(
        &self,
        start: &str,
        seed: u64,
        on_text: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<(), EngineError> {
        let (name, writer) = self.writer()?;
        writer.write(&writer.request(start, seed), on_text).map_err(|error| self.fault(&name, &error))?;
        Ok(())
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

/// A panic while a model was loaded leaves its place empty, which is as good as any other state.
fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "candle_tests.rs"]
mod tests;
