//! LoRAs that a workflow adds to a model and to its text encoders.

use std::fmt::Write;

use types::prompt::can_stand_in_tag;
use types::request::{RawLora, RawRequest};

use super::recipe::{NodeFault, fail};
use super::validate::Checked;

/// A LoRA by its name, with its weight and the place of the node that adds it.
pub type AddedLora = (String, f64, usize);

/// A LoRA and how strongly it acts on what.
#[derive(Debug, Clone, PartialEq)]
pub struct LoraWeights {
    name: String,
    unet: f64,
    text_encoder: f64,
    /// The place of the first node that adds it.
    pub place: usize,
}

/// The node that loads a sampler's model, and the LoRAs that are added to it, the first first.
pub fn walk_model(checked: &Checked<'_>, sampler: usize) -> (usize, Vec<AddedLora>) {
    let mut loras = Vec::new();
    let (mut place, _) = checked.link(sampler, "model");
    while checked.class(place) != "CheckpointLoaderSimple" {
        let name = checked.text(place, "lora_name").to_owned();
        loras.push((name, checked.number(place, "strength_model"), place));
        place = checked.link(place, "model").0;
    }
    loras.reverse();
    (place, loras)
}

impl LoraWeights {
    /// Each LoRA once, with the sums of its weights.
    pub fn together(unet: Vec<AddedLora>, text_encoder: &[AddedLora]) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        let of_unet = unet.into_iter().map(|(name, weight, place)| (name, weight, 0.0, place));
        let of_text = text_encoder.iter().map(|(name, weight, place)| (name.clone(), 0.0, *weight, *place));
        for (name, unet, text_encoder, place) in of_unet.chain(of_text) {
            if let Some(known) = all.iter_mut().find(|known| known.name == name) {
                known.unet += unet;
                known.text_encoder += text_encoder;
            } else {
                all.push(Self { name, unet, text_encoder, place });
            }
        }
        all.retain(|lora| lora.unet != 0.0 || lora.text_encoder != 0.0);
        all
    }

    /// Adds it to a request: to its list, or to its prompt as a tag if it acts otherwise on U-Net and text encoders.
    ///
    /// # Errors
    /// Its name cannot stand in a tag.
    pub fn set(&self, request: &mut RawRequest) -> Result<(), NodeFault> {
        let Self { name, unet, text_encoder, place } = self;
        if unet.total_cmp(text_encoder).is_eq() {
            request.loras.push(RawLora { name: name.clone(), weight: Some(*unet) });
        } else if !can_stand_in_tag(name) {
            let sentence = format!("LoRA `{name}` has a name that allows only one weight for both");
            return Err(fail(*place, "lora_name", &sentence));
        } else if !request.prompt.trim().is_empty() {
            // Writing to a `String` cannot fail.
            let _ = write!(request.prompt, " <lora:{name}:te={text_encoder}:unet={unet}>");
        }
        Ok(())
    }
}
