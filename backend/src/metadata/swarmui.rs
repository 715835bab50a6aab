//! What `SwarmUI` writes: JSON with the parameters of a picture by their ids.
//!
//! Source: `docs/Image Metadata Format.md`, `src/Text2Image/T2IParamTypes.cs` and the workflow generator of
//! mcmonkeyprojects/SwarmUI 0.9.

use serde_json::Value;
use types::metadata::Program;
use types::request::RawRequest;

use super::comfyui::text::as_comfyui_reads_it;
use super::found::{ClipLayer, Found, FoundLora, FoundModel};
use super::pairs::Pairs;
use super::texts::Texts;
use super::{MetadataError, Read, values};

pub(super) fn read(texts: &Texts) -> Read {
    let Some(text) = texts.get("parameters").filter(|text| text.contains("\"sui_image_params\"")) else {
        return Ok(None);
    };
    let unreadable = |why: String| MetadataError::unreadable(Program::SwarmUi, why);
    let mut root = match values::parse_json(text) {
        Ok(Value::Object(root)) => root,
        Ok(_) => return Err(unreadable("the text `parameters` is no JSON object".to_owned())),
        Err(fault) => return Err(unreadable(format!("the text `parameters` is not JSON: {fault}"))),
    };
    let Some(Value::Object(parameters)) = root.remove("sui_image_params") else {
        return Err(unreadable("`sui_image_params` is no JSON object".to_owned()));
    };
    Ok(Some(from_parameters(Pairs::from(parameters))))
}

fn from_parameters(mut pairs: Pairs) -> Found {
    let mut found = Found::new(Program::SwarmUi);
    let prompt = pairs.text("prompt").unwrap_or_default();
    let negative_prompt = pairs.text("negativeprompt").unwrap_or_default();
    let words = as_comfyui_reads_it(&prompt, &negative_prompt);
    found.raw = RawRequest {
        steps: pairs.whole("steps", &mut found),
        guidance_scale: pairs.number("cfgscale", &mut found),
        // What is taken where neither is chosen.
        sampler: pairs.text("sampler").or_else(|| Some("euler".to_owned())),
        schedule: pairs.text("scheduler").or_else(|| Some("normal".to_owned())),
        width: pairs.whole("width", &mut found),
        height: pairs.whole("height", &mut found),
        count: Some(1),
        variation_seed: pairs.whole("variationseed", &mut found),
        variation_strength: pairs.number("variationseedstrength", &mut found),
        ..words
    };
    found.seed = pairs.seed("seed", &mut found);
    found.model = pairs.text("model").map(|name| FoundModel { name, hash: None });
    if let Some(layer) = pairs.whole("clipstopatlayer", &mut found) {
        found.clip = ClipLayer::FromLast(layer.saturating_neg());
    }
    found.loras = loras(&mut pairs);
    read_second_pass(&mut pairs, &mut found);
    read_start(&mut pairs, &mut found);
    if let Some(vae) = pairs.text("vae").filter(|name| name != "Automatic") {
        found.leave("vae", vae, "a model is used with its own VAE here");
    }
    pairs.leave_rest(&mut found, &UNSAID, &GROUPS);
    found
}

/// What describes the file or how it came about, and what the size says already.
const UNSAID: [&str; 15] = [
    "swarm_version",
    "images",
    "aspectratio",
    "sidelength",
    "automaticvae",
    "personalnote",
    "donotsave",
    "donotsaveintermediates",
    "nopreviews",
    "imageformat",
    "wildcardseed",
    "noseedincrement",
    "outputintermediateimages",
    "webhooks",
    "colordepth",
];

const GROUPS: [(&str, &str); 4] = [
    ("controlnet", "there is no ControlNet here"),
    ("refiner", "the second pass has the settings of the first here"),
    ("segment", "parts of a picture are not painted anew by themselves here"),
    ("video", "there are no videos here"),
];

/// Names and weights stand in two lists, or in two texts with commas in between.
fn loras(pairs: &mut Pairs) -> Vec<FoundLora> {
    let mut list = |name: &str| match pairs.take(name) {
        Some(Value::Array(list)) => list.iter().filter_map(values::text).collect(),
        Some(value) => {
            let text = values::said(&value);
            text.split(',').map(|part| part.trim().to_owned()).collect()
        }
        None => Vec::<String>::new(),
    };
    let (names, weights, for_text) = (list("loras"), list("loraweights"), list("loratencweights"));
    let weight = |list: &[String], at: usize| list.get(at).and_then(|weight| weight.parse::<f64>().ok());
    let lora = |(at, name): (usize, String)| {
        let unet = weight(&weights, at).unwrap_or(1.0);
        FoundLora { name, unet, text_encoder: weight(&for_text, at).unwrap_or(unet) }
    };
    names.into_iter().enumerate().filter(|(_, name)| !name.is_empty()).map(lora).collect()
}

/// A refiner that is the model itself, and works on an enlarged picture, is a second pass.
fn read_second_pass(pairs: &mut Pairs, found: &mut Found) {
    let Some(share) = pairs.number("refinercontrolpercentage", found).filter(|share| *share > 0.0) else {
        return;
    };
    let other_model = pairs.text("refinermodel").filter(|name| name != "(Use Base)");
    let scale = pairs.number("refinerupscale", found).filter(|scale| *scale > 1.0);
    match (other_model, scale) {
        (Some(model), _) => {
            found.leave("refinermodel", model, "a second model does not take over here");
        }
        (None, Some(scale)) => {
            found.raw.hires_scale = Some(scale);
            found.raw.hires_strength = Some(share);
            found.raw.hires_steps = pairs.whole("refinersteps", found);
            if let Some(method) = pairs.text("refinerupscalemethod").filter(|name| name != "pixel-lanczos") {
                found.leave(
                    "refinerupscalemethod",
                    method,
                    "the picture is enlarged by Lanczos' filter here",
                );
            }
            if let Some(method) = pairs.text("refinermethod").filter(|method| method != "PostApply") {
                found.leave("refinermethod", method, "the second pass begins with the finished picture here");
            }
        }
        (None, None) => {
            let reason = "a second pass enlarges the picture here";
            found.leave("refinercontrolpercentage", share.to_string(), reason);
        }
    }
}

fn read_start(pairs: &mut Pairs, found: &mut Found) {
    let creativity = pairs.number("initimagecreativity", found);
    let image = pairs.take("initimage");
    if creativity.is_some() || image.is_some() {
        found.raw.strength = creativity;
        found.leave_start("initimage", &image.map(|value| values::said(&value)).unwrap_or_default());
    }
    if pairs.take("maskimage").is_some() {
        found.raw.mask_feather = pairs.whole("maskblur", found);
        found.leave("maskimage", "", "a file does not hold the mask; paint it again");
    }
}

#[cfg(test)]
#[path = "swarmui_tests.rs"]
mod tests;
