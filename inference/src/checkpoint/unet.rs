//! The U-Net's blocks: from numbers in one row to levels on the way down and up.
//!
//! # Source
//! The numbering of `CompVis`' and Stability's `UNetModel` (`openaimodel.py`) beside diffusers'
//! `UNet2DConditionModel`; checked against diffusers' conversion scripts.

use serde_json::{Value, json};
use types::model::Family;

use super::names::{Pair, any, count};
use crate::models::unet::UnetConfig;
use crate::weights::Header;

/// How the original names of a U-Net begin in a checkpoint.
pub(crate) const PREFIX: &str = "model.diffusion_model.";

/// One size of maps, as far as names depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Level {
    /// Residual blocks on the way down; one more on the way up.
    n_layers: usize,
    /// Transformer blocks after each residual block on the way down; 0 for none at all.
    depth_down: usize,
    /// The same on the way up.
    depth_up: usize,
}

/// The blocks of a U-Net, as far as names depend on them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnetBlocks {
    levels: Vec<Level>,
    /// Transformer blocks at the turn.
    mid_depth: usize,
    /// Whether a second embedding is added to the timestep's: SDXL.
    has_added: bool,
}

impl UnetBlocks {
    /// From the names in a checkpoint, which begin with `prefix`.
    pub(crate) fn of_names(header: &Header, prefix: &str) -> Self {
        let depth = |block: &str| {
            let transformer = format!("{prefix}{block}.1.");
            if any(header, &format!("{transformer}norm."))
                || any(header, &format!("{transformer}transformer_blocks."))
            {
                count(header, &format!("{transformer}transformer_blocks.")).max(1)
            } else {
                0
            }
        };
        let n_inputs = count(header, &format!("{prefix}input_blocks."));
        let mut levels = vec![Level { n_layers: 0, depth_down: 0, depth_up: 0 }];
        for i in 1..n_inputs {
            let is_halving = any(header, &format!("{prefix}input_blocks.{i}.0.op."));
            let here = levels.len() - 1;
            if is_halving {
                levels.push(Level { n_layers: 0, depth_down: 0, depth_up: 0 });
            } else {
                levels[here].n_layers += 1;
                levels[here].depth_down = levels[here].depth_down.max(depth(&format!("input_blocks.{i}")));
            }
        }
        let mut i = 0;
        for level in levels.iter_mut().rev() {
            for _ in 0..=level.n_layers {
                level.depth_up = level.depth_up.max(depth(&format!("output_blocks.{i}")));
                i += 1;
            }
        }
        let mid_depth = count(header, &format!("{prefix}middle_block.1.transformer_blocks.")).max(1);
        Self { levels, mid_depth, has_added: any(header, &format!("{prefix}label_emb.0.")) }
    }

    /// From a folder's config.
    pub(crate) fn of_config(config: &UnetConfig) -> Self {
        let level = |level: &crate::models::unet::UnetLevel| {
            let depth = |attends: bool| if attends { level.n_transformer_layers } else { 0 };
            Level {
                n_layers: level.n_layers,
                depth_down: depth(level.attends_down),
                depth_up: depth(level.attends_up),
            }
        };
        let mid_depth = config.levels.last().map_or(1, |level| level.n_transformer_layers);
        Self { levels: config.levels.iter().map(level).collect(), mid_depth, has_added: true }
    }

    /// Every layer under both of its names.
    pub(crate) fn pairs(&self) -> Vec<Pair> {
        let plain = |original: &str, diffusers: &str| Pair::new(original.to_owned(), diffusers.to_owned());
        let mut pairs = vec![
            plain("time_embed.0", "time_embedding.linear_1"),
            plain("time_embed.2", "time_embedding.linear_2"),
            plain("input_blocks.0.0", "conv_in"),
            plain("out.0", "conv_norm_out"),
            plain("out.2", "conv_out"),
        ];
        if self.has_added {
            pairs.push(plain("label_emb.0.0", "add_embedding.linear_1"));
            pairs.push(plain("label_emb.0.2", "add_embedding.linear_2"));
        }
        let mut i = 1;
        for (n, level) in self.levels.iter().enumerate() {
            let block = format!("down_blocks.{n}");
            for layer in 0..level.n_layers {
                resnet(&mut pairs, &format!("input_blocks.{i}.0"), &format!("{block}.resnets.{layer}"));
                let attention = format!("{block}.attentions.{layer}");
                transformer(&mut pairs, &format!("input_blocks.{i}.1"), &attention, level.depth_down);
                i += 1;
            }
            if n + 1 < self.levels.len() {
                let halving = format!("input_blocks.{i}.0.op");
                pairs.push(Pair::new(halving, format!("{block}.downsamplers.0.conv")));
                i += 1;
            }
        }
        resnet(&mut pairs, "middle_block.0", "mid_block.resnets.0");
        transformer(&mut pairs, "middle_block.1", "mid_block.attentions.0", self.mid_depth);
        resnet(&mut pairs, "middle_block.2", "mid_block.resnets.1");
        i = 0;
        for (n, level) in self.levels.iter().rev().enumerate() {
            let block = format!("up_blocks.{n}");
            for layer in 0..=level.n_layers {
                resnet(&mut pairs, &format!("output_blocks.{i}.0"), &format!("{block}.resnets.{layer}"));
                let attention = format!("{block}.attentions.{layer}");
                transformer(&mut pairs, &format!("output_blocks.{i}.1"), &attention, level.depth_up);
                if layer == level.n_layers && n + 1 < self.levels.len() {
                    // The doubling comes after the transformer, if there is one.
                    let place = if level.depth_up > 0 { 2 } else { 1 };
                    let doubling = format!("output_blocks.{i}.{place}.conv");
                    pairs.push(Pair::new(doubling, format!("{block}.upsamplers.0.conv")));
                }
                i += 1;
            }
        }
        pairs
    }

    /// `unet/config.json` as diffusers would have written it.
    pub(crate) fn config(&self, header: &Header, family: Family, sample_size: usize) -> Value {
        let shape = |name: &str| header.tensors.get(&format!("{PREFIX}{name}")).map_or(&[][..], |t| &t.shape);
        let size = |name: &str, axis: usize| shape(name).get(axis).copied().unwrap_or(0);
        let mut channels = Vec::new();
        let mut i = 1;
        for level in &self.levels {
            channels.push(size(&format!("input_blocks.{i}.0.in_layers.2.weight"), 0));
            i += level.n_layers + 1;
        }
        let text = header.tensors.iter().find_map(|(name, stored)| {
            let is_key = name.starts_with(PREFIX) && name.ends_with("attn2.to_k.weight");
            is_key.then(|| stored.shape.get(1).copied()).flatten()
        });
        let down = |level: &Level| if level.depth_down > 0 { "CrossAttnDownBlock2D" } else { "DownBlock2D" };
        let up = |level: &Level| if level.depth_up > 0 { "CrossAttnUpBlock2D" } else { "UpBlock2D" };
        let last = self.levels.len() - 1;
        let depth =
            |(n, level): (usize, &Level)| if n == last { self.mid_depth } else { level.depth_down.max(1) };
        // SD 1.x has 8 heads everywhere; later ones have heads of 64 channels.
        let heads = |channels: usize| if family == Family::Sd1 { 8 } else { (channels / 64).max(1) };
        let n_outputs = shape("out.2.weight").first().copied().unwrap_or(4);
        let is_linear = shape("middle_block.1.proj_in.weight").len() == 2;
        let mut config = json!({
            "_class_name": "UNet2DConditionModel",
            "act_fn": "silu",
            "attention_head_dim": channels.iter().map(|&channels| heads(channels)).collect::<Vec<_>>(),
            "block_out_channels": channels,
            "center_input_sample": false,
            "cross_attention_dim": text.unwrap_or(0),
            "down_block_types": self.levels.iter().map(down).collect::<Vec<_>>(),
            "downsample_padding": 1,
            "flip_sin_to_cos": true,
            "freq_shift": 0,
            "in_channels": size("input_blocks.0.0.weight", 1),
            "layers_per_block": self.levels.iter().map(|level| level.n_layers).collect::<Vec<_>>(),
            "mid_block_scale_factor": 1,
            "norm_eps": 1e-5,
            "norm_num_groups": 32,
            "out_channels": n_outputs,
            "sample_size": sample_size,
            "transformer_layers_per_block": self.levels.iter().enumerate().map(depth).collect::<Vec<_>>(),
            "up_block_types": self.levels.iter().rev().map(up).collect::<Vec<_>>(),
            "use_linear_projection": is_linear,
        });
        if self.has_added {
            let input = size("label_emb.0.0.weight", 1);
            let pooled = super::text::pooled_width(header);
            // The refiner is told an aesthetic score in the place of the target size: 5 numbers instead of 6.
            let n_numbers = if family == Family::SdxlRefiner { 5 } else { 6 };
            config["addition_embed_type"] = json!("text_time");
            config["addition_time_embed_dim"] = json!(input.saturating_sub(pooled) / n_numbers);
            config["projection_class_embeddings_input_dim"] = json!(input);
        }
        config
    }
}

fn resnet(pairs: &mut Vec<Pair>, original: &str, diffusers: &str) {
    for (from, to) in [
        ("in_layers.0", "norm1"),
        ("in_layers.2", "conv1"),
        ("emb_layers.1", "time_emb_proj"),
        ("out_layers.0", "norm2"),
        ("out_layers.3", "conv2"),
    ] {
        pairs.push(Pair::new(format!("{original}.{from}"), format!("{diffusers}.{to}")));
    }
    let shortcut = Pair::new(format!("{original}.skip_connection"), format!("{diffusers}.conv_shortcut"));
    // It is there where the number of channels changes.
    pairs.push(shortcut.optional());
}

fn transformer(pairs: &mut Vec<Pair>, original: &str, diffusers: &str, depth: usize) {
    if depth == 0 {
        return;
    }
    let mut same = |name: &str, has_bias: bool| {
        let pair = Pair::new(format!("{original}.{name}"), format!("{diffusers}.{name}"));
        pairs.push(if has_bias { pair } else { pair.without_bias() });
    };
    for name in ["norm", "proj_in", "proj_out"] {
        same(name, true);
    }
    for i in 0..depth {
        for name in
            ["norm1", "norm2", "norm3", "attn1.to_out.0", "attn2.to_out.0", "ff.net.0.proj", "ff.net.2"]
        {
            same(&format!("transformer_blocks.{i}.{name}"), true);
        }
        for attention in ["attn1", "attn2"] {
            for name in ["to_q", "to_k", "to_v"] {
                same(&format!("transformer_blocks.{i}.{attention}.{name}"), false);
            }
        }
    }
}
