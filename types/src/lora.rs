//! Which LoRA files are installed.

use serde::{Deserialize, Serialize};

use crate::model::Family;

/// A LoRA as the site shows it: small changes to a model's weights, kept in a file of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LoraInfo {
    /// Name in requests and in `<lora:name:1>`: the file's name without its ending.
    pub name: String,
    /// The family whose models it changes; [`Family::Other`] if its sizes belong to none that is known.
    pub family: Family,
    /// How many layers it changes.
    pub n_layers: u32,
    /// Whether it changes text encoders besides the U-Net.
    pub changes_text_encoder: bool,
    /// Size of the file.
    pub size_bytes: u64,
    /// Why it cannot be used, if it cannot.
    pub problem: Option<String>,
}
