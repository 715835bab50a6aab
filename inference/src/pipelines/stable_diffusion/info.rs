//! What a model can be asked for, and what it says about itself: read without loading its weights.

use serde::Deserialize;
use types::sampler::{Sampler, Schedule};

use crate::error::{Error, Result};
use crate::model_files::ModelFiles;
use crate::models::unet::UnetConfig;
use crate::models::vae::VaeConfig;
use crate::prompts::PromptEncoder;

/// What a model says about itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Info {
    /// The sizes it makes.
    pub constraints: Constraints,
    /// The settings it does well with, where `darkroom.json` names them.
    pub defaults: Option<Defaults>,
    /// What its U-Net sees beside the latent.
    pub form: Form,
}

/// What a U-Net sees beside the latent, told by the number of its inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The latent alone.
    Paints,
    /// A mask and the masked picture's latent: trained for inpainting.
    Inpaints,
    /// The latent of a picture that is changed by an instruction (`InstructPix2Pix`).
    Edits,
}

impl Form {
    /// Whether it needs a picture to change.
    pub fn edits(self) -> bool {
        self == Self::Edits
    }
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
        let vae = VaeConfig::read(files, "vae")?;
        let size_multiple = vae.shrink();
        // 64 is what diffusers takes where the config is silent.
        let (height, width) = unet.sample_size.unwrap_or((64, 64));
        let constraints = Constraints {
            size_multiple,
            default_width: width * size_multiple,
            default_height: height * size_multiple,
        };
        Ok(Self { constraints, defaults: card.defaults, form: form(&unet, &vae)? })
    }
}

/// Of a U-Net with the latents of this VAE.
fn form(unet: &UnetConfig, vae: &VaeConfig) -> Result<Form> {
    let latent = vae.latent_channels;
    if unet.outputs != latent {
        return unsupported("out_channels", unet.outputs, format!("the VAE's latent_channels {latent}"));
    }
    match unet.inputs {
        inputs if inputs == latent => Ok(Form::Paints),
        inputs if inputs == 2 * latent + 1 => Ok(Form::Inpaints),
        inputs if inputs == 2 * latent => Ok(Form::Edits),
        inputs => {
            let allowed =
                format!("{latent}, {} or {}, given the VAE's latent_channels", 2 * latent + 1, 2 * latent);
            unsupported("in_channels", inputs, allowed)
        }
    }
}

fn unsupported<T>(setting: &str, value: usize, allowed: String) -> Result<T> {
    let file = "unet/config.json".to_owned();
    Err(Error::Unsupported { file, setting: setting.to_owned(), value: value.to_string(), allowed })
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
pub(super) fn parts_fit(text: &PromptEncoder, unet: &UnetConfig, vae: &VaeConfig) -> Result<()> {
    form(unet, vae)?;
    let width = text.width();
    if let Some(level) = unet.levels.iter().find(|level| level.text != width) {
        return unsupported(
            "cross_attention_dim",
            level.text,
            format!("the text encoders' hidden_size {width}"),
        );
    }
    if let Some(added) = unet.added {
        let n_numbers = text.pooled_width().map(|pooled| (pooled, added.n_numbers(pooled)));
        match n_numbers {
            Some((pooled, n @ 5..=6)) if added.inputs == pooled + n * added.channels_per_number => {}
            _ => {
                let allowed = match text.pooled_width() {
                    Some(pooled) => format!("the text encoder's projection_dim {pooled} and 5 or 6 numbers"),
                    None => "a text encoder with a projection".to_owned(),
                };
                return unsupported("projection_class_embeddings_input_dim", added.inputs, allowed);
            }
        }
    }
    Ok(())
}
