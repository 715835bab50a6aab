//! Previews without the VAE: a linear map from latent to colour.

use candle_core::{Device, Tensor};
use serde::Deserialize;

use super::rgb::Rgb;
use crate::error::{Error, Result};
use crate::model_files::ModelFiles;

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

impl LatentToRgb {
    /// The model's map, if it brings one.
    pub(super) fn read(files: &ModelFiles, channels: usize, device: &Device) -> Result<Option<Self>> {
        if !files.exists(FILE) {
            return Ok(None);
        }
        let Some(map) = files.json::<Card>(FILE)?.latent_rgb else { return Ok(None) };
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
