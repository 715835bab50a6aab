//! The way down, the turn, and the way up.

use candle_core::Tensor;

use super::config::{UnetConfig, UnetLevel};
use crate::error::Result;
use crate::nn::conv::{Besides, Conv2d, ConvSizes};
use crate::nn::resnet::{ResnetBlock, ResnetSizes};
use crate::nn::transformer::{SpatialTransformer, TransformerSizes};
use crate::weights::Scope;

fn resnet(scope: &Scope<'_>, config: &UnetConfig, inputs: usize, outputs: usize) -> Result<ResnetBlock> {
    let UnetConfig { time, n_groups, epsilon, .. } = *config;
    ResnetBlock::load(scope, ResnetSizes { inputs, outputs, time: Some(time), n_groups, epsilon })
}

fn transformer(scope: &Scope<'_>, config: &UnetConfig, level: &UnetLevel) -> Result<SpatialTransformer> {
    let sizes = TransformerSizes {
        channels: level.channels,
        text: level.text,
        n_heads: level.n_heads,
        n_layers: level.n_transformer_layers,
        n_groups: config.n_groups,
    };
    SpatialTransformer::load(scope, sizes)
}

/// A residual block, and the transformer after it where the level has one.
#[derive(Debug, Clone)]
struct Layer {
    resnet: ResnetBlock,
    transformer: Option<SpatialTransformer>,
}

impl Layer {
    fn forward(&self, x: &Tensor, time: &Tensor, text: &Tensor) -> Result<Tensor> {
        let x = self.resnet.forward(x, Some(time))?;
        match &self.transformer {
            Some(transformer) => transformer.forward(&x, text),
            None => Ok(x),
        }
    }
}

/// One level on the way down.
#[derive(Debug, Clone)]
pub(super) struct DownBlock {
    layers: Vec<Layer>,
    shrink: Option<Conv2d>,
}

impl DownBlock {
    pub(super) fn load(
        scope: &Scope<'_>,
        config: &UnetConfig,
        level: &UnetLevel,
        mut inputs: usize,
        shrinks: bool,
    ) -> Result<Self> {
        let mut layers = Vec::new();
        for i in 0..level.n_layers {
            let transformer = level
                .attends_down
                .then(|| transformer(&scope.at("attentions").at(i), config, level))
                .transpose()?;
            let resnet = resnet(&scope.at("resnets").at(i), config, inputs, level.channels)?;
            layers.push(Layer { resnet, transformer });
            inputs = level.channels;
        }
        let halving = ConvSizes { stride: 2, ..ConvSizes::same(level.channels, level.channels, 3) };
        let shrink = shrinks.then(|| Conv2d::load(&scope.at("downsamplers.0.conv"), halving)).transpose()?;
        Ok(Self { layers, shrink })
    }

    /// Every map that comes out of a layer is also laid on `skips`, for the way up.
    pub(super) fn forward(
        &self,
        mut x: Tensor,
        time: &Tensor,
        text: &Tensor,
        skips: &mut Vec<Tensor>,
    ) -> Result<Tensor> {
        for layer in &self.layers {
            x = layer.forward(&x, time, text)?;
            skips.push(x.clone());
        }
        if let Some(shrink) = &self.shrink {
            x = shrink.forward(&x)?;
            skips.push(x.clone());
        }
        Ok(x)
    }
}

/// The turn at the smallest maps.
#[derive(Debug, Clone)]
pub(super) struct MidBlock {
    first: Layer,
    second: ResnetBlock,
}

impl MidBlock {
    pub(super) fn load(scope: &Scope<'_>, config: &UnetConfig) -> Result<Self> {
        let level = &config.levels[config.levels.len() - 1];
        let resnet = |i: usize| resnet(&scope.at("resnets").at(i), config, level.channels, level.channels);
        let transformer = Some(transformer(&scope.at("attentions.0"), config, level)?);
        Ok(Self { first: Layer { resnet: resnet(0)?, transformer }, second: resnet(1)? })
    }

    pub(super) fn forward(&self, x: &Tensor, time: &Tensor, text: &Tensor) -> Result<Tensor> {
        self.second.forward(&self.first.forward(x, time, text)?, Some(time))
    }
}

/// One level on the way up.
#[derive(Debug, Clone)]
pub(super) struct UpBlock {
    layers: Vec<Layer>,
    grow: Option<Conv2d>,
}

impl UpBlock {
    /// `skips`: channels of the maps from the way down, in the order they were made; the last one is
    /// taken first.
    pub(super) fn load(
        scope: &Scope<'_>,
        config: &UnetConfig,
        level: &UnetLevel,
        mut inputs: usize,
        skips: &[usize],
        grows: bool,
    ) -> Result<Self> {
        let mut layers = Vec::new();
        for (i, skip) in skips.iter().rev().enumerate() {
            let transformer = level
                .attends_up
                .then(|| transformer(&scope.at("attentions").at(i), config, level))
                .transpose()?;
            let resnet = resnet(&scope.at("resnets").at(i), config, inputs + skip, level.channels)?;
            layers.push(Layer { resnet, transformer });
            inputs = level.channels;
        }
        let same = ConvSizes::same(level.channels, level.channels, 3);
        let grow = grows.then(|| Conv2d::load(&scope.at("upsamplers.0.conv"), same)).transpose()?;
        Ok(Self { layers, grow })
    }

    /// Takes from `skips` what it needs. Where it grows, it grows to the size of the next map there: twice
    /// its own, or one less where that size was odd on the way down.
    pub(super) fn forward(
        &self,
        mut x: Tensor,
        time: &Tensor,
        text: &Tensor,
        skips: &mut Vec<Tensor>,
    ) -> Result<Tensor> {
        for layer in &self.layers {
            if let Some(skip) = skips.pop() {
                x = Tensor::cat(&[&x, &skip], 3)?;
            }
            x = layer.forward(&x, time, text)?;
        }
        if let (Some(grow), Some(next)) = (&self.grow, skips.last()) {
            let stretch = Some((next.dim(1)?, next.dim(2)?));
            x = grow.forward_with(&x, Besides { stretch, ..Besides::default() })?;
        }
        Ok(x)
    }
}
