//! What Fooocus writes: its own form, JSON, or that of the AUTOMATIC1111 web UI.
//!
//! Source: `modules/meta_parser.py` and `modules/async_worker.py` of lllyasviel/Fooocus 2.5.

use serde_json::Value;
use types::metadata::Program;
use types::request::{NoiseSource, RawRequest};

use super::found::{ClipLayer, Found, FoundLora, FoundModel};
use super::infotext::Infotext;
use super::pairs::Pairs;
use super::texts::Texts;
use super::{MetadataError, Read, a1111, values};

pub(super) fn read(texts: &Texts) -> Read {
    let Some(text) = texts.get("parameters") else { return Ok(None) };
    let is_fooocus = texts.get("Software").is_some_and(|software| software.starts_with("Fooocus"));
    let scheme = texts.get("fooocus_scheme").map(str::trim);
    if text.trim_start().starts_with('{') {
        let Ok(Value::Object(fields)) = values::parse_json(text) else {
            if scheme.is_none() && !is_fooocus {
                return Ok(None);
            }
            return Err(MetadataError::unreadable(Program::Fooocus, "the text `parameters` is not JSON"));
        };
        let is_own =
            ["base_model", "metadata_scheme", "full_prompt"].iter().any(|key| fields.contains_key(*key));
        return Ok(is_own.then(|| from_json(Pairs::from(fields))));
    }
    let Some(infotext) = Infotext::parse(text) else { return Ok(None) };
    let version = infotext.pairs.clone().text("Version").unwrap_or_default();
    let is_own = scheme.is_some() || is_fooocus || version.starts_with("Fooocus");
    Ok(is_own.then(|| from_infotext(infotext)))
}

fn from_json(mut pairs: Pairs) -> Found {
    let mut found = Found::new(Program::Fooocus);
    let (width, height) = pairs.text("resolution").and_then(|text| resolution(&text)).unzip();
    found.raw = RawRequest {
        prompt: pairs.text("prompt").unwrap_or_default(),
        negative_prompt: pairs.text("negative_prompt"),
        steps: pairs.whole("steps", &mut found),
        sampler: pairs.text("sampler"),
        schedule: pairs.text("scheduler"),
        guidance_scale: pairs.number("guidance_scale", &mut found),
        width,
        height,
        ..usual()
    };
    found.seed = pairs.seed("seed", &mut found);
    let hash = pairs.text("base_model_hash");
    found.model = pairs.text("base_model").map(|name| FoundModel { name, hash });
    if let Some(layer) = pairs.whole("clip_skip", &mut found) {
        found.clip = ClipLayer::FromLast(layer);
    }
    found.loras = loras(&mut pairs);
    leave_the_rest(pairs, found)
}

/// The prompt of this form has the words of the styles in it; what was typed stands among the settings.
fn from_infotext(Infotext { prompt, negative_prompt, mut pairs }: Infotext) -> Found {
    let mut found = Found::new(Program::Fooocus);
    a1111::read_common(&mut pairs, &mut found);
    let negative_prompt = pairs.text("Raw negative prompt").unwrap_or(negative_prompt);
    found.raw = RawRequest {
        prompt: pairs.text("Raw prompt").unwrap_or(prompt),
        negative_prompt: Some(negative_prompt).filter(|text| !text.is_empty()),
        schedule: pairs.text("Scheduler").or(found.raw.schedule.take()),
        noise: usual().noise,
        ..found.raw
    };
    let weights = pairs.text("Lora weights").unwrap_or_default();
    found.loras = weights.split(", ").filter_map(|weighed| lora(weighed, ": ")).collect();
    leave_the_rest(pairs, found)
}

/// What every picture of this program has.
fn usual() -> RawRequest {
    RawRequest { count: Some(1), noise: Some(NoiseSource::Cpu.as_str().to_owned()), ..RawRequest::default() }
}

fn leave_the_rest(mut pairs: Pairs, mut found: Found) -> Found {
    if let Some(vae) = pairs.text("vae").filter(|name| !name.starts_with("Default")) {
        found.leave("VAE", vae, "a model is used with its own VAE here");
    }
    if let Some(styles) = pairs.text("styles") {
        found.leave("styles", styles, "their words are not part of the prompt; write them into it");
    }
    if let Some(expansion) = pairs.text("prompt_expansion") {
        found.leave(
            "prompt_expansion",
            expansion,
            "what was added to the prompt is not part of it; write it into it",
        );
    }
    let refiner = pairs.text("refiner_model").or_else(|| pairs.text("Refiner"));
    let switch = pairs.take("refiner_switch").map(|value| values::said(&value)).unwrap_or_default();
    if let Some(refiner) = refiner {
        found.leave("refiner", format!("{refiner} at {switch}"), "a second model does not take over here");
    }
    pairs.leave_rest(&mut found, &UNSAID, &[("freeu", "there is no FreeU here")]);
    found
}

/// What describes the file, says again what is said elsewhere, or is of no consequence without a refiner.
const UNSAID: [&str; 14] = [
    "full_prompt",
    "full_negative_prompt",
    "version",
    "metadata_scheme",
    "created_by",
    "User",
    "loras",
    "Lora hashes",
    "performance",
    "refiner_model_hash",
    "Refiner hash",
    "refiner_swap_method",
    "Refiner Swap Method",
    "overwrite_switch",
];

/// `(1152, 896)`.
fn resolution(text: &str) -> Option<(i64, i64)> {
    let (width, height) = text.trim().strip_prefix('(')?.strip_suffix(')')?.split_once(',')?;
    Some((width.trim().parse().ok()?, height.trim().parse().ok()?))
}

/// Each stands as `lora_combined_1: "NAME : WEIGHT"`, and all of them once more in a list.
fn loras(pairs: &mut Pairs) -> Vec<FoundLora> {
    const MOST: usize = 32;
    let combined: Vec<_> =
        (1..=MOST).filter_map(|at| lora(&pairs.text(&format!("lora_combined_{at}"))?, " : ")).collect();
    if !combined.is_empty() {
        return combined;
    }
    let Some(Value::Array(list)) = pairs.take("loras") else { return combined };
    let listed = list.iter().take(MOST).filter_map(|lora| {
        let [name, weight, ..] = lora.as_array()?.as_slice() else { return None };
        let weight = values::number(weight)?;
        Some(FoundLora { name: values::text(name)?, text_encoder: weight, unet: weight })
    });
    listed.collect()
}

/// A name and a weight; some versions put whether it is in use before them.
fn lora(text: &str, between: &str) -> Option<FoundLora> {
    let (name, weight) = text.rsplit_once(between)?;
    let (is_on, name) = match name.split_once(between) {
        Some((is_on, name)) => (is_on, name),
        None => ("True", name),
    };
    let weight: f64 = weight.trim().parse().ok()?;
    (is_on == "True").then(|| FoundLora { name: name.trim().to_owned(), text_encoder: weight, unet: weight })
}

#[cfg(test)]
#[path = "fooocus_tests.rs"]
mod tests;
