//! LoRAs to apply.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::LORA_WEIGHT;
use super::name_list::{name_in_list, quoted_at_start};
use crate::error::PublicError;
use crate::lora::LoraInfo;
use crate::model::{Family, ModelInfo};
use crate::prompt::{LoraTag, lora_tags};

/// A LoRA as it was asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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

    /// Reads several with commas in between, as they stand in one field of a form or of a query. Empty ones are passed
    /// over. A name may stand in quotation marks, as [`name_in_list`] puts it.
    pub fn parse_list(text: &str) -> Vec<Self> {
        let mut loras = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (lora, after) = Self::split_quoted(rest).unwrap_or_else(|| {
                let (plain, after) = rest.split_once(',').unwrap_or((rest, ""));
                (Self::parse(plain), after)
            });
            if !lora.name.is_empty() {
                loras.push(lora);
            }
            rest = after;
        }
        loras
    }

    /// `"NAME"` or `"NAME":WEIGHT` at the beginning of a list, and what stands behind its comma. `None` if it is
    /// anything else: then the quotation mark belongs to the name.
    fn split_quoted(list: &str) -> Option<(Self, &str)> {
        let (name, rest) = quoted_at_start(list)?;
        let (weight, after) = rest.split_once(',').unwrap_or((rest, ""));
        let weight = match weight.trim() {
            "" => None,
            weight => Some(weight.strip_prefix(':')?.trim().parse().ok()?),
        };
        Some((Self { name, weight }, after))
    }
}

impl LoraUse {
    /// As [`RawLora::parse_list`] reads it.
    pub fn in_list(&self) -> String {
        format!("{}:{}", name_in_list(&self.name), self.weight)
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

/// Checks the LoRAs that are listed, and those that the prompt names.
pub(super) fn check(
    asked: Vec<RawLora>,
    prompt: &str,
    installed: &[LoraInfo],
    model: &ModelInfo,
) -> Result<Vec<LoraUse>, PublicError> {
    let tags = lora_tags(prompt).1;
    for tag in &tags {
        find("prompt", &tag.name, installed, model)?;
        for weight in [tag.text_encoder, tag.unet] {
            check_weight("prompt", &tag.name, weight)?;
        }
    }
    let mut seen = HashSet::new();
    for RawLora { name, .. } in &asked {
        if !seen.insert(name.as_str()) {
            let message =
                format!("LoRA `{name}` is named twice; name it once, with the weight it is to have");
            return Err(PublicError::invalid_field(LISTED, message));
        }
    }
    let check_one = |RawLora { name, weight }: RawLora| {
        find(LISTED, &name, installed, model)?;
        let weight = check_weight(LISTED, &name, weight.unwrap_or(1.0))?;
        Ok(LoraUse { name, weight })
    };
    let listed = asked.into_iter().map(check_one).collect::<Result<Vec<_>, _>>()?;
    check_sums(&listed, &tags)?;
    Ok(listed)
}

/// A LoRA that is named in several places acts with all of their weights together, which have the limits of one.
fn check_sums(listed: &[LoraUse], tags: &[LoraTag]) -> Result<(), PublicError> {
    for LoraTag { name, .. } in tags {
        let in_list = listed.iter().find(|lora| lora.name == *name).map_or(0.0, |lora| lora.weight);
        let in_tags = tags.iter().filter(|tag| tag.name == *name);
        let [text_encoder, unet] = in_tags.fold([in_list; 2], |[text_encoder, unet], tag| {
            [text_encoder + tag.text_encoder, unet + tag.unet]
        });
        for sum in [text_encoder, unet] {
            // Tenths have no exact sums, and 4 by a hair is still 4.
            let sum = (sum * 1e9).round() / 1e9;
            if !LORA_WEIGHT.contains(&sum) {
                let message = format!(
                    "the weights of LoRA `{name}`, which is named more than once, add up to {sum}; allowed are {} to {}",
                    LORA_WEIGHT.start(),
                    LORA_WEIGHT.end()
                );
                return Err(PublicError::invalid_field("prompt", message));
            }
        }
    }
    Ok(())
}

/// The field of the LoRAs that are listed.
const LISTED: &str = "loras";

/// A LoRA has to be there, whole, and made for models of this kind.
fn find(
    field: &'static str,
    name: &str,
    installed: &[LoraInfo],
    model: &ModelInfo,
) -> Result<(), PublicError> {
    let refuse = |message| Err(PublicError::invalid_field(field, message));
    let Some(lora) = installed.iter().find(|lora| lora.name == name) else {
        let names: Vec<_> = installed.iter().map(|lora| lora.name.as_str()).collect();
        let known = if names.is_empty() {
            "none is, put its file into the folder `loras` of the models folder".to_owned()
        } else {
            format!("installed are {}", names.join(", "))
        };
        return refuse(format!("LoRA `{name}` is not installed; {known}"));
    };
    if let Some(problem) = &lora.problem {
        return refuse(format!("LoRA `{name}` cannot be used: {problem}"));
    }
    let fits = lora.family == model.family || [lora.family, model.family].contains(&Family::Other);
    if !fits {
        return refuse(format!(
            "LoRA `{name}` is for {}, and model `{}` is {}; choose others",
            lora.family.title(),
            model.name,
            model.family.title()
        ));
    }
    Ok(())
}

fn check_weight(field: &'static str, name: &str, weight: f64) -> Result<f64, PublicError> {
    if LORA_WEIGHT.contains(&weight) {
        return Ok(weight);
    }
    let message = format!(
        "weight {weight} of LoRA `{name}` is out of range; allowed are {} to {}",
        LORA_WEIGHT.start(),
        LORA_WEIGHT.end()
    );
    Err(PublicError::invalid_field(field, message))
}
