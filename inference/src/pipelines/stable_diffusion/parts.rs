//! The networks of a model, and how long each is in memory.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use candle_core::Device;

use super::info;
use crate::error::Result;
use crate::model_files::ModelFiles;
use crate::models::unet::{Unet, UnetConfig};
use crate::models::vae::{VaeConfig, VaeDecoder, VaeEncoder};
use crate::precision::Precision;
use crate::prompts::{Embeddings, PromptEncoder};

/// How long the parts of a model are in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Residence {
    /// As long as the model. What is asked for next begins at once.
    #[default]
    Whole,
    /// Each while it computes, so that the text encoders, the U-Net and the VAE are never there together. They are read
    /// anew for each run, as a rule from what the system keeps of files in main memory.
    PartByPart,
}

/// How a model is loaded.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// How long its parts are in memory.
    pub residence: Residence,
    /// Textual inversions, for prompts that name them.
    pub embeddings: Option<Embeddings>,
}

/// The networks of one model.
#[derive(Debug)]
pub(super) struct Parts {
    files: ModelFiles,
    device: Device,
    embeddings: Option<Embeddings>,
    pub(super) unet_config: UnetConfig,
    pub(super) vae_config: VaeConfig,
    prompts: Part<PromptEncoder>,
    unet: Part<Unet>,
    decoder: Part<VaeDecoder>,
    encoder: Part<VaeEncoder>,
    /// In f32, for pictures that leave the range of the model's own precision.
    wide_decoder: Part<VaeDecoder>,
    /// The same for the way back.
    wide_encoder: Part<VaeEncoder>,
}

impl Parts {
    /// Loads what every run needs, so that what is wrong with the files is known before anything is computed. Of a model
    /// that is used part by part that goes for the text encoders alone: the rest would be read twice.
    ///
    /// # Errors
    /// As [`super::StableDiffusion::load`].
    pub(super) fn load(files: &ModelFiles, device: &Device, options: LoadOptions) -> Result<Self> {
        let LoadOptions { residence, embeddings } = options;
        let parts = Self {
            files: files.clone(),
            device: device.clone(),
            embeddings,
            unet_config: UnetConfig::read(files, "unet")?,
            vae_config: VaeConfig::read(files, "vae")?,
            prompts: Part::new(residence),
            unet: Part::new(residence),
            decoder: Part::new(residence),
            encoder: Part::new(residence),
            // Seldom needed, and in nobody's account.
            wide_decoder: Part::new(Residence::PartByPart),
            wide_encoder: Part::new(Residence::PartByPart),
        };
        info::parts_fit(&*parts.prompts()?, &parts.unet_config, &parts.vae_config)?;
        if residence == Residence::Whole {
            parts.unet()?;
            parts.decoder()?;
        }
        Ok(parts)
    }

    pub(super) fn precision(&self) -> Precision {
        self.files.precision()
    }

    pub(super) fn prompts(&self) -> Result<Arc<PromptEncoder>> {
        self.prompts.get(|| {
            let encoder = PromptEncoder::load(&self.files, &self.device)?;
            Ok(match &self.embeddings {
                Some(embeddings) => encoder.with_embeddings(embeddings.clone()),
                None => encoder,
            })
        })
    }

    pub(super) fn unet(&self) -> Result<Arc<Unet>> {
        self.unet.get(|| Unet::load(&self.files, "unet", &self.device))
    }

    pub(super) fn decoder(&self) -> Result<Arc<VaeDecoder>> {
        self.decoder.get(|| VaeDecoder::load(&self.files, "vae", &self.device))
    }

    /// Read when a picture is first to be encoded: most runs begin with noise alone.
    pub(super) fn encoder(&self) -> Result<Arc<VaeEncoder>> {
        self.encoder.get(|| VaeEncoder::load(&self.files, "vae", &self.device))
    }

    pub(super) fn wide_decoder(&self) -> Result<Arc<VaeDecoder>> {
        self.wide_decoder.get(|| VaeDecoder::load(&self.wide_files(), "vae", &self.device))
    }

    pub(super) fn wide_encoder(&self) -> Result<Arc<VaeEncoder>> {
        self.wide_encoder.get(|| VaeEncoder::load(&self.wide_files(), "vae", &self.device))
    }

    fn wide_files(&self) -> ModelFiles {
        self.files.with_precision(Precision::F32)
    }
}

/// One network, which is loaded when it is asked for and not there.
#[derive(Debug)]
struct Part<T> {
    residence: Residence,
    held: Mutex<Held<T>>,
}

#[derive(Debug)]
struct Held<T> {
    /// The network, if it stays.
    kept: Option<Arc<T>>,
    /// The network as long as anybody computes with it.
    lent: Weak<T>,
}

impl<T> Part<T> {
    fn new(residence: Residence) -> Self {
        Self { residence, held: Mutex::new(Held { kept: None, lent: Weak::new() }) }
    }

    fn get(&self, load: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
        // A panic while it was loaded left nothing behind.
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = held.lent.upgrade() {
            return Ok(loaded);
        }
        let loaded = Arc::new(load()?);
        held.lent = Arc::downgrade(&loaded);
        held.kept = (self.residence == Residence::Whole).then(|| Arc::clone(&loaded));
        Ok(loaded)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// How often a part is loaded that is used twice at once, and then once more.
    fn n_loads(residence: Residence) -> usize {
        let part = Part::new(residence);
        let n_loads = Cell::new(0);
        let get = || {
            part.get(|| {
                n_loads.set(n_loads.get() + 1);
                Ok(())
            })
        };
        let (first, second) = (get().unwrap(), get().unwrap());
        drop((first, second));
        get().unwrap();
        n_loads.get()
    }

    #[test]
    fn a_part_stays_or_is_loaded_anew_when_nobody_computes_with_it() {
        assert_eq!(n_loads(Residence::Whole), 1);
        assert_eq!(n_loads(Residence::PartByPart), 2);
    }

    #[test]
    fn a_part_that_could_not_be_loaded_is_tried_again() {
        let part = Part::new(Residence::Whole);
        assert!(part.get(|| Err(crate::Error::Cancelled)).is_err());
        assert_eq!(*part.get(|| Ok(3)).unwrap(), 3);
    }
}
