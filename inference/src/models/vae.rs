//! The decoder of the variational autoencoder: from a latent to a picture.
//!
//! # Source
//! Rombach et al. 2022, arXiv:2112.10752; sizes and names as in diffusers' `AutoencoderKL`.

use candle_core::{Device, Tensor};
use serde_json::{Value, json};

use crate::error::Result;
use crate::model_files::ModelFiles;
use crate::models::config::Config;
use crate::nn::attention::{Sight, attention};
use crate::nn::conv::{Besides, Conv2d, ConvSizes};
use crate::nn::linear::Linear;
use crate::nn::norm::GroupNorm;
use crate::nn::resnet::{ResnetBlock, ResnetSizes};
use crate::weights::{Scope, Weights};

/// Added to the variances; not a setting.
const EPSILON: f64 = 1e-6;

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
    /// Whether a convolution of one pixel comes first.
    pub converts: bool,
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
        config.only("act_fn", &[json!("silu"), json!("swish")])?;
        config.only("latents_mean", &[Value::Null])?;
        config.only("latents_std", &[Value::Null])?;
        config.only("shift_factor", &[json!(0)])?;
        config.only("out_channels", &[json!(3)])?;
        let n_groups = config.count("norm_num_groups", Some(32))?;
        config.groups_divide("norm_num_groups", n_groups, &channels)?;
        let scaling_factor = config.number("scaling_factor", 0.18215)?;
        if scaling_factor == 0.0 {
            return Err(config.unsupported("scaling_factor", "a number other than 0"));
        }
        Ok(Self {
            latent_channels: config.count("latent_channels", Some(4))?,
            picture_channels: config.count("out_channels", Some(3))?,
            n_layers: config.count("layers_per_block", Some(1))?,
            n_groups,
            scaling_factor,
            attends: config.flag("mid_block_add_attention", true)?,
            converts: config.flag("use_post_quant_conv", true)?,
            channels,
        })
    }

    /// Pixels of a picture for one of a latent, along one side.
    pub fn shrink(&self) -> usize {
        1 << (self.channels.len() - 1)
    }
}

/// The decoder.
#[derive(Debug, Clone)]
pub struct VaeDecoder {
    config: VaeConfig,
    convert: Option<Linear>,
    conv_in: Conv2d,
    mid_first: ResnetBlock,
    mid_attention: Option<MapAttention>,
    mid_second: ResnetBlock,
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
        let mid = decoder.at("mid_block");
        let deepest = config.channels[config.channels.len() - 1];
        let latent = config.latent_channels;
        let resnet = |scope: &Scope<'_>, inputs: usize, outputs: usize| {
            let n_groups = config.n_groups;
            ResnetBlock::load(scope, ResnetSizes { inputs, outputs, time: None, n_groups, epsilon: EPSILON })
        };

        let mut levels = Vec::new();
        let mut inputs = deepest;
        for (i, &channels) in config.channels.iter().rev().enumerate() {
            let scope = decoder.at("up_blocks").at(i);
            let mut resnets = Vec::new();
            for layer in 0..=config.n_layers {
                resnets.push(resnet(&scope.at("resnets").at(layer), inputs, channels)?);
                inputs = channels;
            }
            let same = ConvSizes::same(channels, channels, 3);
            let grows = i + 1 < config.channels.len();
            let grow = grows.then(|| Conv2d::load(&scope.at("upsamplers.0.conv"), same)).transpose()?;
            levels.push(Level { resnets, grow });
        }
        let attention = || MapAttention::load(&mid.at("attentions.0"), deepest, config.n_groups);
        let norm_out = GroupNorm::load(&decoder.at("conv_norm_out"), inputs, config.n_groups, EPSILON)?;
        let conv_out = ConvSizes::same(inputs, config.picture_channels, 3);
        Ok(Self {
            convert: config
                .converts
                .then(|| Linear::load(&root.at("post_quant_conv"), latent, latent))
                .transpose()?,
            conv_in: Conv2d::load(&decoder.at("conv_in"), ConvSizes::same(latent, deepest, 3))?,
            mid_first: resnet(&mid.at("resnets.0"), deepest, deepest)?,
            mid_attention: config.attends.then(attention).transpose()?,
            mid_second: resnet(&mid.at("resnets.1"), deepest, deepest)?,
            levels,
            norm_out,
            conv_out: Conv2d::load(&decoder.at("conv_out"), conv_out)?,
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
        let latent = (latent / self.config.scaling_factor)?;
        let x = latent.permute((0, 2, 3, 1))?.contiguous()?;
        let x = self.convert.as_ref().map(|convert| convert.forward(&x)).transpose()?.unwrap_or(x);
        let mut x = self.mid_first.forward(&self.conv_in.forward(&x)?, None)?;
        if let Some(attention) = &self.mid_attention {
            x = attention.forward(&x)?;
        }
        x = self.mid_second.forward(&x, None)?;
        for level in &self.levels {
            x = level.forward(x)?;
        }
        let y =
            self.conv_out.forward_with(&x, Besides { norm: Some(&self.norm_out), ..Besides::default() })?;
        Ok(y.permute((0, 3, 1, 2))?.contiguous()?)
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

/// Pixels look at each other, with one head.
#[derive(Debug, Clone)]
struct MapAttention {
    norm: GroupNorm,
    query: Linear,
    key: Linear,
    value: Linear,
    out: Linear,
}

impl MapAttention {
    fn load(scope: &Scope<'_>, channels: usize, n_groups: usize) -> Result<Self> {
        // Files from before diffusers 0.18 have the older names.
        let old = scope.has("proj_attn");
        let linear = |name: &str, old_name: &str| {
            Linear::load(&scope.at(if old { old_name } else { name }), channels, channels)
        };
        Ok(Self {
            norm: GroupNorm::load(&scope.at("group_norm"), channels, n_groups, EPSILON)?,
            query: linear("to_q", "query")?,
            key: linear("to_k", "key")?,
            value: linear("to_v", "value")?,
            out: linear("to_out.0", "proj_attn")?,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (batch, height, width, channels) = x.dims4()?;
        let normal = self.norm.forward(x)?.reshape((batch, height * width, channels))?;
        let (q, k, v) =
            (self.query.forward(&normal)?, self.key.forward(&normal)?, self.value.forward(&normal)?);
        let found = attention(&q, &k, &v, 1, Sight::Everything)?;
        self.out.forward_onto(&found.reshape(x.shape())?, x)
    }
}
