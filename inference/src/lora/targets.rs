//! Which tensor of a model a layer's name means.

use std::collections::HashMap;

use candle_core::Device;

use super::keys::Place;
use crate::checkpoint::unet::UnetBlocks;
use crate::error::Result;
use crate::model_files::ModelFiles;
use crate::models::unet::UnetConfig;
use crate::weights::Weights;

/// A tensor that can be changed.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// Folder of the part in diffusers' layout.
    pub(crate) part: &'static str,
    /// Full name.
    pub(crate) tensor: String,
    pub(crate) shape: Vec<usize>,
}

/// Every changeable tensor of a model, under all spellings of its layer.
#[derive(Debug)]
pub(crate) struct Targets(HashMap<Place, Target>);

impl Targets {
    /// Reads the headers of the parts that LoRA files change.
    ///
    /// # Errors
    /// Whatever is wrong with the model's files.
    pub(crate) fn of(files: &ModelFiles) -> Result<Self> {
        let mut targets = HashMap::new();
        for (part, stem) in
            [("unet", "diffusion_pytorch_model"), ("text_encoder", "model"), ("text_encoder_2", "model")]
        {
            if !files.exists(&format!("{part}/config.json")) {
                continue;
            }
            for (name, shape) in Weights::open(files, part, stem, &Device::Cpu)?.shapes() {
                let Some(layer) = name.strip_suffix(".weight") else { continue };
                let layer = layer.strip_prefix("text_model.").unwrap_or(layer).replace('.', "_");
                let target = Target { part, tensor: name.to_owned(), shape: shape.to_vec() };
                targets.insert(Place { part, layer }, target);
            }
        }
        // LoRA files for SDXL name the blocks as the original does.
        for pair in UnetBlocks::of_config(&UnetConfig::read(files, "unet")?).pairs() {
            let place = |name: &str| Place { part: "unet", layer: name.replace('.', "_") };
            if let Some(target) = targets.get(&place(&pair.diffusers)).cloned() {
                targets.entry(place(&pair.original)).or_insert(target);
            }
        }
        Ok(Self(targets))
    }

    pub(crate) fn find(&self, place: &Place) -> Option<&Target> {
        self.0.get(place)
    }
}
