//! Where things lie.

use std::path::PathBuf;

use inference::model_files::ModelFiles;
use types::preset::Presets;

use crate::Measures;
use crate::access::Limits;
use crate::machine::{DeviceKind, Precision};
use crate::retention::Retention;
use crate::safety::SafetyMode;
use crate::signing::SigningFiles;

/// What [`crate::Services::open`] and [`crate::engine::candle::CandleEngine::open`] have to know.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Folder of the database and the pictures, and of the site's own styles and lists of words. Made if it is not there.
    pub data_dir: PathBuf,
    /// Folder of models: subfolders in the layout that diffusers writes, and `.safetensors` checkpoints. LoRA files lie
    /// in its subfolder `loras`, textual inversions in `embeddings`.
    pub models_dir: Option<PathBuf>,
    /// LoRA files besides those; they go before them if two have one name.
    pub lora_files: Vec<PathBuf>,
    /// Models that the program carries, picture models and prompt writers alike.
    pub bundled: Vec<ModelFiles>,
    /// Name of the model that a request gets which names none; else the first bundled one.
    pub default_model: Option<String>,
    /// What computes; else the best that this program was built for.
    pub device: Option<DeviceKind>,
    /// Most bytes that loaded picture models take together; else half of the machine's memory.
    pub memory_bytes: Option<u64>,
    /// Most pictures of one job that are made together; else four on a graphics card, and one on the processor.
    pub n_together: Option<u32>,
    /// Whether a job whose pictures were made before gets them from there.
    pub cache: bool,
    /// How much everybody may ask for at a time.
    pub limits: Limits,
    /// What the site means by preview, standard and premium.
    pub presets: Presets,
    /// For how long pictures are kept.
    pub retention: Retention,
    /// What becomes of pictures that the safety checker would not show.
    pub safety: SafetyMode,
    /// Name of the model that makes the picture where the one that was asked for cannot.
    pub fallback_model: Option<String>,
    /// What pictures are signed with, if they are.
    pub signing: Option<SigningFiles>,
    /// In which numbers it computes.
    pub precision: Precision,
    /// Where engine and services count what happens.
    pub measures: Measures,
}
