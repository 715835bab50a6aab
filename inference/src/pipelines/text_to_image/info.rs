//! What a model can be asked for, and what it says about itself: read without loading its weights.

use serde::Deserialize;
use types::sampler::{Sampler, Schedule};

use crate::error::{Error, Result};
use crate::model_files::ModelFiles;
use crate::models::clip::ClipConfig;
use crate::models::unet::UnetConfig;
use crate::models::vae::VaeConfig;

/// What a model says about itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Info {
    /// The sizes it makes.
    pub constraints: Constraints,
    /// The settings it does well with, where `darkroom.json` names them.
    pub defaults: Option<Defaults>,
}

/// The sizes a model makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Constraints {
    /// Width and height must be multiples of this number of pixels.
    pub size_multiple: usize,
    /// Pixels: the size it was trained with.
    pub default_width: usize,
    /// Pixels: the size it was trained with.
    pub default_height: usize,
}

/// The settings a model does well with.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Defaults {
    /// Steps.
    pub steps: usize,
    /// Guidance scale.
    pub guidance_scale: f64,
    /// Sampler.
    pub sampler: Sampler,
    /// Noise schedule.
    pub schedule: Schedule,
}

#[derive(Default, Deserialize)]
struct Card {
    defaults: Option<Defaults>,
}

impl Info {
    /// Reads the small files of a model.
    ///
    /// # Errors
    /// [`Error::MissingFile`], [`Error::BrokenFile`], [`Error::Unsupported`].
    pub fn read(files: &ModelFiles) -> Result<Self> {
        let card = if files.exists("darkroom.json") { files.json("darkroom.json")? } else { Card::default() };
        let unet = UnetConfig::read(files, "unet")?;
        let size_multiple = VaeConfig::read(files, "vae")?.shrink();
        // 64 is what diffusers takes where the config is silent.
        let (height, width) = unet.sample_size.unwrap_or((64, 64));
        let constraints = Constraints {
            size_multiple,
            default_width: width * size_multiple,
            default_height: height * size_multiple,
        };
        Ok(Self { constraints, defaults: card.defaults })
    }
}

impl Constraints {
    /// Refuses sizes that the model cannot make.
    ///
    /// # Errors
    /// [`Error::Size`].
    pub fn check(&self, width: usize, height: usize) -> Result<()> {
        let multiple = self.size_multiple;
        let possible = |side: usize| side > 0 && side.is_multiple_of(multiple);
        if possible(width) && possible(height) {
            return Ok(());
        }
        Err(Error::Size { width, height, reason: format!("both sides have to be multiples of {multiple}") })
    }
}

/// Refuses parts of different models.
pub(super) fn parts_fit(text: &ClipConfig, unet: &UnetConfig, vae: &VaeConfig) -> Result<()> {
    let unsupported = |setting: &str, value: usize, allowed: String| {
        let file = "unet/config.json".to_owned();
        Err(Error::Unsupported { file, setting: setting.to_owned(), value: value.to_string(), allowed })
    };
    if let Some(level) = unet.levels.iter().find(|level| level.text != text.width) {
        let allowed = format!("the text encoder's hidden_size {}", text.width);
        return unsupported("cross_attention_dim", level.text, allowed);
    }
    for (setting, channels) in [("in_channels", unet.inputs), ("out_channels", unet.outputs)] {
        if channels != vae.latent_channels {
            let allowed = format!("the VAE's latent_channels {}", vae.latent_channels);
            return unsupported(setting, channels, allowed);
        }
    }
    Ok(())
}
