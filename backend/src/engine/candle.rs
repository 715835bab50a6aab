//! The real engine: Stable Diffusion and GPT-2 on candle.

mod checkers;
mod faults;
mod keeping;
mod loading;
mod loras;
mod painting;
mod problems;
mod residents;
mod task;

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::Device;
use image::RgbImage;
use inference::pipelines::prompt_writer::PromptWriter;
use inference::pipelines::stable_diffusion::{Residence, StableDiffusion};
use types::error::PublicError;
use types::lora::LoraInfo;
use types::model::ModelInfo;
use types::request::GenerationRequest;

use self::checkers::Checkers;
use self::keeping::Key;
use self::problems::Problems;
use self::residents::Residents;
use super::{Engine, EngineError, Made, Materials, Report};
use crate::Config;
use crate::machine::{DeviceKind, Precision};
use crate::memory::{self, Memory, Plan};
use crate::models::{self, Hashes, Installed, PictureModel, Stamp};

/// What loaded models may take where the device does not tell its memory.
const USUAL_MEMORY_BYTES: u64 = 8_000_000_000;

/// Loads models when they are first asked for, and keeps as many as fit into a budget of memory.
pub struct CandleEngine {
    config: Config,
    /// What was found when the models folder was last looked at.
    installed: Mutex<Arc<Installed>>,
    /// What is wrong with models for pictures, and with those that write.
    problems: Problems,
    writer_problems: Problems,
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
            problems: Problems::default(),
            writer_problems: Problems::default(),
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
}

impl Engine for CandleEngine {
    fn picture_models(&self) -> Vec<ModelInfo> {
        let installed = self.installed();
        let describe = |model: &PictureModel| {
            let mut info = model.info.clone();
            info.problem = self.problems.of(&info.name, &model.stamp).or(info.problem);
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

/// A panic while a model was loaded leaves its place empty, which is as good as any other state.
fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "candle_tests.rs"]
mod tests;
