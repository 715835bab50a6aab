//! The sizes of a U-Net, from its `config.json`.

use serde_json::{Value, json};

use crate::error::Result;
use crate::model_files::ModelFiles;
use crate::models::config::Config;

/// One level of the U-Net: a way down and a way up at the same height and width.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnetLevel {
    /// Channels of its maps.
    pub channels: usize,
    /// Residual blocks on the way down; there is one more on the way up.
    pub n_layers: usize,
    /// Heads of its attentions.
    pub n_heads: usize,
    /// Channels of the text embedding.
    pub text: usize,
    /// Transformer blocks after each residual block.
    pub n_transformer_layers: usize,
    /// Whether pixels look at each other and at the text on the way down.
    pub attends_down: bool,
    /// Whether they do on the way up.
    pub attends_up: bool,
}

/// The sizes of a U-Net.
#[derive(Debug, Clone, PartialEq)]
pub struct UnetConfig {
    /// Channels of the latent that comes in.
    pub inputs: usize,
    /// Channels of the prediction.
    pub outputs: usize,
    /// Levels, largest maps first.
    pub levels: Vec<UnetLevel>,
    /// Length of the time embedding.
    pub time: usize,
    /// Groups of the normalisations.
    pub n_groups: usize,
    /// Added to the variances in residual blocks.
    pub epsilon: f64,
    /// Side of the first convolution's window.
    pub window_in: usize,
    /// Side of the last convolution's window.
    pub window_out: usize,
    /// Cosines before sines in the waves of the timestep.
    pub flip_sin_to_cos: bool,
    /// Taken off the number of frequencies.
    pub freq_shift: f64,
    /// Whether 0..1 becomes −1..1 first.
    pub center_input: bool,
    /// Channels of the guidance scale's vector, in networks that were distilled to follow it (LCM).
    pub guidance_channels: Option<usize>,
    /// What it is told of the picture as a whole (SDXL).
    pub added: Option<AddedConfig>,
    /// Height and width of the latents it was trained with, if the config says so.
    pub sample_size: Option<(usize, usize)>,
}

/// The sizes of the embedding of pooled text and picture sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddedConfig {
    /// Channels of pooled text and all numbers together.
    pub inputs: usize,
    /// Channels of the waves that stand for one number.
    pub channels_per_number: usize,
}

impl AddedConfig {
    /// How many numbers there are beside a pooled text of `pooled` channels: 6 for SDXL, 5 for its refiner.
    pub fn n_numbers(self, pooled: usize) -> usize {
        self.inputs.saturating_sub(pooled) / self.channels_per_number
    }
}

impl UnetConfig {
    /// Reads `config.json` in the part's folder.
    ///
    /// # Errors
    /// [`crate::Error::MissingFile`], [`crate::Error::BrokenFile`], [`crate::Error::Unsupported`].
    pub fn read(files: &ModelFiles, folder: &str) -> Result<Self> {
        let config = &Config::read(files, &format!("{folder}/config.json"))?;
        refuse_other_forms(config)?;
        let channels = config.counts("block_out_channels")?;
        let n = channels.len();
        let attends_down = config.choices("down_block_types", n, &["DownBlock2D", "CrossAttnDownBlock2D"])?;
        let attends_up = config.choices("up_block_types", n, &["UpBlock2D", "CrossAttnUpBlock2D"])?;
        let n_layers = config.count_per_level("layers_per_block", n, Some(2))?;
        // diffusers misnamed the number of heads and kept the name: see its issue 2011.
        let n_heads = config.count_per_level("attention_head_dim", n, Some(8))?;
        let text = config.count_per_level("cross_attention_dim", n, Some(1280))?;
        let n_transformer_layers = config.count_per_level("transformer_layers_per_block", n, Some(1))?;
        let n_groups = config.count("norm_num_groups", Some(32))?;
        config.groups_divide("norm_num_groups", n_groups, &channels)?;
        let first = channels[0];
        if !first.is_multiple_of(2) {
            return Err(config.unsupported("block_out_channels", "an even number at the first place"));
        }
        let levels: Vec<UnetLevel> = (0..n)
            .map(|i| UnetLevel {
                channels: channels[i],
                n_layers: n_layers[i],
                n_heads: n_heads[i],
                text: text[i],
                n_transformer_layers: n_transformer_layers[i],
                attends_down: attends_down[i] == 1,
                attends_up: attends_up[n - 1 - i] == 1,
            })
            .collect();
        for (i, level) in levels.iter().enumerate() {
            let attends = level.attends_down || level.attends_up || i + 1 == n;
            if attends && !level.channels.is_multiple_of(level.n_heads) {
                let allowed = format!("a number that divides {} channels", level.channels);
                return Err(config.unsupported("attention_head_dim", allowed));
            }
        }
        let window = |key: &str| {
            config.count(key, Some(3)).and_then(|n| {
                if n.is_multiple_of(2) { Err(config.unsupported(key, "an odd number")) } else { Ok(n) }
            })
        };
        let sample_size = config.count_per_level("sample_size", 2, None).ok().map(|size| (size[0], size[1]));
        Ok(Self {
            inputs: config.count("in_channels", Some(4))?,
            outputs: config.count("out_channels", Some(4))?,
            levels,
            time: config.count("time_embedding_dim", Some(first * 4))?,
            n_groups,
            epsilon: config.number("norm_eps", 1e-5)?,
            window_in: window("conv_in_kernel")?,
            window_out: window("conv_out_kernel")?,
            flip_sin_to_cos: config.flag("flip_sin_to_cos", true)?,
            freq_shift: config.number("freq_shift", 0.0)?,
            center_input: config.flag("center_input_sample", false)?,
            guidance_channels: config.optional_count("time_cond_proj_dim")?,
            added: read_added(config)?,
            sample_size,
        })
    }
}

fn read_added(config: &Config) -> Result<Option<AddedConfig>> {
    config.only("addition_embed_type", &[Value::Null, json!("text_time")])?;
    if !config.is_set("addition_embed_type") {
        return Ok(None);
    }
    let inputs = config.count("projection_class_embeddings_input_dim", None)?;
    let channels_per_number = config.count("addition_time_embed_dim", None)?;
    if !channels_per_number.is_multiple_of(2) {
        return Err(config.unsupported("addition_time_embed_dim", "an even number"));
    }
    Ok(Some(AddedConfig { inputs, channels_per_number }))
}

/// Refuses what members of the family have that no Stable Diffusion has.
fn refuse_other_forms(config: &Config) -> Result<()> {
    let none = &[Value::Null];
    let no = &[json!(false)];
    for key in [
        "class_embed_type",
        "encoder_hid_dim",
        "encoder_hid_dim_type",
        "num_class_embeds",
        "time_embedding_act_fn",
        "timestep_post_act",
        "cross_attention_norm",
        "num_attention_heads",
        "reverse_transformer_layers_per_block",
    ] {
        config.only(key, none)?;
    }
    for key in
        ["dual_cross_attention", "only_cross_attention", "class_embeddings_concat", "resnet_skip_time_act"]
    {
        config.only(key, no)?;
    }
    config.only("mid_block_only_cross_attention", no)?;
    config.only("act_fn", &[json!("silu"), json!("swish")])?;
    config.only("mid_block_type", &[json!("UNetMidBlock2DCrossAttn")])?;
    config.only("time_embedding_type", &[json!("positional")])?;
    config.only("resnet_time_scale_shift", &[json!("default")])?;
    config.only("attention_type", &[json!("default")])?;
    config.only("downsample_padding", &[json!(1)])?;
    config.only("mid_block_scale_factor", &[json!(1)])?;
    config.only("resnet_out_scale_factor", &[json!(1)])
}
