//! The real engine: Stable Diffusion and GPT-2 on candle.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::Device;
use image::RgbImage;
use inference::model_files::ModelFiles;
use inference::pipelines::prompt_writer::PromptWriter;
use inference::pipelines::text_to_image::{Rgb, StableDiffusion, StepReport, TextToImage};
use types::model::ModelInfo;
use types::request::GenerationRequest;

use super::{Engine, EngineError, Step};
use crate::Config;
use crate::models::{self, Installed};

/// Loads models when they are first asked for and keeps the last one: two would not fit into the memory of
/// the machines this is for.
pub struct CandleEngine {
    installed: Installed,
    /// What went wrong when a model was loaded, by its name: told to the next visitor before they wait for it.
    problems: Mutex<HashMap<String, String>>,
    painter: Mutex<Option<(String, Arc<StableDiffusion>)>>,
    writer: Mutex<Option<(String, Arc<PromptWriter>)>>,
    device: Device,
}

impl CandleEngine {
    /// Looks at what is installed; loads nothing yet. Computes on the first graphics card if this program was
    /// built for one, else on the processor.
    ///
    /// # Errors
    /// [`Config::default_model`] names a model that is not installed; there is no such device.
    pub fn open(config: &Config) -> Result<Self, EngineError> {
        let installed = models::look(config);
        if let Some(name) = &config.default_model
            && !installed.pictures.iter().any(|model| model.info.name == *name)
        {
            return Err(EngineError::UnknownModel { name: name.clone() });
        }
        let device = Device::cuda_if_available(0)
            .map_err(|error| EngineError::Fault { model: "any".into(), reason: error.to_string() })?;
        Ok(Self {
            installed,
            problems: Mutex::default(),
            painter: Mutex::default(),
            writer: Mutex::default(),
            device,
        })
    }

    fn painter(&self, name: &str) -> Result<Arc<StableDiffusion>, EngineError> {
        let model = self.installed.pictures.iter().find(|model| model.info.name == name);
        let files = &model.ok_or_else(|| EngineError::UnknownModel { name: name.to_owned() })?.files;
        self.kept(&self.painter, name, || StableDiffusion::load(files, &self.device))
            .inspect_err(|error| self.remember(name, error))
    }

    /// The first that is installed: there is one kind of writer, and the bundled one comes first.
    fn writer(&self) -> Result<(&str, Arc<PromptWriter>), EngineError> {
        let Some((name, files)) = self.installed.writers.first() else {
            return Err(EngineError::UnknownModel { name: "gpt2".to_owned() });
        };
        let writer = self.kept(&self.writer, name, || PromptWriter::load(files, &self.device))?;
        Ok((name, writer))
    }

    /// The model in that place if it has this name; else this one is loaded and takes its place. The old one
    /// goes first, so that there are never two in memory.
    fn kept<T>(
        &self,
        place: &Mutex<Option<(String, Arc<T>)>>,
        name: &str,
        load: impl FnOnce() -> inference::Result<T>,
    ) -> Result<Arc<T>, EngineError> {
        let mut place = unpoisoned(place);
        if let Some((kept, model)) = &*place
            && kept == name
        {
            return Ok(Arc::clone(model));
        }
        *place = None;
        let begin = std::time::Instant::now();
        let loaded = load().map_err(|error| EngineError::Unusable {
            model: name.to_owned(),
            reason: self.installed.sentence(name, &error),
        })?;
        tracing::info!(
            model.name = name,
            duration_ms = begin.elapsed().as_millis() as u64,
            "a model was loaded"
        );
        let loaded = Arc::new(loaded);
        *place = Some((name.to_owned(), Arc::clone(&loaded)));
        Ok(loaded)
    }

    fn remember(&self, name: &str, error: &EngineError) {
        if let EngineError::Unusable { reason, .. } = error {
            unpoisoned(&self.problems).insert(name.to_owned(), reason.clone());
        }
    }
}

impl Engine for CandleEngine {
    fn picture_models(&self) -> Vec<ModelInfo> {
        let problems = unpoisoned(&self.problems);
        let mut infos: Vec<_> = self.installed.pictures.iter().map(|model| model.info.clone()).collect();
        for info in &mut infos {
            if let Some(problem) = problems.get(&info.name) {
                info.problem = Some(problem.clone());
            }
        }
        infos
    }

    fn prompt_models(&self) -> Vec<String> {
        self.installed.writers.iter().map(|(name, _)| name.clone()).collect()
    }

    fn generate(
        &self,
        request: &GenerationRequest,
        index: u32,
        on_step: &mut dyn FnMut(Step<'_>) -> ControlFlow<()>,
    ) -> Result<RgbImage, EngineError> {
        let painter = self.painter(&request.model)?;
        let task = TextToImage {
            prompt: request.prompt.clone(),
            negative_prompt: request.negative_prompt.clone(),
            steps: request.steps as usize,
            guidance_scale: request.guidance_scale,
            sampler: request.sampler,
            schedule: request.schedule,
            seed: request.seed + u64::from(index),
            width: request.width as usize,
            height: request.height as usize,
        };
        let mut report = |report: StepReport<'_>| {
            let preview = || {
                let preview = report.preview();
                // A picture is worth more than its preview.
                preview
                    .inspect_err(|error| tracing::warn!(%error, "a preview failed"))
                    .ok()
                    .flatten()
                    .and_then(to_image)
            };
            on_step(Step { step: report.step as u32, n_steps: report.n_steps as u32, preview: &preview })
        };
        let picture = painter.generate(&task, &mut report).map_err(|error| fault(&request.model, &error))?;
        to_image(picture).ok_or_else(|| EngineError::Fault {
            model: request.model.clone(),
            reason: "it painted fewer pixels than the picture has".to_owned(),
        })
    }

    fn write_prompt(
        &self,
        start: &str,
        seed: u64,
        on_text: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<(), EngineError> {
        let (name, writer) = self.writer()?;
        writer.write(&writer.request(start, seed), on_text).map_err(|error| fault(name, &error))?;
        Ok(())
    }
}

fn fault(model: &str, error: &inference::Error) -> EngineError {
    match error {
        inference::Error::Cancelled => EngineError::Cancelled,
        error => EngineError::Fault { model: model.to_owned(), reason: error.to_string() },
    }
}

fn to_image(rgb: Rgb) -> Option<RgbImage> {
    RgbImage::from_raw(rgb.width, rgb.height, rgb.pixels)
}

/// A panic while a model was loaded leaves its place empty, which is as good as any other state.
fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Installed {
    /// An error about a model as a sentence for visitors: the model's name stands for its path on this machine.
    fn sentence(&self, name: &str, error: &inference::Error) -> String {
        let pictures = self.pictures.iter().map(|model| (&model.info.name, &model.files));
        let mut all = pictures.chain(self.writers.iter().map(|(name, files)| (name, files)));
        let files: Option<&ModelFiles> = all.find(|(found, _)| *found == name).map(|(_, files)| files);
        models::without_path(error, files, name)
    }
}

#[cfg(test)]
#[path = "candle_tests.rs"]
mod tests;
