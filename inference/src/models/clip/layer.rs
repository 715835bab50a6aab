//! A block of CLIP's transformers.

use candle_core::Tensor;

use crate::error::Result;
use crate::nn::activation::Activation;
use crate::nn::attention::{Sight, attention};
use crate::nn::linear::Linear;
use crate::nn::norm::LayerNorm;
use crate::weights::Scope;

/// The sizes of a block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LayerSizes {
    /// Channels of a token.
    pub(super) width: usize,
    /// Channels between the two layers after the attention.
    pub(super) hidden: usize,
    /// Heads of the attention.
    pub(super) n_heads: usize,
    /// The curve between the two layers.
    pub(super) activation: Activation,
    /// Added to the variances.
    pub(super) epsilon: f64,
}

/// Attention and two linear layers, each with a norm before and a way round.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    sight: Sight,
    n_heads: usize,
    activation: Activation,
    norm1: LayerNorm,
    query: Linear,
    key: Linear,
    value: Linear,
    out: Linear,
    norm2: LayerNorm,
    widen: Linear,
    narrow: Linear,
}

impl Layer {
    /// Reads `self_attn`, `mlp` and the two norms. A text's tokens look backwards, the parts of a picture everywhere.
    ///
    /// # Errors
    /// [`crate::Error::MissingTensor`], [`crate::Error::TensorShape`].
    pub(super) fn load(scope: &Scope<'_>, sizes: LayerSizes, sight: Sight) -> Result<Self> {
        let width = sizes.width;
        let projection = |name: &str| Linear::load(&scope.at("self_attn").at(name), width, width);
        let norm = |name: &str| LayerNorm::load(&scope.at(name), width, sizes.epsilon);
        Ok(Self {
            sight,
            n_heads: sizes.n_heads,
            activation: sizes.activation,
            norm1: norm("layer_norm1")?,
            query: projection("q_proj")?,
            key: projection("k_proj")?,
            value: projection("v_proj")?,
            out: projection("out_proj")?,
            norm2: norm("layer_norm2")?,
            widen: Linear::load(&scope.at("mlp.fc1"), width, sizes.hidden)?,
            narrow: Linear::load(&scope.at("mlp.fc2"), sizes.hidden, width)?,
        })
    }

    /// `(batch, tokens, width)`; the shape stays.
    ///
    /// # Errors
    /// Whatever candle says.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let normal = self.norm1.forward(x)?;
        let q = self.query.forward(&normal)?;
        let k = self.key.forward(&normal)?;
        let v = self.value.forward(&normal)?;
        let found = attention(&q, &k, &v, self.n_heads, self.sight)?;
        let x = self.out.forward_onto(&found, x)?;
        let hidden = self.activation.forward(&self.widen.forward(&self.norm2.forward(&x)?)?)?;
        self.narrow.forward_onto(&hidden, &x)
    }
}
