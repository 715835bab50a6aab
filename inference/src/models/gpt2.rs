//! GPT-2: a transformer that tells how likely each token is to come next.
//!
//! # Source
//! Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", and its code,
//! <https://github.com/openai/gpt-2/blob/master/src/model.py>; sizes and names as in transformers'
//! `GPT2LMHeadModel`, against which it is checked (`tests/reference/gpt2-tiny.json` and `gpt2-demo.json`).

use candle_core::{D, Device, Tensor};
use candle_nn::kv_cache::KvCache;
use serde_json::{Value, json};

use crate::error::Result;
use crate::model_files::ModelFiles;
use crate::models::config::Config;
use crate::nn::norm::LayerNorm;
use crate::weights::{Scope, Weights};

/// The sizes of a GPT-2, from its `config.json`.
#[derive(Debug, Clone, PartialEq)]
pub struct Gpt2Config {
    /// Number of tokens in the vocabulary.
    pub vocabulary: usize,
    /// Channels of a token.
    pub width: usize,
    /// Channels between the two layers after each attention: four times the width if the file is silent.
    pub hidden: usize,
    /// Blocks.
    pub n_layers: usize,
    /// Heads of each attention.
    pub n_heads: usize,
    /// Tokens that it can look at, those it writes among them.
    pub max_tokens: usize,
    /// Added to the variances.
    pub epsilon: f64,
}

impl Gpt2Config {
    /// Reads `config.json`.
    ///
    /// # Errors
    /// [`crate::Error::MissingFile`], [`crate::Error::BrokenFile`], [`crate::Error::Unsupported`].
    pub fn read(files: &ModelFiles) -> Result<Self> {
        let config = Config::read(files, "config.json")?;
        // Two names for one curve: GELU by way of tanh.
        config.only("activation_function", &[json!("gelu_new"), json!("gelu_pytorch_tanh")])?;
        config.only("tie_word_embeddings", &[Value::Bool(true)])?;
        config.only("scale_attn_weights", &[Value::Bool(true)])?;
        config.only("scale_attn_by_inverse_layer_idx", &[Value::Bool(false)])?;
        config.only("add_cross_attention", &[Value::Bool(false)])?;
        let width = config.count("n_embd", Some(768))?;
        let n_heads = config.count("n_head", Some(12))?;
        if !width.is_multiple_of(n_heads) {
            return Err(config.unsupported("n_head", format!("a number that divides {width}")));
        }
        Ok(Self {
            vocabulary: config.count("vocab_size", Some(50_257))?,
            width,
            hidden: config.count("n_inner", Some(4 * width))?,
            n_layers: config.count("n_layer", Some(12))?,
            n_heads,
            max_tokens: config.count("n_positions", Some(1024))?,
            epsilon: config.number("layer_norm_epsilon", 1e-5)?,
        })
    }
}

/// What a model remembers of the tokens it has seen, so that none is computed twice.
#[derive(Debug, Clone)]
pub struct Memory {
    layers: Vec<KvCache>,
    n_tokens: usize,
}

impl Memory {
    /// How many tokens it holds.
    pub fn n_tokens(&self) -> usize {
        self.n_tokens
    }
}

/// The model.
#[derive(Debug, Clone)]
pub struct Gpt2 {
    config: Gpt2Config,
    /// `(vocabulary, width)`; its transpose is also the last layer.
    tokens: Tensor,
    /// `(max_tokens, width)`
    positions: Tensor,
    blocks: Vec<Block>,
    final_norm: LayerNorm,
}

impl Gpt2 {
    /// Reads `config.json` and `model.safetensors`.
    ///
    /// # Errors
    /// [`crate::Error::MissingFile`], [`crate::Error::BrokenFile`], [`crate::Error::MissingTensor`],
    /// [`crate::Error::TensorShape`], [`crate::Error::Unsupported`].
    pub fn load(files: &ModelFiles, device: &Device) -> Result<Self> {
        let config = Gpt2Config::read(files)?;
        let weights = Weights::open(files, "", "model", device)?;
        // The first published files leave the first step of every name out.
        let root = weights.root();
        let root = if root.has("transformer") { root.at("transformer") } else { root };
        Ok(Self {
            tokens: root.tensor("wte.weight", &[config.vocabulary, config.width])?,
            positions: root.tensor("wpe.weight", &[config.max_tokens, config.width])?,
            blocks: (0..config.n_layers)
                .map(|i| Block::load(&root.at("h").at(i), &config))
                .collect::<Result<_>>()?,
            final_norm: LayerNorm::load(&root.at("ln_f"), config.width, config.epsilon)?,
            config,
        })
    }

    /// Its sizes.
    pub fn config(&self) -> &Gpt2Config {
        &self.config
    }

    /// An empty memory for this model.
    pub fn memory(&self) -> Memory {
        let layers = vec![KvCache::new(2, self.config.max_tokens); self.config.n_layers];
        Memory { layers, n_tokens: 0 }
    }

    /// Scores of what may follow each of `tokens`, which go on where `memory` ends: `(tokens, vocabulary)`.
    /// Their softmax is the probability of the next token.
    ///
    /// # Errors
    /// A candle error if a token is outside the vocabulary, or memory and tokens together are more than
    /// [`Gpt2Config::max_tokens`].
    pub fn scores(&self, tokens: &[u32], memory: &mut Memory) -> Result<Tensor> {
        let x = self.hidden(tokens, memory)?;
        Ok(x.squeeze(0)?.matmul(&self.tokens.t()?)?)
    }

    /// The last row of [`Gpt2::scores`], `(vocabulary)`: what may follow all of `tokens`.
    ///
    /// # Errors
    /// As [`Gpt2::scores`]; also if there are no tokens.
    pub fn next_scores(&self, tokens: &[u32], memory: &mut Memory) -> Result<Tensor> {
        let x = self.hidden(tokens, memory)?;
        let last = x.narrow(1, x.dim(1)? - 1, 1)?.squeeze(0)?; // (1, width)
        Ok(last.matmul(&self.tokens.t()?)?.squeeze(0)?)
    }

    /// `(1, tokens, width)`
    fn hidden(&self, tokens: &[u32], memory: &mut Memory) -> Result<Tensor> {
        let ids = Tensor::new(tokens, self.tokens.device())?;
        let embedded = self.tokens.index_select(&ids, 0)?; // (tokens, width)
        let places = self.positions.narrow(0, memory.n_tokens, tokens.len())?;
        let mut x = (embedded + places)?.unsqueeze(0)?; // (1, tokens, width)
        for (block, cache) in self.blocks.iter().zip(&mut memory.layers) {
            x = block.forward(&x, cache)?;
        }
        memory.n_tokens += tokens.len();
        self.final_norm.forward(&x)
    }
}

/// Attention and two linear layers, each with a norm before and a way round.
#[derive(Debug, Clone)]
struct Block {
    norm1: LayerNorm,
    attention: Attention,
    norm2: LayerNorm,
    widen: Conv1d,
    narrow: Conv1d,
}

impl Block {
    fn load(scope: &Scope<'_>, config: &Gpt2Config) -> Result<Self> {
        let norm = |name: &str| LayerNorm::load(&scope.at(name), config.width, config.epsilon);
        Ok(Self {
            norm1: norm("ln_1")?,
            attention: Attention::load(&scope.at("attn"), config)?,
            norm2: norm("ln_2")?,
            widen: Conv1d::load(&scope.at("mlp.c_fc"), config.width, config.hidden)?,
            narrow: Conv1d::load(&scope.at("mlp.c_proj"), config.hidden, config.width)?,
        })
    }

    fn forward(&self, x: &Tensor, cache: &mut KvCache) -> Result<Tensor> {
        let x = (x + self.attention.forward(&self.norm1.forward(x)?, cache)?)?;
        let hidden = self.widen.forward(&self.norm2.forward(&x)?)?.gelu()?;
        Ok((x + self.narrow.forward(&hidden)?)?)
    }
}

/// Attention in which each token looks at itself and those before it.
#[derive(Debug, Clone)]
struct Attention {
    n_heads: usize,
    /// Queries, keys and values side by side.
    project_in: Conv1d,
    project_out: Conv1d,
}

impl Attention {
    fn load(scope: &Scope<'_>, config: &Gpt2Config) -> Result<Self> {
        Ok(Self {
            n_heads: config.n_heads,
            project_in: Conv1d::load(&scope.at("c_attn"), config.width, 3 * config.width)?,
            project_out: Conv1d::load(&scope.at("c_proj"), config.width, config.width)?,
        })
    }

    fn forward(&self, x: &Tensor, cache: &mut KvCache) -> Result<Tensor> {
        let (_, n_tokens, width) = x.dims3()?;
        let head = width / self.n_heads;
        let qkv = self.project_in.forward(x)?; // (1, tokens, 3 · width)
        let heads = |part: usize| -> Result<Tensor> {
            let part = qkv.narrow(2, part * width, width)?;
            let part = part.reshape((1, n_tokens, self.n_heads, head))?;
            Ok(part.transpose(1, 2)?.contiguous()?) // (1, heads, tokens, head)
        };
        let q = (heads(0)? / (head as f64).sqrt())?;
        let (k, v) = cache.append(&heads(1)?, &heads(2)?)?; // (1, heads, all tokens, head)
        let mut scores = q.matmul(&k.transpose(2, 3)?)?; // (1, heads, tokens, all tokens)
        if n_tokens > 1 {
            scores = scores.broadcast_add(&past_only(n_tokens, k.dim(2)?, x.device())?)?;
        }
        let shares = candle_nn::ops::softmax(&scores, D::Minus1)?;
        let found = shares.matmul(&v)?; // (1, heads, tokens, head)
        let found = found.transpose(1, 2)?.reshape((1, n_tokens, width))?;
        self.project_out.forward(&found)
    }
}

/// `(tokens, all tokens)`: 0 where a token may look, −∞ at those that come after it. The tokens are the last
/// of all.
fn past_only(n_tokens: usize, n_all: usize, device: &Device) -> Result<Tensor> {
    let n_before = n_all - n_tokens;
    let mask: Vec<f32> = (0..n_tokens)
        .flat_map(|row| (0..n_all).map(move |at| if at > n_before + row { f32::NEG_INFINITY } else { 0.0 }))
        .collect();
    Ok(Tensor::from_vec(mask, (n_tokens, n_all), device)?)
}

/// A linear layer whose weight is stored as `(inputs, outputs)`: OpenAI wrote it as a convolution, and all
/// files have kept that form.
#[derive(Debug, Clone)]
struct Conv1d {
    weight: Tensor,
    bias: Tensor,
}

impl Conv1d {
    fn load(scope: &Scope<'_>, inputs: usize, outputs: usize) -> Result<Self> {
        Ok(Self {
            weight: scope.tensor("weight", &[inputs, outputs])?,
            bias: scope.tensor("bias", &[outputs])?,
        })
    }

    /// `(1, tokens, inputs)` to `(1, tokens, outputs)`.
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.squeeze(0)?.matmul(&self.weight)?.broadcast_add(&self.bias)?.unsqueeze(0)?)
    }
}
