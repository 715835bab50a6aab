//! The small files that a folder in diffusers' layout would have had.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use types::model::Family;

use super::Part;
use super::text::TextPlace;
use super::unet::{self, UnetBlocks};
use super::vae::VaeBlocks;
use crate::error::Result;
use crate::model_files::OpenFile;
use crate::weights::Header;

/// Steps of training after which Stability published the 2.0 that predicts noise at 512x512.
const STEPS_OF_SD2_BASE: i64 = 875_000;

/// What the network predicts, as `scheduler_config.json` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prediction {
    Epsilon,
    Velocity,
}

/// What is in the file.
pub(super) struct Found<'a> {
    pub(super) header: &'a Header,
    pub(super) file: &'a OpenFile,
    pub(super) family: Family,
    pub(super) unet: &'a UnetBlocks,
    pub(super) vae: VaeBlocks,
    pub(super) texts: &'a [TextPlace],
    pub(super) parts: &'a BTreeMap<&'static str, Part>,
}

impl Found<'_> {
    /// Path in diffusers' layout to text.
    pub(super) fn small_files(&self) -> Result<BTreeMap<String, String>> {
        let mut files = BTreeMap::new();
        let mut write = |file: &str, value: &Value| files.insert(file.to_owned(), format!("{value:#}\n"));
        let n_inputs = self.n_inputs();
        let prediction = self.prediction(n_inputs)?;
        let picture_side = match (self.family, prediction) {
            (Family::Sdxl | Family::SdxlRefiner, _) => 1024,
            (Family::Sd2, Prediction::Velocity) => 768,
            _ => 512,
        };
        let mut index = json!({
            "_class_name": class_name(self.family, n_inputs),
            "scheduler": ["diffusers", scheduler_name(self.family)],
        });
        if self.family == Family::SdxlRefiner {
            index["requires_aesthetics_score"] = json!(true);
            index["force_zeros_for_empty_prompt"] = json!(false);
        } else if self.family == Family::Sdxl {
            index["force_zeros_for_empty_prompt"] = json!(true);
        }
        for place in self.texts {
            let part = &self.parts[place.folder];
            let config = place.config(part);
            index[place.folder] = json!(["transformers", config["architectures"][0]]);
            let tokenizer = place.folder.replace("text_encoder", "tokenizer");
            index[&tokenizer] = json!(["transformers", "CLIPTokenizer"]);
            write(&format!("{}/config.json", place.folder), &config);
        }
        if self.parts.contains_key("unet") {
            index["unet"] = json!(["diffusers", "UNet2DConditionModel"]);
            // Eight times smaller: every VAE of these families halves three times.
            write("unet/config.json", &self.unet.config(self.header, self.family, picture_side / 8));
        }
        if self.parts.contains_key("vae") {
            index["vae"] = json!(["diffusers", "AutoencoderKL"]);
            write("vae/config.json", &self.vae.config(self.header, self.family, picture_side));
        }
        write("scheduler/scheduler_config.json", &self.scheduler(prediction));
        write("model_index.json", &index);
        Ok(files)
    }

    /// Channels that the U-Net takes.
    pub(super) fn n_inputs(&self) -> usize {
        let first = self.header.tensors.get(&format!("{}input_blocks.0.0.weight", unet::PREFIX));
        first.and_then(|stored| stored.shape.get(1).copied()).unwrap_or(4)
    }

    /// What the exporter wrote, else the marks that finetuners leave, else diffusers' rule: a 2.x checkpoint predicts
    /// velocity unless it is the base model, which is known by its count of training steps, or an inpainting one.
    fn prediction(&self, n_inputs: usize) -> Result<Prediction> {
        match self.header.metadata.get("modelspec.prediction_type").map(String::as_str) {
            Some("v" | "v_prediction") => return Ok(Prediction::Velocity),
            Some("epsilon") => return Ok(Prediction::Epsilon),
            _ => {}
        }
        if self.header.tensors.contains_key("v_pred") {
            return Ok(Prediction::Velocity);
        }
        let is_usual_sd2 = self.family == Family::Sd2 && n_inputs == 4;
        Ok(if is_usual_sd2 && self.global_step()? != Some(STEPS_OF_SD2_BASE) {
            Prediction::Velocity
        } else {
            Prediction::Epsilon
        })
    }

    fn global_step(&self) -> Result<Option<i64>> {
        let Some(stored) = self.header.tensors.get("global_step").filter(|stored| stored.length == 8) else {
            return Ok(None);
        };
        let bytes = self.file.read(stored.start, 8)?;
        Ok(bytes[..].try_into().ok().map(i64::from_le_bytes))
    }

    fn scheduler(&self, prediction: Prediction) -> Value {
        let mut scheduler = json!({
            "_class_name": scheduler_name(self.family),
            "beta_end": 0.012,
            "beta_schedule": "scaled_linear",
            "beta_start": 0.00085,
            "num_train_timesteps": 1000,
            "prediction_type": match prediction {
                Prediction::Epsilon => "epsilon",
                Prediction::Velocity => "v_prediction",
            },
            "steps_offset": 1,
            "trained_betas": null,
        });
        match self.family {
            Family::Sdxl | Family::SdxlRefiner => {
                scheduler["interpolation_type"] = json!("linear");
                scheduler["timestep_spacing"] = json!("leading");
                scheduler["use_karras_sigmas"] = json!(false);
            }
            _ => {
                scheduler["clip_sample"] = json!(false);
                scheduler["set_alpha_to_one"] = json!(false);
                scheduler["skip_prk_steps"] = json!(true);
            }
        }
        // The mark that models trained down to no signal at all carry.
        if self.header.tensors.contains_key("ztsnr") {
            scheduler["rescale_betas_zero_snr"] = json!(true);
        }
        scheduler
    }
}

fn class_name(family: Family, n_inputs: usize) -> &'static str {
    match (family, n_inputs) {
        (Family::Sdxl, 9) => "StableDiffusionXLInpaintPipeline",
        (Family::Sdxl, 8) => "StableDiffusionXLInstructPix2PixPipeline",
        (Family::Sdxl, _) => "StableDiffusionXLPipeline",
        (Family::SdxlRefiner, _) => "StableDiffusionXLImg2ImgPipeline",
        (_, 9) => "StableDiffusionInpaintPipeline",
        (_, 8) => "StableDiffusionInstructPix2PixPipeline",
        _ => "StableDiffusionPipeline",
    }
}

/// The scheduler in each family's own folder on the hub.
fn scheduler_name(family: Family) -> &'static str {
    match family {
        Family::Sdxl | Family::SdxlRefiner => "EulerDiscreteScheduler",
        Family::Sd2 => "DDIMScheduler",
        Family::Sd1 | Family::Other => "PNDMScheduler",
    }
}
