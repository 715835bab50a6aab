//! What encoder and decoder share: the blocks at the smallest maps.

use candle_core::Tensor;

use super::EPSILON;
use super::config::VaeConfig;
use crate::error::Result;
use crate::nn::attention::{Sight, attention};
use crate::nn::linear::Linear;
use crate::nn::norm::GroupNorm;
use crate::nn::resnet::{ResnetBlock, ResnetSizes};
use crate::weights::Scope;

/// A residual block without time.
pub(super) fn resnet(
    config: &VaeConfig,
    scope: &Scope<'_>,
    inputs: usize,
    outputs: usize,
) -> Result<ResnetBlock> {
    let n_groups = config.n_groups;
    ResnetBlock::load(scope, ResnetSizes { inputs, outputs, time: None, n_groups, epsilon: EPSILON })
}

/// Two residual blocks, with an attention between them where the config says so.
#[derive(Debug, Clone)]
pub(super) struct MidBlock {
    first: ResnetBlock,
    attention: Option<MapAttention>,
    second: ResnetBlock,
}

impl MidBlock {
    pub(super) fn load(scope: &Scope<'_>, config: &VaeConfig, channels: usize) -> Result<Self> {
        let attention = || MapAttention::load(&scope.at("attentions.0"), channels, config.n_groups);
        Ok(Self {
            first: resnet(config, &scope.at("resnets.0"), channels, channels)?,
            attention: config.attends.then(attention).transpose()?,
            second: resnet(config, &scope.at("resnets.1"), channels, channels)?,
        })
    }

    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut x = self.first.forward(x, None)?;
        if let Some(attention) = &self.attention {
            x = attention.forward(&x)?;
        }
        self.second.forward(&x, None)
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
