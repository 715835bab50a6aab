//! LoRAs to apply.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::LORA_WEIGHT;
use crate::error::PublicError;

/// A LoRA as it was asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawLora {
    /// Name of an installed LoRA.
    pub name: String,
    /// How strongly it acts; left out means 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
}

/// A LoRA that is installed, and how strongly it acts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoraUse {
    /// Its name.
    pub name: String,
    /// -4 to 4; at 0 it does nothing.
    pub weight: f64,
}

impl RawLora {
    /// Reads `NAME` or `NAME:WEIGHT`. What stands behind the last colon and is no number belongs to the name.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let weighed = text.rsplit_once(':').and_then(|(name, weight)| {
            Some(Self { name: name.trim().to_owned(), weight: Some(weight.trim().parse().ok()?) })
        });
        weighed.unwrap_or_else(|| Self { name: text.to_owned(), weight: None })
    }

    /// Reads several with commas in between, as they stand in one field of a form. Empty ones are passed over.
    pub fn parse_list(text: &str) -> Vec<Self> {
        text.split(',').filter(|text| !text.trim().is_empty()).map(Self::parse).collect()
    }
}

impl From<&LoraUse> for RawLora {
    fn from(lora: &LoraUse) -> Self {
        Self { name: lora.name.clone(), weight: Some(lora.weight) }
    }
}

/// As [`RawLora::parse`] reads it.
impl std::fmt::Display for LoraUse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.name, self.weight)
    }
}

pub(super) fn check(asked: Vec<RawLora>, installed: &[String]) -> Result<Vec<LoraUse>, PublicError> {
    let mut seen = HashSet::new();
    for RawLora { name, .. } in &asked {
        if !seen.insert(name.as_str()) {
            return refuse(format!(
                "LoRA `{name}` is named twice; name it once, with the weight it is to have"
            ));
        }
    }
    asked.into_iter().map(|lora| check_one(lora, installed)).collect()
}

fn check_one(RawLora { name, weight }: RawLora, installed: &[String]) -> Result<LoraUse, PublicError> {
    if !installed.contains(&name) {
        let known = if installed.is_empty() {
            "none is, put its file into the folder `loras` of the models folder".to_owned()
        } else {
            format!("installed are {}", installed.join(", "))
        };
        return refuse(format!("LoRA `{name}` is not installed; {known}"));
    }
    let weight = weight.unwrap_or(1.0);
    if !LORA_WEIGHT.contains(&weight) {
        return refuse(format!(
            "weight {weight} of LoRA `{name}` is out of range; allowed are {} to {}",
            LORA_WEIGHT.start(),
            LORA_WEIGHT.end()
        ));
    }
    Ok(LoraUse { name, weight })
}

fn refuse<T>(message: String) -> Result<T, PublicError> {
    Err(PublicError::invalid_field("loras", message))
}
