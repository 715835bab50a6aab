//! The sizes of a text encoder and of a vision tower, from their `config.json`.

use serde_json::Value;

use super::layer::LayerSizes;
use crate::error::Result;
use crate::model_files::ModelFiles;
use crate::models::config::Config;
use crate::nn::activation::Activation;

/// The sizes of a text encoder.
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
    /// The pooled output, if the model has one.
    pub projection: Option<ProjectionConfig>,
}

/// How a text's last state becomes its pooled output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProjectionConfig {
    /// Channels of the pooled output.
    pub width: usize,
    /// The token that ends a text. Configs from before it was written rightly say 2, and then the end is the
    /// token with the largest id.
    pub end: usize,
}

impl ClipConfig {
    /// Reads `config.json` in the part's folder.
    ///
    /// # Errors
    /// [`crate::Error::MissingFile`], [`crate::Error::BrokenFile`], [`crate::Error::Unsupported`].
    pub fn read(files: &ModelFiles, folder: &str) -> Result<Self> {
        let file = format!("{folder}/config.json");
        let config = &Config::read(files, &file)?;
        let width = config.count("hidden_size", Some(512))?;
        let n_heads = heads(config, width, 8)?;
        let projection = if has_projection(&files.json(&file)?) {
            Some(ProjectionConfig {
                width: config.count("projection_dim", Some(512))?,
                end: config.count("eos_token_id", Some(49_407))?,
            })
        } else {
            None
        };
        Ok(Self {
            vocabulary: config.count("vocab_size", Some(49_408))?,
            width,
            hidden: config.count("intermediate_size", Some(2048))?,
            n_layers: config.count("num_hidden_layers", Some(12))?,
            n_heads,
            max_tokens: config.count("max_position_embeddings", Some(77))?,
            activation: activation(config)?,
            epsilon: config.number("layer_norm_eps", 1e-5)?,
            projection,
        })
    }

    pub(super) fn layer_sizes(&self) -> LayerSizes {
        let Self { width, hidden, n_heads, activation, epsilon, .. } = *self;
        LayerSizes { width, hidden, n_heads, activation, epsilon }
    }
}

/// The sizes of a vision tower.
#[derive(Debug, Clone, PartialEq)]
pub struct VisionConfig {
    /// Channels of a part of the picture.
    pub width: usize,
    /// Channels between the two layers after each attention.
    pub hidden: usize,
    /// Blocks.
    pub n_layers: usize,
    /// Heads of each attention.
    pub n_heads: usize,
    /// Pixels of a side of the square picture.
    pub side: usize,
    /// Pixels of a side of its square parts.
    pub patch: usize,
    /// The curve between the two layers.
    pub activation: Activation,
    /// Added to the variances.
    pub epsilon: f64,
}

impl VisionConfig {
    /// Reads the table `vision_config` of a model that has one. What is left out is that of `CLIPVisionConfig`.
    ///
    /// # Errors
    /// [`crate::Error::Unsupported`].
    pub fn read(config: &Config) -> Result<Self> {
        let width = config.count("hidden_size", Some(768))?;
        let side = config.count("image_size", Some(224))?;
        let patch = config.count("patch_size", Some(32))?;
        if patch > side {
            return Err(config.unsupported("patch_size", format!("a number up to {side}")));
        }
        config.only("num_channels", &[3.into()])?;
        Ok(Self {
            width,
            hidden: config.count("intermediate_size", Some(3072))?,
            n_layers: config.count("num_hidden_layers", Some(12))?,
            n_heads: heads(config, width, 12)?,
            side,
            patch,
            activation: activation(config)?,
            epsilon: config.number("layer_norm_eps", 1e-5)?,
        })
    }

    /// Parts of a picture along one side; what is left over at its end is not looked at.
    pub fn patches_per_side(&self) -> usize {
        self.side / self.patch
    }

    pub(super) fn layer_sizes(&self) -> LayerSizes {
        let Self { width, hidden, n_heads, activation, epsilon, .. } = *self;
        LayerSizes { width, hidden, n_heads, activation, epsilon }
    }
}

fn heads(config: &Config, width: usize, usual: usize) -> Result<usize> {
    let n_heads = config.count("num_attention_heads", Some(usual))?;
    if width.is_multiple_of(n_heads) {
        return Ok(n_heads);
    }
    Err(config.unsupported("num_attention_heads", format!("a number that divides {width}")))
}

fn activation(config: &Config) -> Result<Activation> {
    let activations = [Activation::QuickGelu, Activation::Gelu];
    Ok(activations[config.choice("hidden_act", &["quick_gelu", "gelu"])?])
}

/// `projection_dim` is in every config; whether the layer is there, the class alone says.
fn has_projection(config: &Value) -> bool {
    config["architectures"]
        .as_array()
        .is_some_and(|classes| classes.iter().any(|class| class == "CLIPTextModelWithProjection"))
}
