//! CLIP: its text encoder, a transformer whose tokens look only backwards, and its vision tower.
//!
//! # Layout
//! * this file: the text encoder; `projection.rs`: its pooled output
//! * `vision.rs`: the vision tower
//! * `layer.rs`: a block of either; `config.rs`: their sizes
//!
//! # Source
//! Radford et al. 2021, arXiv:2103.00020; sizes and names as in transformers' `CLIPTextModel`,
//! `CLIPTextModelWithProjection` and `CLIPVisionModel`.

mod config;
mod layer;
mod projection;
mod vision;

use candle_core::{DType, Device, Tensor};

pub use self::config::{ClipConfig, ProjectionConfig, VisionConfig};
use self::layer::Layer;
use self::projection::Projection;
pub use self::vision::ClipVisionTower;
use crate::error::{Error, Result};
use crate::model_files::ModelFiles;
use crate::nn::attention::Sight;
use crate::nn::norm::LayerNorm;
use crate::weights::Weights;

/// The text encoder.
#[derive(Debug, Clone)]
pub struct ClipTextEncoder {
    config: ClipConfig,
    /// `(vocabulary, width)`
    tokens: Tensor,
    /// `(max_tokens, width)`
    positions: Tensor,
    layers: Vec<Layer>,
    final_norm: LayerNorm,
    dtype: DType,
    projection: Option<Projection>,
}

/// Which hidden states are asked for, and what stands where no token of the vocabulary does.
#[derive(Debug, Clone, Copy)]
pub struct Encoding<'a> {
    /// How many of the last blocks are left out, 0 to one less than [`ClipConfig::n_layers`].
    ///
    /// `skip` 0 is the last hidden state. It is one less than the AUTOMATIC1111 web UI's clip skip, and the same as
    /// `clip_skip` in diffusers' Stable Diffusion pipelines. The pooled output is always the last block's.
    pub skip: usize,
    /// Whether the hidden states go through the final norm: yes in SD 1.x and 2.x, no in SDXL.
    pub final_norm: bool,
    /// Vectors that stand in the place of tokens.
    pub vectors: &'a [Vectors],
}

impl Default for Encoding<'_> {
    fn default() -> Self {
        Self { skip: 0, final_norm: true, vectors: &[] }
    }
}

/// Vectors that take the places of some of a text's tokens, as a textual inversion brings them.
#[derive(Debug, Clone)]
pub struct Vectors {
    /// Which text.
    pub text: usize,
    /// The first token that is replaced, counted with the start token.
    pub position: usize,
    /// `(tokens, width)`
    pub values: Tensor,
}

/// What the text encoder says of some texts.
#[derive(Debug, Clone)]
pub struct Encoded {
    /// The hidden states that were asked for, `(texts, tokens, width)`.
    pub hidden: Tensor,
    /// The last block's state at the end of each text, normalised and projected: `(texts, projected width)`.
    /// `None` if the model has no projection.
    pub pooled: Option<Tensor>,
}

impl ClipTextEncoder {
    /// Reads `config.json` and the weights from the part's folder.
    ///
    /// # Errors
    /// [`crate::Error::MissingFile`], [`crate::Error::BrokenFile`], [`crate::Error::MissingTensor`],
    /// [`crate::Error::TensorShape`], [`crate::Error::Unsupported`].
    pub fn load(files: &ModelFiles, folder: &str, device: &Device) -> Result<Self> {
        let config = ClipConfig::read(files, folder)?;
        let weights = Weights::open(files, folder, "model", device)?;
        // Newer exporters leave the first step of every name out.
        let top = weights.root();
        let root = if top.has("text_model") { top.at("text_model") } else { top.clone() };
        let embeddings = root.at("embeddings");
        let layers = root.at("encoder.layers");
        Ok(Self {
            tokens: embeddings.tensor("token_embedding.weight", &[config.vocabulary, config.width])?,
            positions: embeddings.tensor("position_embedding.weight", &[config.max_tokens, config.width])?,
            layers: (0..config.n_layers)
                .map(|i| Layer::load(&layers.at(i), config.layer_sizes(), Sight::Past))
                .collect::<Result<_>>()?,
            final_norm: LayerNorm::load(&root.at("final_layer_norm"), config.width, config.epsilon)?,
            projection: config
                .projection
                .map(|projection| Projection::load(&top.at("text_projection"), config.width, projection))
                .transpose()?,
            dtype: top.precision().dtype(),
            config,
        })
    }

    /// Its sizes.
    pub fn config(&self) -> &ClipConfig {
        &self.config
    }

    /// Token ids of texts of equal length, at most [`ClipConfig::max_tokens`], to the last hidden states
    /// `(texts, tokens, width)`.
    ///
    /// # Errors
    /// A candle error if an id is outside the vocabulary or a text too long.
    pub fn forward(&self, texts: &[Vec<u32>]) -> Result<Tensor> {
        let (shown, _) = self.through_layers(texts, Encoding::default())?;
        Ok(self.final_norm.forward(&shown)?.to_dtype(DType::F32)?)
    }

    /// Token ids of texts of equal length, at most [`ClipConfig::max_tokens`], to the hidden states that
    /// `encoding` asks for, and the pooled output.
    ///
    /// # Errors
    /// [`Error::ClipSkip`] if no block is left; a candle error if an id is outside the vocabulary, a text too
    /// long, or vectors reach beyond a text or have another width.
    pub fn encode(&self, texts: &[Vec<u32>], encoding: Encoding<'_>) -> Result<Encoded> {
        let (shown, skipped) = self.through_layers(texts, encoding)?;
        let hidden = if encoding.final_norm { self.final_norm.forward(&shown)? } else { shown.clone() };
        let hidden = hidden.to_dtype(DType::F32)?;
        let pooled = match &self.projection {
            None => None,
            Some(projection) => {
                let mut last = shown;
                for layer in skipped {
                    last = layer.forward(&last)?;
                }
                let pooled = projection.pool(&self.final_norm.forward(&last)?, texts)?;
                Some(pooled.to_dtype(DType::F32)?)
            }
        };
        Ok(Encoded { hidden, pooled })
    }

    /// The state before the blocks that are left out, and these.
    fn through_layers(&self, texts: &[Vec<u32>], encoding: Encoding<'_>) -> Result<(Tensor, &[Layer])> {
        let n_shown = self.layers.len().checked_sub(encoding.skip).filter(|&n| n > 0);
        let n_shown =
            n_shown.ok_or(Error::ClipSkip { clip_skip: encoding.skip + 1, most: self.layers.len() })?;
        let (shown, skipped) = self.layers.split_at(n_shown);
        let mut x = self.embed(texts, encoding.vectors)?;
        for layer in shown {
            x = layer.forward(&x)?;
        }
        Ok((x, skipped))
    }

    /// Tokens, or the vectors in their place, with their positions: `(texts, tokens, width)`.
    fn embed(&self, texts: &[Vec<u32>], vectors: &[Vectors]) -> Result<Tensor> {
        let n_tokens = texts.first().map_or(0, Vec::len);
        let ids = Tensor::from_vec(texts.concat(), texts.len() * n_tokens, self.tokens.device())?;
        let embedded = self.tokens.index_select(&ids, 0)?;
        let mut embedded = embedded.reshape((texts.len(), n_tokens, self.config.width))?;
        for Vectors { text, position, values } in vectors {
            let values = values.to_device(embedded.device())?.to_dtype(embedded.dtype())?;
            let (n_vectors, width) = values.dims2()?;
            let place = [*text..text + 1, *position..position + n_vectors, 0..width];
            embedded = embedded.slice_assign(&place, &values.unsqueeze(0)?)?;
        }
        let placed = embedded.broadcast_add(&self.positions.narrow(0, 0, n_tokens)?)?;
        Ok(placed.to_dtype(self.dtype)?)
    }
}
