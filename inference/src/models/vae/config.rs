//! The sizes of a VAE, from its `config.json`.

use candle_core::{Device, Tensor};
use serde_json::json;

use crate::error::Result;
use crate::model_files::ModelFiles;
use crate::models::config::Config;

/// The sizes of a VAE, from its `config.json`.
#[derive(Debug, Clone, PartialEq)]
pub struct VaeConfig {
    /// Channels of a latent.
    pub latent_channels: usize,
    /// Channels of a picture: 3.
    pub picture_channels: usize,
    /// Channels of each level, largest maps first.
    pub channels: Vec<usize>,
    /// Residual blocks of a level in the encoder; the decoder has one more.
    pub n_layers: usize,
    /// Groups of the normalisations.
    pub n_groups: usize,
    /// What latents were multiplied with for the U-Net.
    pub scaling_factor: f64,
    /// Whether the smallest maps have an attention.
    pub attends: bool,
    /// Whether a convolution of one pixel comes first in the decoder.
    pub converts: bool,
    /// Whether a convolution of one pixel comes last in the encoder.
    pub converts_back: bool,
    /// Mean and standard deviation of each latent channel, where latents are brought to 0 and 1 by them.
    pub statistics: Option<LatentStatistics>,
}

/// What latents of a VAE are like, channel by channel.
#[derive(Debug, Clone, PartialEq)]
pub struct LatentStatistics {
    /// Means.
    pub mean: Vec<f64>,
    /// Standard deviations, above zero.
    pub deviation: Vec<f64>,
}

impl VaeConfig {
    /// Reads `config.json` in the part's folder.
    ///
    /// # Errors
    /// [`crate::Error::MissingFile`], [`crate::Error::BrokenFile`], [`crate::Error::Unsupported`].
    pub fn read(files: &ModelFiles, folder: &str) -> Result<Self> {
        let config = &Config::read(files, &format!("{folder}/config.json"))?;
        let channels = config.counts("block_out_channels")?;
        config.choices("up_block_types", channels.len(), &["UpDecoderBlock2D"])?;
        config.choices("down_block_types", channels.len(), &["DownEncoderBlock2D"])?;
        config.only("act_fn", &[json!("silu"), json!("swish")])?;
        config.only("shift_factor", &[json!(0)])?;
        config.only("in_channels", &[json!(3)])?;
        config.only("out_channels", &[json!(3)])?;
        let n_groups = config.count("norm_num_groups", Some(32))?;
        config.groups_divide("norm_num_groups", n_groups, &channels)?;
        let scaling_factor = config.number("scaling_factor", 0.18215)?;
        if scaling_factor == 0.0 {
            return Err(config.unsupported("scaling_factor", "a number other than 0"));
        }
        let latent_channels = config.count("latent_channels", Some(4))?;
        let mean = config.optional_numbers("latents_mean", latent_channels)?;
        let deviation = config.optional_numbers("latents_std", latent_channels)?;
        if deviation.iter().flatten().any(|&deviation| deviation <= 0.0) {
            return Err(config.unsupported("latents_std", "numbers above 0"));
        }
        Ok(Self {
            latent_channels,
            statistics: mean.zip(deviation).map(|(mean, deviation)| LatentStatistics { mean, deviation }),
            picture_channels: config.count("out_channels", Some(3))?,
            n_layers: config.count("layers_per_block", Some(1))?,
            n_groups,
            scaling_factor,
            attends: config.flag("mid_block_add_attention", true)?,
            converts: config.flag("use_post_quant_conv", true)?,
            converts_back: config.flag("use_quant_conv", true)?,
            channels,
        })
    }

    /// Pixels of a picture for one of a latent, along one side.
    pub fn shrink(&self) -> usize {
        1 << (self.channels.len() - 1)
    }

    /// A latent as the decoder knows it, from one as the U-Net knows it.
    ///
    /// # Errors
    /// A candle error if the channels are others.
    pub(super) fn unscale(&self, latent: &Tensor) -> Result<Tensor> {
        match self.statistics(latent.device())? {
            None => Ok((latent / self.scaling_factor)?),
            Some((mean, deviation)) => {
                Ok((latent.broadcast_mul(&deviation)? / self.scaling_factor)?.broadcast_add(&mean)?)
            }
        }
    }

    /// A latent as the U-Net knows it, from one as the encoder gives it.
    ///
    /// # Errors
    /// A candle error if the channels are others.
    pub(super) fn scale(&self, latent: &Tensor) -> Result<Tensor> {
        match self.statistics(latent.device())? {
            None => Ok((latent * self.scaling_factor)?),
            Some((mean, deviation)) => {
                Ok((latent.broadcast_sub(&mean)? * self.scaling_factor)?.broadcast_div(&deviation)?)
            }
        }
    }

    /// Mean and deviation, each `(1, latent_channels, 1, 1)`.
    fn statistics(&self, device: &Device) -> Result<Option<(Tensor, Tensor)>> {
        let Some(LatentStatistics { mean, deviation }) = &self.statistics else { return Ok(None) };
        let tensor = |values: &[f64]| {
            let values: Vec<f32> = values.iter().map(|&value| value as f32).collect();
            Tensor::from_vec(values, (1, mean.len(), 1, 1), device)
        };
        Ok(Some((tensor(mean)?, tensor(deviation)?)))
    }
}
