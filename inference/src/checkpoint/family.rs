//! Which family a model belongs to, told from names and shapes, never from the name of a file.

use serde_json::Value;
use types::model::Family;

use super::text;
use super::{unet, vae};
use crate::error::{Error, Result};
use crate::lora::unsupported_kind;
use crate::model_files::ModelFiles;
use crate::weights::Header;

/// The family of a single file.
///
/// # Errors
/// What is in the file, in words, if it is none of the known ones.
pub(super) fn of_header(header: &Header) -> Result<Family, String> {
    let first = format!("{}input_blocks.0.0.weight", unet::PREFIX);
    let Some(first) = header.tensors.get(&first) else { return Err(what_it_is(header)) };
    let n_inputs = first.shape.get(1).copied().unwrap_or(0);
    if first.shape.len() != 4 || ![4, 8, 9].contains(&n_inputs) {
        return Err(format!(
            "its U-Net takes {n_inputs} channels, and 4, 8 (InstructPix2Pix) or 9 (inpainting) are supported"
        ));
    }
    let added = header.tensors.get(&format!("{}label_emb.0.0.weight", unet::PREFIX));
    let width_of_keys = header.tensors.iter().find_map(|(name, stored)| {
        let is_key = name.starts_with(unet::PREFIX) && name.ends_with("attn2.to_k.weight");
        is_key.then(|| stored.shape.get(1).copied()).flatten()
    });
    Ok(match added {
        Some(_) if text::SDXL_SECOND.is_in(header) => Family::Sdxl,
        Some(_) if text::REFINER.is_in(header) => Family::SdxlRefiner,
        // Without text encoders the widths of the full models decide.
        Some(_) if width_of_keys == Some(1280) => Family::SdxlRefiner,
        Some(_) => Family::Sdxl,
        None if text::SD2.is_in(header) => Family::Sd2,
        None if text::SD1.is_in(header) => Family::Sd1,
        None if width_of_keys == Some(1024) => Family::Sd2,
        None => Family::Sd1,
    })
}

/// What an unknown file seems to be.
fn what_it_is(header: &Header) -> String {
    let has = |part: &str| header.tensors.keys().any(|name| name.contains(part));
    let known = [
        ("lora_down.", "it is a LoRA; put it into the folder `loras` in the models folder"),
        ("lora_A.", "it is a LoRA; put it into the folder `loras` in the models folder"),
        ("lora.down.", "it is a LoRA; put it into the folder `loras` in the models folder"),
        ("hada_w1_a", "it is a LoRA; put it into the folder `loras` in the models folder"),
        ("emb_params", "it is a textual inversion; put it into the folder `embeddings` in the models folder"),
        ("clip_g", "it is a textual inversion; put it into the folder `embeddings` in the models folder"),
        ("control_model.", "it is a ControlNet"),
        ("controlnet_cond_embedding.", "it is a ControlNet"),
        ("double_blocks.", "it is a FLUX model"),
        ("joint_blocks.", "it is a Stable Diffusion 3 model"),
        ("down_blocks.0.resnets.0.time_emb_proj.", "it is the U-Net of a folder in diffusers' layout, alone"),
    ];
    if let Some((_, words)) = known.iter().find(|(part, _)| has(part)) {
        return (*words).to_owned();
    }
    if header.tensors.contains_key("input_blocks.0.0.weight") {
        return format!("it is a U-Net alone, whose names do not begin with `{}`", unet::PREFIX);
    }
    if has(vae::PREFIX) || header.tensors.contains_key("decoder.conv_in.weight") {
        return format!("it is a VAE alone, without a U-Net (nothing begins with `{}`)", unet::PREFIX);
    }
    let names: Vec<String> = header.tensors.keys().take(3).map(|name| format!("`{name}`")).collect();
    match header.tensors.len() {
        0 => "it holds no tensors".to_owned(),
        n => format!("its {n} tensors are {} and so on", names.join(", ")),
    }
}

/// What is known of a model without loading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kinship {
    /// Which models have parts of the same sizes.
    pub family: Family,
    /// Whether its U-Net has 9 channels: the latent, a mask, and the latent of what is kept.
    pub inpaints: bool,
}

impl Kinship {
    /// Of a folder, the program's own model, or a single file.
    ///
    /// # Errors
    /// [`Error::MissingFile`], [`Error::BrokenFile`] from `unet/config.json`.
    pub fn of(files: &ModelFiles) -> Result<Self> {
        if let Some(checkpoint) = files.as_checkpoint() {
            return Ok(Self { family: checkpoint.family(), inpaints: checkpoint.inpaints() });
        }
        let config: Value = files.json("unet/config.json")?;
        let inpaints = config["in_channels"] == 9;
        let text = match &config["cross_attention_dim"] {
            Value::Array(levels) => levels.first().and_then(Value::as_u64),
            number => number.as_u64(),
        };
        let is_xl = config["addition_embed_type"] == "text_time";
        let family = match (is_xl, text) {
            (true, Some(2048)) => Family::Sdxl,
            (true, Some(1280)) => Family::SdxlRefiner,
            (false, Some(768)) => Family::Sd1,
            (false, Some(1024)) => Family::Sd2,
            _ => Family::Other,
        };
        Ok(Self { family, inpaints })
    }
}

/// [`Error::UnknownFamily`] about a file, or [`Error::UnsupportedLora`] if that is what it is: the same sentence as
/// where such a file is looked for.
pub(super) fn unknown(file: &str, header: &Header, found: String) -> Error {
    let file = file.to_owned();
    match unsupported_kind(header) {
        Some(kind) => Error::UnsupportedLora { file, kind },
        None => Error::UnknownFamily { file, found },
    }
}
