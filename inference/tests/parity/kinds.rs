//! The models that are compared: two tiny random ones, and the one that the program carries.

use std::collections::HashMap;
use std::path::PathBuf;

use candle_core::{Device, Tensor};
use inference::model_files::ModelFiles;
use serde::Deserialize;

/// A model and its reference numbers.
pub struct Kind {
    /// What failures call it.
    pub name: &'static str,
    /// The model.
    pub files: ModelFiles,
    /// Tensors that the reference computed.
    pub tensors: HashMap<String, Tensor>,
    /// What it computed them from.
    pub card: Card,
}

/// The settings beside the tensors.
#[derive(Deserialize)]
pub struct Card {
    /// Texts and their tokens.
    pub texts: Vec<Text>,
    /// Timestep of each U-Net call.
    pub unet: Vec<f64>,
    /// Number of each decoding.
    pub vae: Vec<usize>,
    /// Whole runs.
    pub runs: Vec<Run>,
}

/// A text and its tokens.
#[derive(Deserialize)]
pub struct Text {
    pub text: String,
    pub ids: Vec<u32>,
}

/// The settings of a whole run.
#[derive(Deserialize)]
pub struct Run {
    pub prompt: String,
    pub negative_prompt: String,
    pub sampler: types::sampler::Sampler,
    pub schedule: types::sampler::Schedule,
    pub steps: usize,
    pub guidance_scale: f64,
    pub seed: u64,
    pub width: usize,
    pub height: usize,
}

/// All of them.
pub fn all() -> Vec<Kind> {
    let crate_folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let reference = crate_folder.join("tests/reference");
    let folders = [
        ("tiny-1", reference.join("tiny-1")),
        ("tiny-2", reference.join("tiny-2")),
        ("demo", crate_folder.join("../models/demo")),
    ];
    folders
        .into_iter()
        .map(|(name, folder)| {
            let tensors = reference.join(format!("{name}.safetensors"));
            let card = std::fs::read(reference.join(format!("{name}.json"))).unwrap();
            Kind {
                name,
                files: ModelFiles::folder(folder),
                tensors: candle_core::safetensors::load(tensors, &Device::Cpu).unwrap(),
                card: serde_json::from_slice(&card).unwrap(),
            }
        })
        .collect()
}
