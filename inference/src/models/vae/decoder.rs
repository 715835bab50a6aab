//! From a latent to a picture.

use candle_core::{DType, Device, Tensor};

use super::config::VaeConfig;
use super::mid::{MidBlock, resnet};
use super::tiles::{Tiles, Way};
use super::{EPSILON, Portion};
use crate::error::Result;
use crate::model_files::ModelFiles;
use crate::nn::conv::{Besides, Conv2d, ConvSizes};
use crate::nn::linear::Linear;
use crate::nn::norm::GroupNorm;
use crate::nn::resnet::ResnetBlock;
use crate::weights::Weights;

/// The decoder.
#[derive(Debug, Clone)]
pub struct VaeDecoder {
    config: VaeConfig,
    dtype: DType,
    convert: Option<Linear>,
    conv_in: Conv2d,
    mid: MidBlock,
    levels: Vec<Level>,
    norm_out: GroupNorm,
    conv_out: Conv2d,
}

impl VaeDecoder {
    /// Reads `config.json` and the decoder's weights from the part's folder.
    ///
    /// # Errors
    /// [`crate::Error::MissingFile`], [`crate::Error::BrokenFile`], [`crate::Error::MissingTensor`],
    /// [`crate::Error::TensorShape`], [`crate::Error::Unsupported`].
    pub fn load(files: &ModelFiles, folder: &str, device: &Device) -> Result<Self> {
        let config = VaeConfig::read(files, folder)?;
        let weights = Weights::open(files, folder, "diffusion_pytorch_model", device)?;
        let root = weights.root();
        let decoder = root.at("decoder");
        let deepest = config.channels[config.channels.len() - 1];
        let latent = config.latent_channels;

        let mut levels = Vec::new();
        let mut inputs = deepest;
        for (i, &channels) in config.channels.iter().rev().enumerate() {
            let scope = decoder.at("up_blocks").at(i);
            let mut resnets = Vec::new();
            for layer in 0..=config.n_layers {
                resnets.push(resnet(&config, &scope.at("resnets").at(layer), inputs, channels)?);
                inputs = channels;
            }
            let same = ConvSizes::same(channels, channels, 3);
            let grows = i + 1 < config.channels.len();
            let grow = grows.then(|| Conv2d::load(&scope.at("upsamplers.0.conv"), same)).transpose()?;
            levels.push(Level { resnets, grow });
        }
        let norm_out = GroupNorm::load(&decoder.at("conv_norm_out"), inputs, config.n_groups, EPSILON)?;
        let conv_out = ConvSizes::same(inputs, config.picture_channels, 3);
        Ok(Self {
            convert: config
                .converts
                .then(|| Linear::load(&root.at("post_quant_conv"), latent, latent))
                .transpose()?,
            conv_in: Conv2d::load(&decoder.at("conv_in"), ConvSizes::same(latent, deepest, 3))?,
            mid: MidBlock::load(&decoder.at("mid_block"), &config, deepest)?,
            levels,
            norm_out,
            conv_out: Conv2d::load(&decoder.at("conv_out"), conv_out)?,
            dtype: root.precision().dtype(),
            config,
        })
    }

    /// Its sizes.
    pub fn config(&self) -> &VaeConfig {
        &self.config
    }

    /// `(batch, latent_channels, height, width)` as the U-Net knows it to
    /// `(batch, 3, height * shrink, width * shrink)`, where black is −1 and white 1, not yet clamped.
    ///
    /// # Errors
    /// A candle error if the channels are others.
    pub fn decode(&self, latent: &Tensor) -> Result<Tensor> {
        self.decode_in(latent, Portion::Whole)
    }

    /// [`VaeDecoder::decode`], whole or in tiles.
    ///
    /// # Errors
    /// As [`VaeDecoder::decode`].
    pub fn decode_in(&self, latent: &Tensor, portion: Portion) -> Result<Tensor> {
        let latent = self.config.unscale(latent)?;
        let (_, _, height, width) = latent.dims4()?;
        match portion {
            Portion::Tiles(side) if height.max(width) > side => {
                let tiles = Tiles { side, shrink: self.config.shrink() };
                tiles.compute(Way::Decode, &latent, |part| self.decode_part(part))
            }
            _ => self.decode_part(&latent),
        }
    }

    fn decode_part(&self, latent: &Tensor) -> Result<Tensor> {
        let x = latent.to_dtype(self.dtype)?.permute((0, 2, 3, 1))?.contiguous()?;
        let x = self.convert.as_ref().map(|convert| convert.forward(&x)).transpose()?.unwrap_or(x);
        let mut x = self.mid.forward(&self.conv_in.forward(&x)?)?;
        for level in &self.levels {
            x = level.forward(x)?;
        }
        let y =
            self.conv_out.forward_with(&x, Besides { norm: Some(&self.norm_out), ..Besides::default() })?;
        Ok(y.permute((0, 3, 1, 2))?.contiguous()?.to_dtype(DType::F32)?)
    }
}

/// Residual blocks at one size, then twice that size.
#[derive(Debug, Clone)]
struct Level {
    resnets: Vec<ResnetBlock>,
    grow: Option<Conv2d>,
}

impl Level {
    fn forward(&self, mut x: Tensor) -> Result<Tensor> {
        for resnet in &self.resnets {
            x = resnet.forward(&x, None)?;
        }
        let Some(grow) = &self.grow else { return Ok(x) };
        let stretch = Some((2 * x.dim(1)?, 2 * x.dim(2)?));
        grow.forward_with(&x, Besides { stretch, ..Besides::default() })
    }
}
