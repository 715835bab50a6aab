//! The VAE: the decoder's levels are counted from the other end.
//!
//! # Source
//! `CompVis`' `AutoencoderKL` (`ldm/modules/diffusionmodules/model.py`) beside diffusers'; checked against diffusers'
//! conversion scripts.

use serde_json::{Value, json};
use types::model::Family;

use super::names::{Pair, any, count};
use crate::weights::Header;

/// How the original names of a VAE begin in a checkpoint.
pub(crate) const PREFIX: &str = "first_stage_model.";

/// The blocks of a VAE, as far as names depend on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct VaeBlocks {
    n_levels: usize,
    /// Residual blocks of a level in the encoder; the decoder has one more.
    n_layers: usize,
    attends: bool,
}

impl VaeBlocks {
    pub(crate) fn of_names(header: &Header) -> Self {
        let n_in_decoder = count(header, &format!("{PREFIX}decoder.up.0.block."));
        Self {
            n_levels: count(header, &format!("{PREFIX}decoder.up.")),
            n_layers: n_in_decoder.saturating_sub(1).max(1),
            attends: any(header, &format!("{PREFIX}decoder.mid.attn_1.")),
        }
    }

    /// Every layer under both of its names.
    pub(crate) fn pairs(self) -> Vec<Pair> {
        let mut pairs = Vec::new();
        let last = self.n_levels.saturating_sub(1);
        for half in ["encoder", "decoder"] {
            for (from, to) in
                [("conv_in", "conv_in"), ("norm_out", "conv_norm_out"), ("conv_out", "conv_out")]
            {
                pairs.push(Pair::new(format!("{half}.{from}"), format!("{half}.{to}")));
            }
            for i in 0..2 {
                let original = format!("{half}.mid.block_{}", i + 1);
                resnet(&mut pairs, &original, &format!("{half}.mid_block.resnets.{i}"));
            }
            if self.attends {
                for (from, to) in [
                    ("norm", "group_norm"),
                    ("q", "to_q"),
                    ("k", "to_k"),
                    ("v", "to_v"),
                    ("proj_out", "to_out.0"),
                ] {
                    let original = format!("{half}.mid.attn_1.{from}");
                    pairs.push(Pair::new(original, format!("{half}.mid_block.attentions.0.{to}")));
                }
            }
        }
        for level in 0..self.n_levels {
            let (down, up) = (format!("encoder.down_blocks.{level}"), format!("decoder.up_blocks.{level}"));
            let from_end = last - level;
            for layer in 0..self.n_layers {
                let original = format!("encoder.down.{level}.block.{layer}");
                resnet(&mut pairs, &original, &format!("{down}.resnets.{layer}"));
            }
            for layer in 0..=self.n_layers {
                let original = format!("decoder.up.{from_end}.block.{layer}");
                resnet(&mut pairs, &original, &format!("{up}.resnets.{layer}"));
            }
            if level < last {
                let original = format!("encoder.down.{level}.downsample.conv");
                pairs.push(Pair::new(original, format!("{down}.downsamplers.0.conv")));
                let original = format!("decoder.up.{from_end}.upsample.conv");
                pairs.push(Pair::new(original, format!("{up}.upsamplers.0.conv")));
            }
        }
        for name in ["quant_conv", "post_quant_conv"] {
            pairs.push(Pair::new(name.to_owned(), name.to_owned()).optional());
        }
        pairs
    }

    /// `vae/config.json` as diffusers would have written it.
    pub(crate) fn config(self, header: &Header, family: Family, picture_side: usize) -> Value {
        let size = |name: &str, axis: usize| {
            let stored = header.tensors.get(&format!("{PREFIX}{name}"));
            stored.and_then(|stored| stored.shape.get(axis).copied()).unwrap_or(0)
        };
        let channels: Vec<usize> =
            (0..self.n_levels).map(|i| size(&format!("decoder.up.{i}.block.0.conv1.weight"), 0)).collect();
        let is_xl = matches!(family, Family::Sdxl | Family::SdxlRefiner);
        json!({
            "_class_name": "AutoencoderKL",
            "act_fn": "silu",
            "block_out_channels": channels,
            "down_block_types": vec!["DownEncoderBlock2D"; self.n_levels],
            "force_upcast": true,
            "in_channels": 3,
            "latent_channels": size("decoder.conv_in.weight", 1),
            "layers_per_block": self.n_layers,
            "mid_block_add_attention": self.attends,
            "norm_num_groups": 32,
            "out_channels": size("decoder.conv_out.weight", 0),
            "sample_size": picture_side,
            "scaling_factor": if is_xl { 0.13025 } else { 0.18215 },
            "up_block_types": vec!["UpDecoderBlock2D"; self.n_levels],
            "use_post_quant_conv": any(header, &format!("{PREFIX}post_quant_conv.")),
            "use_quant_conv": any(header, &format!("{PREFIX}quant_conv.")),
        })
    }
}

fn resnet(pairs: &mut Vec<Pair>, original: &str, diffusers: &str) {
    for name in ["norm1", "conv1", "norm2", "conv2"] {
        pairs.push(Pair::new(format!("{original}.{name}"), format!("{diffusers}.{name}")));
    }
    let shortcut = Pair::new(format!("{original}.nin_shortcut"), format!("{diffusers}.conv_shortcut"));
    // It is there where the number of channels changes.
    pairs.push(shortcut.optional());
}
