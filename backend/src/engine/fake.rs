//! An engine for tests: paints a gradient step by step, as fast as the test lets it, and over it the picture that
//! it starts from.

use std::ops::{ControlFlow, Range};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use image::imageops::{FilterType, resize};
use image::{GrayImage, Rgb, RgbImage};
use types::error::PublicError;
use types::lora::LoraInfo;
use types::model::{Family, ModelDefaults, ModelInfo, SizeLimits, Vocabulary};
use types::note::Note;
use types::request::{GenerationRequest, Margins};
use types::sampler::{Sampler, Schedule};

use super::{Engine, EngineError, Made, Materials, Report, Step};

/// What the fake does when it is asked for a picture.
#[derive(Debug, Clone, Default)]
pub enum Behaviour {
    /// Paints it.
    #[default]
    Paints,
    /// Fails before the first step.
    Fails(EngineError),
    /// Panics before the first step, as a fault in the engine's code would.
    Panics,
    /// Paints the first pictures of a job, and panics over this one and all after it.
    PanicsFrom(u32),
    /// Paints the first pictures of a job, and fails over this one and all after it.
    FailsFrom(u32, EngineError),
    /// Walks all steps, and has numbers that are none in the end.
    LeavesItsRange,
    /// Paints pictures that are wholly black.
    PaintsBlack,
}

/// Says of a picture whether it is not to be shown.
type Checker = fn(&RgbImage) -> bool;

/// Paints gradients that depend on seed and prompt.
pub struct FakeEngine {
    behaviour: Behaviour,
    models: Vec<ModelInfo>,
    loras: Vec<LoraInfo>,
    writes: bool,
    /// Hashes of models, with their names.
    hashes: Vec<(String, String)>,
    loads: bool,
    notes: Vec<Note>,
    n_together: u32,
    /// Models that fail before the first step, by their names.
    failing: Vec<(String, EngineError)>,
    /// What it does in f32, if it computes in fewer bits.
    in_f32: Option<Behaviour>,
    checker: Option<Checker>,
    gate: Arc<GateState>,
}

/// Lets a [`FakeEngine`] go on, one step at a time. Dropping it lets the engine run freely, so that no
/// thread is left waiting at the end of a test.
pub struct Gate(Arc<GateState>);

#[derive(Default)]
struct GateState {
    /// Steps that may still be done; `None` is any number.
    allowed: Mutex<Option<u32>>,
    changed: Condvar,
}

impl FakeEngine {
    /// An engine that runs freely.
    pub fn new() -> Self {
        Self {
            behaviour: Behaviour::Paints,
            models: vec![fake_model()],
            loras: vec![fake_lora()],
            writes: true,
            hashes: Vec::new(),
            loads: false,
            notes: Vec::new(),
            n_together: 1,
            failing: Vec::new(),
            in_f32: None,
            checker: None,
            gate: Arc::default(),
        }
    }

    /// An engine that waits before every step, and before every piece of a prompt, until the gate allows it.
    pub fn gated() -> (Self, Gate) {
        let engine = Self::new();
        *engine.gate.lock() = Some(0);
        let gate = Gate(Arc::clone(&engine.gate));
        (engine, gate)
    }

    /// The same engine with another behaviour.
    #[must_use]
    pub fn behaving(mut self, behaviour: Behaviour) -> Self {
        self.behaviour = behaviour;
        self
    }

    /// The same engine, which loads its model before every picture, in four parts. The gate lets it do a part as it
    /// lets it do a step.
    #[must_use]
    pub fn loading(mut self) -> Self {
        self.loads = true;
        self
    }

    /// The same engine, which has this to say of every picture.
    #[must_use]
    pub fn noting(mut self, notes: Vec<Note>) -> Self {
        self.notes = notes;
        self
    }

    /// The same engine, which makes so many pictures together.
    #[must_use]
    pub fn together(mut self, n_together: u32) -> Self {
        self.n_together = n_together;
        self
    }

    /// The same engine, one model of which fails before the first step.
    #[must_use]
    pub fn failing_with(mut self, model: &str, error: EngineError) -> Self {
        self.failing.push((model.to_owned(), error));
        self
    }

    /// The same engine, which computes in fewer bits than 32, and does this in f32.
    #[must_use]
    pub fn in_f32(mut self, behaviour: Behaviour) -> Self {
        self.in_f32 = Some(behaviour);
        self
    }

    /// The same engine with a safety checker.
    #[must_use]
    pub fn with_safety_checker(mut self, is_unsafe: fn(&RgbImage) -> bool) -> Self {
        self.checker = Some(is_unsafe);
        self
    }

    /// The same engine without a model that writes prompts.
    #[must_use]
    pub fn without_writers(mut self) -> Self {
        self.writes = false;
        self
    }

    /// The same engine with other LoRAs.
    #[must_use]
    pub fn with_loras(mut self, loras: Vec<LoraInfo>) -> Self {
        self.loras = loras;
        self
    }

    /// The same engine, which knows the hash of a model's file.
    #[must_use]
    pub fn with_hash(mut self, hash: &str, model: &str) -> Self {
        self.hashes.push((hash.to_owned(), model.to_owned()));
        self
    }

    /// The same engine with other models.
    #[must_use]
    pub fn with_models(mut self, models: Vec<ModelInfo>) -> Self {
        self.models = models;
        self
    }
}

impl Default for FakeEngine {
    fn default() -> Self {
        Self::new()
    }
}

impl Gate {
    /// Lets the engine do so many steps more.
    pub fn allow(&self, n_steps: u32) {
        if let Some(allowed) = self.0.lock().as_mut() {
            *allowed += n_steps;
        }
        self.0.changed.notify_all();
    }

    /// Lets the engine run freely from now on.
    pub fn open(&self) {
        *self.0.lock() = None;
        self.0.changed.notify_all();
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}

impl GateState {
    /// A panic elsewhere leaves nothing half done here.
    fn lock(&self) -> MutexGuard<'_, Option<u32>> {
        self.allowed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass(&self) {
        let mut allowed = self.lock();
        while *allowed == Some(0) {
            allowed = self.changed.wait(allowed).unwrap_or_else(PoisonError::into_inner);
        }
        if let Some(allowed) = allowed.as_mut() {
            *allowed -= 1;
        }
    }
}

impl FakeEngine {
    fn paint(
        &self,
        behaviour: &Behaviour,
        request: &GenerationRequest,
        indices: Range<u32>,
        materials: &Materials,
        on_report: &mut dyn FnMut(Report<'_>) -> ControlFlow<()>,
    ) -> Result<Vec<Made>, EngineError> {
        if let Some((_, error)) = self.failing.iter().find(|(model, _)| *model == request.model) {
            return Err(error.clone());
        }
        for fraction in [0.25, 0.5, 0.75, 1.0].into_iter().filter(|_| self.loads) {
            self.gate.pass();
            if on_report(Report::Loading(fraction)).is_break() {
                return Err(EngineError::Cancelled);
            }
        }
        let n_steps = request.n_steps();
        for step in 1..=n_steps {
            self.gate.pass();
            match behaviour {
                Behaviour::Paints | Behaviour::PaintsBlack => {}
                Behaviour::LeavesItsRange if step < n_steps => {}
                Behaviour::LeavesItsRange => return Err(EngineError::NotFinite(not_finite())),
                Behaviour::PanicsFrom(first) | Behaviour::FailsFrom(first, _) if indices.end <= *first => {}
                Behaviour::Fails(error) | Behaviour::FailsFrom(_, error) => return Err(error.clone()),
                Behaviour::Panics | Behaviour::PanicsFrom(_) => panic!("the fake engine was told to panic"),
            }
            let done = f64::from(step) / f64::from(n_steps);
            let preview = || Some(gradient(request, indices.start, 32, 32, done));
            if on_report(Report::Step(Step { step, n_steps, preview: &preview })).is_break() {
                return Err(EngineError::Cancelled);
            }
        }
        let (width, height) = request.picture_size();
        let make = |index| {
            if matches!(behaviour, Behaviour::PaintsBlack) {
                return Made { image: RgbImage::new(width, height), notes: self.notes.clone() };
            }
            let mut picture = gradient(request, index, width, height, 1.0);
            if let (Some(start), Some(from)) = (&request.start, &materials.start) {
                let (width, height) = request.start_size();
                let from = resize(from, width, height, FilterType::Triangle);
                let mask =
                    materials.mask.as_ref().map(|mask| resize(mask, width, height, FilterType::Triangle));
                lay_over(&mut picture, &from, mask.as_ref(), request.outpaint, start.strength);
            }
            Made { image: picture, notes: self.notes.clone() }
        };
        Ok(indices.map(make).collect())
    }
}

fn not_finite() -> PublicError {
    PublicError::invalid_field("model", "the picture has numbers that are none")
}

impl Engine for FakeEngine {
    fn picture_models(&self) -> Vec<ModelInfo> {
        self.models.clone()
    }

    fn loras(&self) -> Vec<LoraInfo> {
        self.loras.clone()
    }

    fn model_of_hash(&self, hash: &str) -> Option<String> {
        let found = self.hashes.iter().find(|(known, _)| known.starts_with(hash));
        found.map(|(_, name)| name.clone())
    }

    fn prompt_models(&self) -> Vec<String> {
        if self.writes { vec!["demo-prompts".to_owned()] } else { Vec::new() }
    }

    fn fingerprint(&self, _request: &GenerationRequest) -> Option<String> {
        Some("gradients".to_owned())
    }

    fn n_together(&self, _: &GenerationRequest) -> u32 {
        self.n_together
    }

    fn generate(
        &self,
        request: &GenerationRequest,
        indices: Range<u32>,
        materials: &Materials,
        on_report: &mut dyn FnMut(Report<'_>) -> ControlFlow<()>,
    ) -> Result<Vec<Made>, EngineError> {
        self.paint(&self.behaviour, request, indices, materials, on_report)
    }

    fn generate_in_f32(
        &self,
        request: &GenerationRequest,
        indices: Range<u32>,
        materials: &Materials,
        on_report: &mut dyn FnMut(Report<'_>) -> ControlFlow<()>,
    ) -> Result<Option<Vec<Made>>, EngineError> {
        let made = self
            .in_f32
            .as_ref()
            .map(|behaviour| self.paint(behaviour, request, indices, materials, on_report));
        made.transpose()
    }

    fn safety_checker(&self, _model: &str) -> Option<String> {
        self.checker.map(|_| "fake".to_owned())
    }

    fn is_unsafe(&self, model: &str, picture: &RgbImage) -> Result<bool, EngineError> {
        let reason = "it has no safety checker".to_owned();
        let unusable = EngineError::Unusable { model: model.to_owned(), reason };
        self.checker.map(|is_unsafe| is_unsafe(picture)).ok_or(unusable)
    }

    fn write_prompt(
        &self,
        start: &str,
        seed: u64,
        on_text: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<(), EngineError> {
        const WORDS: [&str; 6] = ["red", "boat", "calm", "sea", "evening", "sky"];
        for place in 0..WORDS.len() {
            self.gate.pass();
            match &self.behaviour {
                Behaviour::Fails(error) => return Err(error.clone()),
                Behaviour::Panics => panic!("the fake engine was told to panic"),
                Behaviour::Paints
                | Behaviour::PanicsFrom(_)
                | Behaviour::FailsFrom(..)
                | Behaviour::LeavesItsRange
                | Behaviour::PaintsBlack => {}
            }
            let word = WORDS[(place + seed as usize) % WORDS.len()];
            let piece = if start.is_empty() && place == 0 { word.to_owned() } else { format!(" {word}") };
            if on_text(&piece).is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// Two colours that follow from prompt and seed, fading in as the steps go by.
fn gradient(request: &GenerationRequest, index: u32, width: u32, height: u32, done: f64) -> RgbImage {
    let seed = request
        .prompt
        .bytes()
        .fold(request.seed_of(index), |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let [red, green, blue, ..] = seed.to_le_bytes();
    RgbImage::from_fn(width, height, |x, y| {
        let shade = |base: u8, at: u32, side: u32| {
            ((f64::from(base) + f64::from(at) / f64::from(side) * 120.0).min(255.0) * done) as u8
        };
        Rgb([shade(red, x, width), shade(green, y, height), shade(blue, x + y, width + height)])
    })
}

/// The one LoRA that it has by itself.
pub fn fake_lora() -> LoraInfo {
    LoraInfo {
        name: "ink".into(),
        family: Family::Other,
        n_layers: 8,
        changes_text_encoder: true,
        size_bytes: 12_345,
        problem: None,
    }
}

/// The start picture between its margins, which shows through as far as the strength leaves it, and wholly where
/// the mask is black.
fn lay_over(
    picture: &mut RgbImage,
    start: &RgbImage,
    mask: Option<&GrayImage>,
    outpaint: Option<Margins>,
    strength: f64,
) {
    let Margins { left, top, .. } = outpaint.unwrap_or_default();
    for (x, y, kept) in start.enumerate_pixels() {
        let anew = mask.map_or(1.0, |mask| f64::from(mask.get_pixel(x, y)[0]) / 255.0) * strength;
        let painted = picture.get_pixel_mut(x + left, y + top);
        for (painted, kept) in painted.0.iter_mut().zip(kept.0) {
            *painted = (f64::from(*painted) * anew + f64::from(kept) * (1.0 - anew)).round() as u8;
        }
    }
}

/// A model with the limits of a small one.
pub fn fake_model() -> ModelInfo {
    ModelInfo {
        name: "demo".into(),
        title: "Gradients".into(),
        description: "Paints gradients for tests.".into(),
        licence: None,
        family: Family::Other,
        inpaints: false,
        edits: false,
        max_clip_skip: 12,
        bundled: true,
        defaults: ModelDefaults {
            steps: 4,
            guidance_scale: 4.0,
            sampler: Sampler::DpmPlusPlus2M,
            schedule: Schedule::Karras,
        },
        limits: SizeLimits { multiple: 8, min_side: 64, max_side: 512 },
        sizes: [(128, 128), (160, 96), (96, 160)],
        vocabulary: Some(Vocabulary { subjects: vec!["boat".into()], ..Vocabulary::default() }),
        examples: vec!["a red boat".into()],
        n_parameters: 0,
        memory_bytes: 0,
        problem: None,
    }
}
