//! From a picture to a latent.

use candle_core::{DType, Device, Tensor};

use super::config::VaeConfig;
use super::mid::{MidBlock, resnet};
use super::tiles::{Tiles, Way};
use super::{EPSILON, Portion};
use crate::error::Result;
use crate::model_files::ModelFiles;
use crate::nn::conv::{Besides, Conv2d, ConvSizes, Padding};
use crate::nn::linear::Linear;
use crate::nn::norm::GroupNorm;
use crate::nn::resnet::ResnetBlock;
use crate::weights::Weights;

/// The encoder.
#[derive(Debug, Clone)]
pub struct VaeEncoder {
    config: VaeConfig,
    dtype: DType,
    conv_in: Conv2d,
    levels: Vec<Level>,
    mid: MidBlock,
    norm_out: GroupNorm,
    conv_out: Conv2d,
    convert: Option<Linear>,
}

/// What the encoder knows of a latent: a normal distribution for each of its numbers.
#[derive(Debug, Clone)]
pub struct LatentDistribution {
    config: VaeConfig,
    /// `(batch, latent_channels, height, width)`
    mean: Tensor,
    /// Of the same shape.
    deviation: Tensor,
}

impl LatentDistribution {
    /// The likeliest latent, as the encoder gives it: not scaled for the U-Net.
    pub fn unscaled_mode(&self) -> &Tensor {
        &self.mean
    }

    /// A latent drawn with standard normal `noise` of the latent's shape, as the U-Net knows it; from noise for several,
    /// several latents of the one picture.
    ///
    /// # Errors
    /// A candle error if the noise has another shape.
    pub fn sample(&self, noise: &Tensor) -> Result<Tensor> {
        self.config.scale(&self.deviation.broadcast_mul(noise)?.broadcast_add(&self.mean)?)
    }

    /// Those of several pictures, one after the other.
    ///
    /// # Errors
    /// A candle error if there are none, or they differ in size.
    pub fn cat(all: &[Self]) -> Result<Self> {
        let config = all.first().map(|one| one.config.clone());
        let config = config.ok_or_else(|| candle_core::Error::Msg("there are no latents".into()))?;
        let side_by_side =
            |part: fn(&Self) -> &Tensor| Tensor::cat(&all.iter().map(part).collect::<Vec<_>>(), 0);
        Ok(Self {
            config,
            mean: side_by_side(|one| &one.mean)?,
            deviation: side_by_side(|one| &one.deviation)?,
        })
    }

    /// Standard deviations about [`LatentDistribution::unscaled_mode`], not scaled for the U-Net either.
    pub fn deviation(&self) -> &Tensor {
        &self.deviation
    }
}

impl VaeEncoder {
    /// Reads `config.json` and the encoder's weights from the part's folder.
    ///
    /// # Errors
    /// [`crate::Error::MissingFile`], [`crate::Error::BrokenFile`], [`crate::Error::MissingTensor`],
    /// [`crate::Error::TensorShape`], [`crate::Error::Unsupported`].
    pub fn load(files: &ModelFiles, folder: &str, device: &Device) -> Result<Self> {
        let config = VaeConfig::read(files, folder)?;
        let weights = Weights::open(files, folder, "diffusion_pytorch_model", device)?;
        let root = weights.root();
        let encoder = root.at("encoder");
        let first = config.channels[0];
        let deepest = config.channels[config.channels.len() - 1];
        // Mean and logarithm of the variance.
        let outputs = 2 * config.latent_channels;

        let mut levels = Vec::new();
        let mut inputs = first;
        for (i, &channels) in config.channels.iter().enumerate() {
            let scope = encoder.at("down_blocks").at(i);
            let mut resnets = Vec::new();
            for layer in 0..config.n_layers {
                resnets.push(resnet(&config, &scope.at("resnets").at(layer), inputs, channels)?);
                inputs = channels;
            }
            let halving =
                ConvSizes { stride: 2, padding: Padding::After, ..ConvSizes::same(channels, channels, 3) };
            let shrinks = i + 1 < config.channels.len();
            let shrink =
                shrinks.then(|| Conv2d::load(&scope.at("downsamplers.0.conv"), halving)).transpose()?;
            levels.push(Level { resnets, shrink });
        }
        Ok(Self {
            conv_in: Conv2d::load(
                &encoder.at("conv_in"),
                ConvSizes::same(config.picture_channels, first, 3),
            )?,
            levels,
            mid: MidBlock::load(&encoder.at("mid_block"), &config, deepest)?,
            norm_out: GroupNorm::load(&encoder.at("conv_norm_out"), deepest, config.n_groups, EPSILON)?,
            conv_out: Conv2d::load(&encoder.at("conv_out"), ConvSizes::same(deepest, outputs, 3))?,
            convert: config
                .converts_back
                .then(|| Linear::load(&root.at("quant_conv"), outputs, outputs))
                .transpose()?,
            dtype: root.precision().dtype(),
            config,
        })
    }

    /// `(batch, 3, height, width)`, black −1 and white 1, both sides multiples of [`VaeConfig::shrink`], to
    /// latents of `(batch, latent_channels, height / shrink, width / shrink)`.
    ///
    /// # Errors
    /// A candle error if the channels are others.
    pub fn encode(&self, picture: &Tensor) -> Result<LatentDistribution> {
        self.encode_in(picture, Portion::Whole)
    }

    /// [`VaeEncoder::encode`], whole or in tiles.
    ///
    /// # Errors
    /// As [`VaeEncoder::encode`].
    pub fn encode_in(&self, picture: &Tensor, portion: Portion) -> Result<LatentDistribution> {
        let (_, _, height, width) = picture.dims4()?;
        let shrink = self.config.shrink();
        let both = match portion {
            Portion::Tiles(side) if height.max(width) > side * shrink => {
                Tiles { side, shrink }.compute(Way::Encode, picture, |part| self.encode_part(part))?
            }
            _ => self.encode_part(picture)?,
        };
        let both = both.chunk(2, 1)?;
        let deviation = (both[1].clamp(-30.0, 20.0)? * 0.5)?.exp()?;
        Ok(LatentDistribution { config: self.config.clone(), mean: both[0].contiguous()?, deviation })
    }

    /// Means and logarithms of the variances, one behind the other.
    fn encode_part(&self, picture: &Tensor) -> Result<Tensor> {
        let x = picture.to_dtype(self.dtype)?.permute((0, 2, 3, 1))?.contiguous()?;
        let mut x = self.conv_in.forward(&x)?;
        for level in &self.levels {
            x = level.forward(x)?;
        }
        let x = self.mid.forward(&x)?;
        let y =
            self.conv_out.forward_with(&x, Besides { norm: Some(&self.norm_out), ..Besides::default() })?;
        let y = self.convert.as_ref().map(|convert| convert.forward(&y)).transpose()?.unwrap_or(y);
        Ok(y.permute((0, 3, 1, 2))?.contiguous()?.to_dtype(DType::F32)?)
    }
}

/// Residual blocks at one size, then half that size.
#[derive(Debug, Clone)]
struct Level {
    resnets: Vec<ResnetBlock>,
    shrink: Option<Conv2d>,
}

impl Level {
    fn forward(&self, mut x: Tensor) -> Result<Tensor> {
        for resnet in &self.resnets {
            x = resnet.forward(&x, None)?;
        }
        self.shrink.as_ref().map_or(Ok(x.clone()), |shrink| shrink.forward(&x))
    }
}
