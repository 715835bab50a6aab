//! Previews without the VAE: a linear map from latent to colour.

use candle_core::{Device, Tensor};
use serde::Deserialize;

use super::rgb::Rgb;
use crate::error::{Error, Result};
use crate::model_files::ModelFiles;
use crate::models::vae::VaeConfig;

/// Where the map is written.
const FILE: &str = "darkroom.json";

/// A linear map, fitted when the model was trained: colour = latent · matrix + bias, black −1, white 1.
#[derive(Debug, Clone)]
pub(super) struct LatentToRgb {
    /// `(channels, 3)`
    matrix: Tensor,
    /// `(3)`
    bias: Tensor,
}

#[derive(Deserialize)]
struct Card {
    latent_rgb: Option<Map>,
}

#[derive(Deserialize)]
struct Map {
    matrix: Vec<[f32; 3]>,
    bias: [f32; 3],
}

impl Map {
    /// The map of a VAE that many models share, told by its scale.
    ///
    /// # Source
    /// SD 1.x and 2.x: "Decoding latents to RGB without upscaling", a fit that keturn published in Hugging Face's forum
    /// in 2022. SDXL: "Explaining the SDXL latent space", T. A. Vass 2024, whose colours run from 0 to 255.
    fn known(vae: &VaeConfig) -> Option<Self> {
        let is = |scale: f64| vae.latent_channels == 4 && (vae.scaling_factor - scale).abs() < 1e-6;
        if is(0.18215) {
            let matrix = [
                [0.298, 0.207, 0.208],
                [0.187, 0.286, 0.173],
                [-0.158, 0.189, 0.264],
                [-0.184, -0.271, -0.473],
            ];
            return Some(Self { matrix: matrix.to_vec(), bias: [0.0; 3] });
        }
        if is(0.13025) {
            let rows = [[60.0, 60.0, 60.0], [-60.0, -5.0, 10.0], [25.0, 15.0, -5.0], [-70.0, -50.0, -35.0]];
            let matrix = rows.iter().map(|row: &[f32; 3]| row.map(|value| value / 127.5)).collect();
            return Some(Self { matrix, bias: [150.0, 140.0, 130.0].map(|value: f32| value / 127.5 - 1.0) });
        }
        None
    }
}

impl LatentToRgb {
    /// The model's map, if it brings one; else the one that is known for its VAE, if one is.
    pub(super) fn read(files: &ModelFiles, vae: &VaeConfig, device: &Device) -> Result<Option<Self>> {
        let own = if files.exists(FILE) { files.json::<Card>(FILE)?.latent_rgb } else { None };
        let Some(map) = own.or_else(|| Map::known(vae)) else { return Ok(None) };
        let channels = vae.latent_channels;
        if map.matrix.len() != channels {
            return Err(Error::Unsupported {
                file: FILE.to_owned(),
                setting: "latent_rgb.matrix".to_owned(),
                value: format!("{} rows", map.matrix.len()),
                allowed: format!("one row for each of {channels} latent channels"),
            });
        }
        let matrix = Tensor::from_vec(map.matrix.concat(), (channels, 3), device)?;
        let bias = Tensor::new(&map.bias, device)?;
        Ok(Some(Self { matrix, bias }))
    }

    /// A picture of one pixel for one of `latent` `(1, channels, height, width)`.
    pub(super) fn paint(&self, latent: &Tensor) -> Result<Rgb> {
        let (_, channels, height, width) = latent.dims4()?;
        let rows = latent.permute((0, 2, 3, 1))?.reshape((height * width, channels))?;
        let colours = rows.matmul(&self.matrix)?.broadcast_add(&self.bias)?;
        Rgb::from_decoded(&colours.reshape((1, height, width, 3))?.permute((0, 3, 1, 2))?)
    }
}
