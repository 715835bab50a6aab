//! CLIP's text encoder: a transformer whose tokens look only backwards.
//!
//! # Source
//! Radford et al. 2021, arXiv:2103.00020; sizes and names as in transformers' `CLIPTextModel`.

use candle_core::{Device, Tensor};

use crate::error::Result;
use crate::model_files::ModelFiles;
use crate::models::config::Config;
use crate::nn::activation::Activation;
use crate::nn::attention::{Sight, attention};
use crate::nn::linear::Linear;
use crate::nn::norm::LayerNorm;
use crate::weights::{Scope, Weights};

/// The sizes of a text encoder, from its `config.json`.
#[derive(Debug, Clone, PartialEq)]
pub struct ClipConfig {
    /// Number of tokens in the vocabulary.
    pub vocabulary: usize,
    /// Channels of a token.
    pub width: usize,
    /// Channels between the two layers after each attention.
    pub hidden: usize,
    /// Blocks.
    pub n_layers: usize,
    /// Heads of each attention.
    pub n_heads: usize,
    /// Tokens in a text at most.
    pub max_tokens: usize,
    /// The curve between the two layers.
    pub activation: Activation,
    /// Added to the variances.
    pub epsilon: f64,
}

impl ClipConfig {
    /// Reads `config.json` in the part's folder.
    ///
    /// # Errors
    /// [`crate::Error::MissingFile`], [`crate::Error::BrokenFile`], [`crate::Error::Unsupported`].
    pub fn read(files: &ModelFiles, folder: &str) -> Result<Self> {
        let config = &Config::read(files, &format!("{folder}/config.json"))?;
        let width = config.count("hidden_size", Some(512))?;
        let n_heads = config.count("num_attention_heads", Some(8))?;
        if !width.is_multiple_of(n_heads) {
            return Err(config.unsupported("num_attention_heads", format!("a number that divides {width}")));
        }
        let activations = [Activation::QuickGelu, Activation::Gelu];
        Ok(Self {
            vocabulary: config.count("vocab_size", Some(49_408))?,
            width,
            hidden: config.count("intermediate_size", Some(2048))?,
            n_layers: config.count("num_hidden_layers", Some(12))?,
            n_heads,
            max_tokens: config.count("max_position_embeddings", Some(77))?,
            activation: activations[config.choice("hidden_act", &["quick_gelu", "gelu"])?],
            epsilon: config.number("layer_norm_eps", 1e-5)?,
        })
    }
}

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
        let root = weights.root();
        let root = if root.has("text_model") { root.at("text_model") } else { root };
        let embeddings = root.at("embeddings");
        let layers = root.at("encoder.layers");
        Ok(Self {
            tokens: embeddings.tensor("token_embedding.weight", &[config.vocabulary, config.width])?,
            positions: embeddings.tensor("position_embedding.weight", &[config.max_tokens, config.width])?,
            layers: (0..config.n_layers)
                .map(|i| Layer::load(&layers.at(i), &config))
                .collect::<Result<_>>()?,
            final_norm: LayerNorm::load(&root.at("final_layer_norm"), config.width, config.epsilon)?,
            config,
        })
    }

    /// Its sizes.
    pub fn config(&self) -> &ClipConfig {
        &self.config
    }

    /// Token ids of texts of equal length, at most [`ClipConfig::max_tokens`], to `(texts, tokens, width)`.
    ///
    /// # Errors
    /// A candle error if an id is outside the vocabulary or a text too long.
    pub fn forward(&self, texts: &[Vec<u32>]) -> Result<Tensor> {
        let n_tokens = texts.first().map_or(0, Vec::len);
        let ids = Tensor::from_vec(texts.concat(), texts.len() * n_tokens, self.tokens.device())?;
        let embedded = self.tokens.index_select(&ids, 0)?;
        let embedded = embedded.reshape((texts.len(), n_tokens, self.config.width))?;
        let mut x = embedded.broadcast_add(&self.positions.narrow(0, 0, n_tokens)?)?;
        for layer in &self.layers {
            x = layer.forward(&x)?;
        }
        self.final_norm.forward(&x)
    }
}

/// Attention and two linear layers, each with a norm before and a way round.
#[derive(Debug, Clone)]
struct Layer {
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
    fn load(scope: &Scope<'_>, config: &ClipConfig) -> Result<Self> {
        let width = config.width;
        let projection = |name: &str| Linear::load(&scope.at("self_attn").at(name), width, width);
        let norm = |name: &str| LayerNorm::load(&scope.at(name), width, config.epsilon);
        Ok(Self {
            n_heads: config.n_heads,
            activation: config.activation,
            norm1: norm("layer_norm1")?,
            query: projection("q_proj")?,
            key: projection("k_proj")?,
            value: projection("v_proj")?,
            out: projection("out_proj")?,
            norm2: norm("layer_norm2")?,
            widen: Linear::load(&scope.at("mlp.fc1"), width, config.hidden)?,
            narrow: Linear::load(&scope.at("mlp.fc2"), config.hidden, width)?,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let normal = self.norm1.forward(x)?;
        let q = self.query.forward(&normal)?;
        let k = self.key.forward(&normal)?;
        let v = self.value.forward(&normal)?;
        let found = attention(&q, &k, &v, self.n_heads, Sight::Past)?;
        let x = self.out.forward_onto(&found, x)?;
        let hidden = self.activation.forward(&self.widen.forward(&self.norm2.forward(&x)?)?)?;
        self.narrow.forward_onto(&hidden, &x)
    }
}
