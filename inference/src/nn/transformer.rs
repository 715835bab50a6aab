//! The transformer inside a U-Net: pixels look at each other and at the text.

use candle_core::Tensor;

use crate::error::Result;
use crate::nn::attention::{Sight, attention};
use crate::nn::feed_forward::FeedForward;
use crate::nn::linear::Linear;
use crate::nn::norm::{GroupNorm, LayerNorm};
use crate::weights::Scope;

/// The sizes of a transformer over a map.
#[derive(Debug, Clone, Copy)]
pub struct TransformerSizes {
    /// Channels of the map.
    pub channels: usize,
    /// Channels of the text embedding.
    pub text: usize,
    /// Heads of each attention.
    pub n_heads: usize,
    /// Blocks, one after the other.
    pub n_layers: usize,
    /// Groups of the first normalisation.
    pub n_groups: usize,
}

/// Norm, projection, blocks, projection, and a way round.
#[derive(Debug, Clone)]
pub struct SpatialTransformer {
    norm: GroupNorm,
    project_in: Linear,
    blocks: Vec<Block>,
    project_out: Linear,
}

impl SpatialTransformer {
    /// Reads `norm`, `proj_in`, `transformer_blocks.*` and `proj_out`. The projections may be stored as
    /// convolutions of one pixel (SD 1.x) or as linear layers (SD 2.x): they compute the same.
    ///
    /// # Errors
    /// [`crate::Error::MissingTensor`], [`crate::Error::TensorShape`].
    pub fn load(scope: &Scope<'_>, sizes: TransformerSizes) -> Result<Self> {
        let TransformerSizes { channels, n_groups, n_layers, .. } = sizes;
        let blocks = scope.at("transformer_blocks");
        Ok(Self {
            // This epsilon is fixed, whatever the config says of the residual blocks' one.
            norm: GroupNorm::load(&scope.at("norm"), channels, n_groups, 1e-6)?,
            project_in: Linear::load(&scope.at("proj_in"), channels, channels)?,
            blocks: (0..n_layers).map(|i| Block::load(&blocks.at(i), sizes)).collect::<Result<_>>()?,
            project_out: Linear::load(&scope.at("proj_out"), channels, channels)?,
        })
    }

    /// * `x`: `(batch, height, width, channels)`
    /// * `text`: `(batch, tokens, text)`
    ///
    /// Returns a map shaped like `x`.
    ///
    /// # Errors
    /// Whatever candle says.
    pub fn forward(&self, x: &Tensor, text: &Tensor) -> Result<Tensor> {
        let (batch, height, width, channels) = x.dims4()?;
        let hidden = self.project_in.forward(&self.norm.forward(x)?)?;
        let mut hidden = hidden.reshape((batch, height * width, channels))?;
        for block in &self.blocks {
            hidden = block.forward(&hidden, text)?;
        }
        self.project_out.forward_onto(&hidden.reshape(x.shape())?, x)
    }
}

/// Self-attention, cross-attention and feed-forward, each with a norm before and a way round.
#[derive(Debug, Clone)]
struct Block {
    norm1: LayerNorm,
    among_pixels: Attention,
    norm2: LayerNorm,
    to_text: Attention,
    norm3: LayerNorm,
    feed_forward: FeedForward,
}

impl Block {
    fn load(scope: &Scope<'_>, sizes: TransformerSizes) -> Result<Self> {
        let TransformerSizes { channels, text, n_heads, .. } = sizes;
        let norm = |name: &str| LayerNorm::load(&scope.at(name), channels, 1e-5);
        Ok(Self {
            norm1: norm("norm1")?,
            among_pixels: Attention::load(&scope.at("attn1"), channels, channels, n_heads)?,
            norm2: norm("norm2")?,
            to_text: Attention::load(&scope.at("attn2"), channels, text, n_heads)?,
            norm3: norm("norm3")?,
            feed_forward: FeedForward::load(&scope.at("ff"), channels)?,
        })
    }

    fn forward(&self, x: &Tensor, text: &Tensor) -> Result<Tensor> {
        let normal = self.norm1.forward(x)?;
        let x = self.among_pixels.forward_onto(&normal, &normal, x)?;
        let x = self.to_text.forward_onto(&self.norm2.forward(&x)?, text, &x)?;
        self.feed_forward.forward_onto(&self.norm3.forward(&x)?, &x)
    }
}

/// Projections round an [`attention`].
#[derive(Debug, Clone)]
struct Attention {
    n_heads: usize,
    query: Linear,
    key: Linear,
    value: Linear,
    out: Linear,
}

impl Attention {
    fn load(scope: &Scope<'_>, channels: usize, source: usize, n_heads: usize) -> Result<Self> {
        Ok(Self {
            n_heads,
            query: Linear::load(&scope.at("to_q"), channels, channels)?,
            key: Linear::load(&scope.at("to_k"), source, channels)?,
            value: Linear::load(&scope.at("to_v"), source, channels)?,
            out: Linear::load(&scope.at("to_out.0"), channels, channels)?,
        })
    }

    /// What `x` finds in `source`, added to `residual`.
    fn forward_onto(&self, x: &Tensor, source: &Tensor, residual: &Tensor) -> Result<Tensor> {
        let (q, k, v) = (self.query.forward(x)?, self.key.forward(source)?, self.value.forward(source)?);
        let found = attention(&q, &k, &v, self.n_heads, Sight::Everything)?;
        self.out.forward_onto(&found, residual)
    }
}
