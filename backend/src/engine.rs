//! What makes pictures and prompts.

pub mod candle;
pub mod fake;

use std::ops::{ControlFlow, Range};

use image::{GrayImage, RgbImage};
use types::error::PublicError;
use types::lora::LoraInfo;
use types::model::ModelInfo;
use types::note::Note;
use types::request::GenerationRequest;

use crate::machine::DeviceKind;

/// Makes pictures and prompts.
///
/// Its methods compute for as long as it takes and are called from threads that may block; those that name the
/// models do not. Which models there are may change from one call to the next.
pub trait Engine: Send + Sync + 'static {
    /// The picture models, the default one first. One that cannot be used says why.
    fn picture_models(&self) -> Vec<ModelInfo>;

    /// The LoRA files, by name. One that cannot be used says why.
    fn loras(&self) -> Vec<LoraInfo>;

    /// The picture model whose file has a SHA-256 that begins with these hexadecimal digits, as far as that is known:
    /// large files are summed in the background once somebody asks.
    fn model_of_hash(&self, _hash: &str) -> Option<String> {
        None
    }

    /// Names of the models that write prompts.
    fn prompt_models(&self) -> Vec<String>;

    /// Names of the textual inversions, sorted.
    fn embeddings(&self) -> Vec<String> {
        Vec::new()
    }

    /// What computes.
    fn device(&self) -> DeviceKind {
        DeviceKind::Cpu
    }

    /// Bytes of memory that the device has of its own, and how many of them nobody uses; nothing, if it shares the
    /// machine's.
    fn device_memory(&self) -> Option<(u64, u64)> {
        None
    }

    /// Refuses a request that its model has no use for, or whose picture cannot fit into memory, before anything is
    /// loaded for it.
    ///
    /// # Errors
    /// What the model needs; the nearest size that fits.
    fn fits(&self, _request: &GenerationRequest) -> Result<(), PublicError> {
        Ok(())
    }

    /// What a picture depends on besides the request: which files the model and its LoRAs are, what computes them, and how.
    /// Where two texts are equal, the same request makes the same picture. `None` if that cannot be told.
    fn fingerprint(&self, _request: &GenerationRequest) -> Option<String> {
        None
    }

    /// How many pictures of a request are made together, at most: in one batch, as far as memory allows it.
    fn n_together(&self, _request: &GenerationRequest) -> u32 {
        1
    }

    /// Makes the pictures `indices` of a request, which are as many as [`Engine::n_together`] allows, and one at least,
    /// each from the seed that [`GenerationRequest::seed_of`] tells. It is the picture that it would be alone.
    ///
    /// `materials` are the pictures that the request names, one for each. The picture is as large as
    /// [`GenerationRequest::picture_size`] says.
    ///
    /// `on_report` is told how far it is; `Break` stops the run.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`] if `on_report` broke off; otherwise whatever is wrong with the model.
    fn generate(
        &self,
        request: &GenerationRequest,
        indices: Range<u32>,
        materials: &Materials,
        on_report: &mut dyn FnMut(Report<'_>) -> ControlFlow<()>,
    ) -> Result<Vec<Made>, EngineError>;

    /// Makes them once more in f32, if that is more than it computes in; `None` if it is not.
    ///
    /// # Errors
    /// As [`Engine::generate`].
    fn generate_in_f32(
        &self,
        _request: &GenerationRequest,
        _indices: Range<u32>,
        _materials: &Materials,
        _on_report: &mut dyn FnMut(Report<'_>) -> ControlFlow<()>,
    ) -> Result<Option<Vec<Made>>, EngineError> {
        Ok(None)
    }

    /// Which safety checker looks at the pictures of a model: its own, or that of the models folder. Two texts that are
    /// equal stand for the same one. `None` if there is none, or no such model.
    fn safety_checker(&self, _model: &str) -> Option<String> {
        None
    }

    /// Whether that safety checker would not show a picture.
    ///
    /// # Errors
    /// There is none, or it cannot be used.
    fn is_unsafe(&self, model: &str, _picture: &RgbImage) -> Result<bool, EngineError> {
        let reason = "no safety checker is installed".to_owned();
        Err(EngineError::Unusable { model: model.to_owned(), reason })
    }

    /// Goes on writing after `start`, which may be empty, and hands over the new text in pieces.
    ///
    /// `Break` from `on_text` ends the writing, which is no error: what was written stands.
    ///
    /// # Errors
    /// There is no model that writes, or it cannot be used.
    fn write_prompt(
        &self,
        start: &str,
        seed: u64,
        on_text: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<(), EngineError>;
}

/// The pictures that a request names, in pixels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Materials {
    /// The picture to start from, as it was sent: the engine scales it to [`GenerationRequest::start_size`].
    pub start: Option<RgbImage>,
    /// What of it is painted anew (255) and what stays (0), as large as it. Its edge is not softened yet.
    pub mask: Option<GrayImage>,
}

/// A picture, and what is to be said of how it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The picture.
    pub image: RgbImage,
    /// What is to be said, each once.
    pub notes: Vec<Note>,
}

/// What an engine tells while it makes a picture.
#[derive(Clone, Copy)]
pub enum Report<'a> {
    /// The model is being loaded, and this share of its weights was read, from 0 to 1. Told every whole hundredth at most,
    /// and not at all if it was loaded before.
    Loading(f64),
    /// A step was done.
    Step(Step<'a>),
}

/// A step that was just done.
#[derive(Clone, Copy)]
pub struct Step<'a> {
    /// Its number, from 1.
    pub step: u32,
    /// Steps in all.
    pub n_steps: u32,
    /// Computes what the picture looks like now, small; nothing if the model has no way to tell. Costs time,
    /// so it is computed only when somebody asks.
    pub preview: &'a dyn Fn() -> Option<RgbImage>,
}

/// What can go wrong in an engine.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// The callback asked to stop.
    #[error("the run was cancelled")]
    Cancelled,
    /// Something was asked for that this program or this machine cannot do.
    #[error(transparent)]
    Refused(#[from] PublicError),
    /// There is not enough memory: to load the model, or for the picture.
    #[error(transparent)]
    OutOfMemory(PublicError),
    /// What came out is no picture: its numbers are none.
    #[error(transparent)]
    NotFinite(PublicError),
    /// There is no such model, or none at all.
    #[error("model `{name}` is not installed")]
    UnknownModel {
        /// Its name.
        name: String,
    },
    /// A model lacks a part, or a part is broken.
    #[error("model `{model}` cannot be used: {reason}")]
    Unusable {
        /// Its name.
        model: String,
        /// The loader's sentence.
        reason: String,
    },
    /// The model was loaded and then failed.
    #[error("model `{model}` failed: {reason}")]
    Fault {
        /// Its name.
        model: String,
        /// What failed.
        reason: String,
    },
}
