//! The conditional U-Net: from a noisy latent, a timestep and a text to the noise (or velocity) in it.
//!
//! # Source
//! Rombach et al. 2022, arXiv:2112.10752; sizes and names as in diffusers' `UNet2DConditionModel`.

mod blocks;
mod condition;
mod config;

use candle_core::{DType, Device, Tensor};

use self::blocks::{DownBlock, MidBlock, UpBlock};
pub use self::condition::{Added, Condition};
pub use self::config::{AddedConfig, UnetConfig, UnetLevel};
use crate::error::Result;
use crate::model_files::ModelFiles;
use crate::nn::activation::Activation;
use crate::nn::conv::{Besides, Conv2d, ConvSizes};
use crate::nn::embedding::{TimeEmbedding, Waves};
use crate::nn::norm::GroupNorm;
use crate::weights::Weights;

/// The U-Net.
#[derive(Debug, Clone)]
pub struct Unet {
    config: UnetConfig,
    dtype: DType,
    time: TimeEmbedding,
    added: Option<TimeEmbedding>,
    conv_in: Conv2d,
    down: Vec<DownBlock>,
    mid: MidBlock,
    up: Vec<UpBlock>,
    norm_out: GroupNorm,
    conv_out: Conv2d,
}

impl Unet {
    /// Reads `config.json` and the weights from the part's folder.
    ///
    /// # Errors
    /// [`crate::Error::MissingFile`], [`crate::Error::BrokenFile`], [`crate::Error::MissingTensor`],
    /// [`crate::Error::TensorShape`], [`crate::Error::Unsupported`].
    pub fn load(files: &ModelFiles, folder: &str, device: &Device) -> Result<Self> {
        let config = UnetConfig::read(files, folder)?;
        let weights = Weights::open(files, folder, "diffusion_pytorch_model", device)?;
        let root = weights.root();
        let first = config.levels[0].channels;

        let time =
            TimeEmbedding::load(&root.at("time_embedding"), first, config.time, config.guidance_channels)?;
        let added = config
            .added
            .map(|added| TimeEmbedding::load(&root.at("add_embedding"), added.inputs, config.time, None))
            .transpose()?;
        let conv_in = ConvSizes::same(config.inputs, first, config.window_in);
        let conv_in = Conv2d::load(&root.at("conv_in"), conv_in)?;

        // Channels of every map that goes over to the other side, in the order they are made.
        let mut skips = vec![first];
        let mut channels = first;
        let mut down = Vec::new();
        for (i, level) in config.levels.iter().enumerate() {
            let shrinks = i + 1 < config.levels.len();
            let scope = root.at("down_blocks").at(i);
            down.push(DownBlock::load(&scope, &config, level, channels, shrinks)?);
            channels = level.channels;
            skips.extend(std::iter::repeat_n(channels, level.n_layers + usize::from(shrinks)));
        }
        let mid = MidBlock::load(&root.at("mid_block"), &config)?;
        let mut up = Vec::new();
        for (i, level) in config.levels.iter().rev().enumerate() {
            let grows = i + 1 < config.levels.len();
            let from_skips = skips.split_off(skips.len() - (level.n_layers + 1));
            let scope = root.at("up_blocks").at(i);
            up.push(UpBlock::load(&scope, &config, level, channels, &from_skips, grows)?);
            channels = level.channels;
        }
        let norm_out = GroupNorm::load(&root.at("conv_norm_out"), first, config.n_groups, config.epsilon)?;
        let conv_out = ConvSizes::same(first, config.outputs, config.window_out);
        let conv_out = Conv2d::load(&root.at("conv_out"), conv_out)?;
        let dtype = root.precision().dtype();
        Ok(Self { config, dtype, time, added, conv_in, down, mid, up, norm_out, conv_out })
    }

    /// Its sizes.
    pub fn config(&self) -> &UnetConfig {
        &self.config
    }

    /// * `x`: `(batch, inputs, height, width)`, scaled as the scheduler wants it
    /// * `timestep`: of training, 0 to 999 as a rule; fractions are allowed
    /// * `condition`: for the same batch; it needs the parts that the config asks for
    ///
    /// Returns `(batch, outputs, height, width)` in the dtype of `x`: noise or velocity, as the model was trained.
    ///
    /// # Errors
    /// A candle error if shapes do not fit or a part of the condition is missing.
    pub fn forward(&self, x: &Tensor, timestep: f64, condition: &Condition) -> Result<Tensor> {
        let config = &self.config;
        let time = self.embed(x, timestep, condition)?;
        let text = &condition.text.to_dtype(self.dtype)?;

        let given = x.dtype();
        let x = x.to_dtype(self.dtype)?;
        let x = if config.center_input { ((x * 2.0)? - 1.0)? } else { x };
        let mut x = self.conv_in.forward(&x.permute((0, 2, 3, 1))?.contiguous()?)?;
        let mut skips = vec![x.clone()];
        for block in &self.down {
            x = block.forward(x, &time, text, &mut skips)?;
        }
        x = self.mid.forward(&x, &time, text)?;
        for block in &self.up {
            x = block.forward(x, &time, text, &mut skips)?;
        }
        let y =
            self.conv_out.forward_with(&x, Besides { norm: Some(&self.norm_out), ..Besides::default() })?;
        Ok(y.permute((0, 3, 1, 2))?.contiguous()?.to_dtype(given)?)
    }

    /// Everything but latent and text as one vector for each picture, through the curve that every block would
    /// begin with.
    fn embed(&self, x: &Tensor, timestep: f64, condition: &Condition) -> Result<Tensor> {
        let (config, device) = (&self.config, x.device());
        let waves = |channels: usize| Waves {
            channels,
            flip_sin_to_cos: config.flip_sin_to_cos,
            freq_shift: config.freq_shift,
        };
        let missing = |part: &str| candle_core::Error::Msg(format!("this U-Net has to be told {part}"));
        let timesteps = waves(config.levels[0].channels).at(&vec![timestep; x.dim(0)?], device)?;
        let timesteps = timesteps.to_dtype(self.dtype)?;
        let guidance = condition.guidance.as_ref().map(|waves| waves.to_dtype(self.dtype)).transpose()?;
        if config.guidance_channels.is_some() && condition.guidance.is_none() {
            return Err(missing("the guidance scale").into());
        }
        let mut time = self.time.forward(&timesteps, guidance.as_ref())?;
        if let (Some(embedding), Some(sizes)) = (&self.added, config.added) {
            let added = condition.added.as_ref().ok_or_else(|| missing("pooled text and picture sizes"))?;
            let numbers = waves(sizes.channels_per_number).at(&added.numbers.concat(), device)?;
            let numbers = numbers.reshape((added.numbers.len(), ()))?;
            let all = Tensor::cat(&[&added.pooled, &numbers], 1)?.to_dtype(self.dtype)?;
            time = (time + embedding.forward(&all, None)?)?;
        }
        Activation::Silu.forward(&time)
    }
}
