//! CLIP's vision tower: a transformer over the square parts of a picture.

use candle_core::{DType, Tensor};

use super::config::VisionConfig;
use super::layer::Layer;
use crate::error::Result;
use crate::nn::attention::Sight;
use crate::nn::norm::LayerNorm;
use crate::weights::Scope;

/// Red, green and blue.
const COLOURS: usize = 3;

/// The vision tower, up to the state that stands for the whole picture.
#[derive(Debug, Clone)]
pub struct ClipVisionTower {
    config: VisionConfig,
    /// `(3 * patch * patch, width)`
    patches: Tensor,
    /// `(1, 1, width)`: stands in front of the parts, and gathers what they say.
    class: Tensor,
    /// `(1 + parts, width)`
    positions: Tensor,
    first_norm: LayerNorm,
    layers: Vec<Layer>,
    final_norm: LayerNorm,
    dtype: DType,
}

impl ClipVisionTower {
    /// Reads `embeddings`, `pre_layrnorm` (so it is spelled), `encoder` and `post_layernorm`.
    ///
    /// # Errors
    /// [`crate::Error::MissingTensor`], [`crate::Error::TensorShape`].
    pub fn load(scope: &Scope<'_>, config: VisionConfig) -> Result<Self> {
        let VisionConfig { width, patch, .. } = config;
        let embeddings = scope.at("embeddings");
        let dtype = scope.precision().dtype();
        let patches = embeddings.tensor("patch_embedding.weight", &[width, COLOURS, patch, patch])?;
        let class = embeddings.tensor("class_embedding", &[width])?;
        let n_positions = 1 + config.patches_per_side() * config.patches_per_side();
        let positions = embeddings.tensor("position_embedding.weight", &[n_positions, width])?;
        let layers = scope.at("encoder.layers");
        let norm = |name: &str| LayerNorm::load(&scope.at(name), width, config.epsilon);
        Ok(Self {
            patches: patches.reshape((width, COLOURS * patch * patch))?.t()?.contiguous()?,
            class: class.reshape((1, 1, width))?,
            positions,
            first_norm: norm("pre_layrnorm")?,
            layers: (0..config.n_layers)
                .map(|i| Layer::load(&layers.at(i), config.layer_sizes(), Sight::Everything))
                .collect::<Result<_>>()?,
            final_norm: norm("post_layernorm")?,
            dtype,
            config,
        })
    }

    /// Its sizes.
    pub fn config(&self) -> &VisionConfig {
        &self.config
    }

    /// Pictures `(batch, 3, side, side)`, normalised as the model was trained with, to the pooled output
    /// `(batch, width)`, in f32.
    ///
    /// # Errors
    /// A candle error if the pictures have another size.
    pub fn forward(&self, pictures: &Tensor) -> Result<Tensor> {
        let (batch, ..) = pictures.dims4()?;
        let parts = self.parts(pictures)?.broadcast_matmul(&self.patches)?;
        let class = self.class.broadcast_as((batch, 1, self.config.width))?;
        let embedded = Tensor::cat(&[&class, &parts], 1)?.broadcast_add(&self.positions)?;
        let mut x = self.first_norm.forward(&embedded.to_dtype(self.dtype)?)?;
        for layer in &self.layers {
            x = layer.forward(&x)?;
        }
        let pooled = self.final_norm.forward(&x.narrow(1, 0, 1)?.squeeze(1)?.contiguous()?)?;
        Ok(pooled.to_dtype(DType::F32)?)
    }

    /// The square parts, row by row, each with its colours one after the other: `(batch, parts, 3 * patch * patch)`. What
    /// a convolution does whose windows lie side by side.
    fn parts(&self, pictures: &Tensor) -> Result<Tensor> {
        let (batch, ..) = pictures.dims4()?;
        let VisionConfig { patch, .. } = self.config;
        let n = self.config.patches_per_side();
        let whole = pictures.narrow(2, 0, n * patch)?.narrow(3, 0, n * patch)?.contiguous()?;
        let split = whole.reshape(&[batch, COLOURS, n, patch, n, patch][..])?;
        let parts = split.permute([0, 2, 4, 1, 3, 5])?.contiguous()?;
        Ok(parts.reshape((batch, n * n, COLOURS * patch * patch))?)
    }
}
