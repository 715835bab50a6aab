//! What `InvokeAI` writes: `invokeai_metadata` from version 3 on, `sd-metadata` and `Dream` before.
//!
//! Source: `CoreMetadataInvocation` in `invokeai/app/invocations/metadata.py`, `invokeai/backend/image_util/pngwriter.py`
//! and `invokeai/backend/stable_diffusion/schedulers/schedulers.py` of invoke-ai/InvokeAI.

use serde_json::{Map, Value};
use types::metadata::Program;
use types::prompt::{Part, Weighting, parse};
use types::request::{NoiseSource, RawRequest};

use super::compel::to_brackets;
use super::found::{ClipLayer, Found, FoundLora, FoundModel};
use super::pairs::Pairs;
use super::texts::Texts;
use super::{MetadataError, Read, values};

pub(super) fn read(texts: &Texts) -> Read {
    for (keyword, reader) in
        [("invokeai_metadata", from_metadata as fn(Pairs) -> Found), ("sd-metadata", from_old_metadata)]
    {
        if let Some(text) = texts.get(keyword) {
            return match values::parse_json(text) {
                Ok(Value::Object(fields)) => Ok(Some(reader(Pairs::from(fields)))),
                Ok(_) => Err(unreadable(format!("the text `{keyword}` is no JSON object"))),
                Err(fault) => Err(unreadable(format!("the text `{keyword}` is not JSON: {fault}"))),
            };
        }
    }
    let Some(command) = texts.get("Dream") else { return Ok(None) };
    match from_command(command) {
        Some(found) => Ok(Some(found)),
        None => {
            Err(unreadable("the text `Dream` does not begin with a prompt in quotation marks".to_owned()))
        }
    }
}

fn unreadable(why: String) -> MetadataError {
    MetadataError::unreadable(Program::InvokeAi, why)
}

fn from_metadata(mut pairs: Pairs) -> Found {
    let mut found = Found::new(Program::InvokeAi);
    let prompt = pairs.text("positive_prompt").unwrap_or_default();
    let negative_prompt = pairs.text("negative_prompt").unwrap_or_default();
    let (sampler, schedule) = pairs.text("scheduler").map(|name| sampler_and_schedule(&name)).unzip();
    found.raw = RawRequest {
        steps: pairs.whole("steps", &mut found),
        sampler,
        schedule,
        guidance_scale: pairs.number("cfg_scale", &mut found),
        guidance_rescale: pairs.number("cfg_rescale_multiplier", &mut found),
        width: pairs.whole("width", &mut found),
        height: pairs.whole("height", &mut found),
        noise: pairs.text("rand_device").filter(|device| device == "cuda"),
        ..words(&prompt, &negative_prompt)
    };
    found.seed = pairs.seed("seed", &mut found);
    let base = pairs.take("model").and_then(|model| {
        found.model = model_name(&model).map(|name| FoundModel { name, hash: None });
        ["base", "base_model"].into_iter().find_map(|key| values::text(model.get(key)?))
    });
    // How many layers are left out; of SDXL it always leaves out one.
    if let Some(skipped) = pairs.whole("clip_skip", &mut found)
        && base.is_none_or(|base| base == "sd-1")
    {
        found.clip = ClipLayer::FromLast(skipped.saturating_add(1));
    }
    if let Some(Value::Array(loras)) = pairs.take("loras") {
        found.loras = loras.iter().filter_map(lora).collect();
    }
    for (name, prompt) in [("positive_style_prompt", &prompt), ("negative_style_prompt", &negative_prompt)] {
        if let Some(style) = pairs.text(name).filter(|style| style != prompt) {
            found.leave(name, style, "both text encoders read one prompt here");
        }
    }
    let is_from_picture = pairs.text("generation_mode").is_some_and(|mode| !mode.ends_with("txt2img"));
    let strength = pairs.number("strength", &mut found);
    let image = pairs.take("init_image");
    if is_from_picture || image.is_some() {
        found.raw.strength = strength;
        found.leave_start("init_image", &image.map(|value| values::said(&value)).unwrap_or_default());
    }
    if let Some(vae) = pairs.take("vae").as_ref().and_then(model_name) {
        found.leave("vae", vae, "a model is used with its own VAE here");
    }
    pairs.leave_rest(&mut found, &UNSAID, &GROUPS);
    found
}

/// What describes the file, or how it stood on the canvas.
const UNSAID: [&str; 5] = ["app_version", "canvas_v2_metadata", "ref_images", "hrf_enabled", "_images"];

const GROUPS: [(&str, &str); 8] = [
    ("refiner", "a second model does not take over here"),
    ("hrf", "what it was enlarged by does not stand in the file; choose a second pass"),
    ("controlnets", "there is no ControlNet here"),
    ("control_layers", "there is no ControlNet here"),
    ("ipAdapters", "there is no IP-Adapter here"),
    ("t2iAdapters", "there is no T2I-Adapter here"),
    ("seamless", "pictures do not join at their edges here"),
    ("hidiffusion", "there is no HiDiffusion here"),
];

/// Before version 3: one object for the picture inside of one for the model.
fn from_old_metadata(mut pairs: Pairs) -> Found {
    let mut found = Found::new(Program::InvokeAi);
    let model = pairs.text("model_weights");
    found.model = model.map(|name| FoundModel { name, hash: None });
    let mut image = match pairs.take("image") {
        Some(Value::Object(image)) => Pairs::from(image),
        // The oldest had a list of them.
        _ => match pairs.take("images") {
            Some(Value::Array(images)) => {
                Pairs::from(images.first().and_then(Value::as_object).cloned().unwrap_or_default())
            }
            _ => Pairs::from(Map::new()),
        },
    };
    let prompt = image.take("prompt").map(|prompt| old_prompt(&prompt)).unwrap_or_default();
    let sampler = image.text("sampler");
    read_old(&mut found, &prompt, sampler.as_deref());
    found.raw.steps = image.whole("steps", &mut found);
    found.raw.guidance_scale = image.number("cfg_scale", &mut found);
    found.raw.width = image.whole("width", &mut found);
    found.raw.height = image.whole("height", &mut found);
    found.seed = image.seed("seed", &mut found);
    let strength =
        image.number("strength", &mut found).or_else(|| image.number("strength_steps", &mut found));
    if image.text("type").is_some_and(|kind| kind == "img2img") {
        found.raw.strength = strength;
        found.leave_start("img2img", "");
    }
    for (name, off) in [("threshold", 0.0), ("perlin", 0.0)] {
        if let Some(value) = image.number(name, &mut found).filter(|value| (value - off).abs() > f64::EPSILON)
        {
            found.leave(name, value.to_string(), "there is no such setting here");
        }
    }
    image.leave_rest(&mut found, &["postprocessing", "orig_hash"], &GROUPS);
    found
}

/// A list of prompts with weights, of which only one was ever in use.
fn old_prompt(prompt: &Value) -> String {
    match prompt {
        Value::Array(list) => list.first().map(old_prompt).unwrap_or_default(),
        Value::Object(fields) => fields.get("prompt").map(old_prompt).unwrap_or_default(),
        other => values::text(other).unwrap_or_default(),
    }
}

/// The words of a prompt in which the negative ones stand in square brackets.
fn read_old(found: &mut Found, prompt: &str, sampler: Option<&str>) {
    let (mut positive, mut negative) = (String::new(), Vec::new());
    let mut rest = prompt;
    while let Some((before, after)) = rest.split_once('[') {
        let Some((inside, after)) = after.split_once(']') else { break };
        positive.push_str(before);
        negative.push(inside.trim());
        rest = after;
    }
    positive.push_str(rest);
    let (sampler, schedule) = sampler.map(sampler_and_schedule).unzip();
    found.raw = RawRequest { sampler, schedule, ..words(positive.trim(), &negative.join(", ")) };
}

/// `"PROMPT" -s 50 -S 7 -W 512 -H 512 -C 7.5 -A k_lms`, as it was typed.
fn from_command(command: &str) -> Option<Found> {
    let (prompt, switches) = command.trim().strip_prefix('"')?.rsplit_once('"')?;
    let mut found = Found::new(Program::InvokeAi);
    let mut values: Vec<(char, String)> = Vec::new();
    for word in switches.split_whitespace() {
        let mut letters = word.chars();
        match (letters.next(), letters.next()) {
            (Some('-'), Some(letter)) if letter.is_ascii_alphabetic() => {
                values.push((letter, letters.as_str().to_owned()));
            }
            _ => {
                if let Some((_, value)) = values.last_mut() {
                    value.push_str(word);
                }
            }
        }
    }
    let value =
        |letter: char| values.iter().find(|(known, _)| *known == letter).map(|(_, value)| value.as_str());
    read_old(&mut found, prompt, value('A'));
    found.raw.steps = value('s').and_then(|text| text.parse().ok());
    found.raw.width = value('W').and_then(|text| text.parse().ok());
    found.raw.height = value('H').and_then(|text| text.parse().ok());
    found.raw.guidance_scale = value('C').and_then(|text| text.parse().ok());
    found.seed = value('S').and_then(|text| text.parse().ok());
    if let Some(image) = value('I') {
        found.raw.strength = value('f').and_then(|text| text.parse().ok());
        found.leave_start("-I", image);
    }
    for (letter, reason) in [
        ('G', "faces are not painted anew here"),
        ('U', "pictures are enlarged by a second pass here"),
        ('v', "variations were mixed in another way there"),
        ('V', "variations were mixed in another way there"),
    ] {
        if let Some(value) = value(letter) {
            found.leave(format!("-{letter}"), value, reason);
        }
    }
    Some(found)
}

/// Prompts as Darkroom reads them, and whose weights these are where there are any.
fn words(prompt: &str, negative_prompt: &str) -> RawRequest {
    let (prompt, negative_prompt) = (to_brackets(prompt), to_brackets(negative_prompt));
    let is_weighed = [&prompt, &negative_prompt].into_iter().any(|text| {
        let is_weighed =
            |part: &Part| matches!(part, Part::Text { weight, .. } if (weight - 1.0).abs() > 1e-9);
        parse(text).iter().any(is_weighed)
    });
    RawRequest {
        prompt,
        negative_prompt: Some(negative_prompt).filter(|text| !text.is_empty()),
        count: Some(1),
        noise: Some(NoiseSource::Cpu.as_str().to_owned()),
        weighting: is_weighed.then(|| Weighting::Compel.as_str().to_owned()),
        ..RawRequest::default()
    }
}

/// One name stands for both: `dpmpp_2m_k` is the sampler with Karras' levels, and without the ending the levels are even.
fn sampler_and_schedule(name: &str) -> (String, String) {
    let (sampler, schedule) = match name.strip_suffix("_k") {
        Some(sampler) => (sampler, "karras"),
        None => (name, "normal"),
    };
    // Its short name of before version 3.
    let sampler = if sampler == "k_dpmpp_2" { "dpmpp_2m" } else { sampler };
    (sampler.to_owned(), schedule.to_owned())
}

/// A model's name in either form of its object.
fn model_name(model: &Value) -> Option<String> {
    ["name", "model_name"].into_iter().find_map(|key| values::text(model.get(key)?))
}

/// `{"model": {…}, "weight": 0.8}`; before, the model stood under `lora`.
fn lora(lora: &Value) -> Option<FoundLora> {
    let name = ["model", "lora"].into_iter().find_map(|key| model_name(lora.get(key)?))?;
    let weight = lora.get("weight").and_then(values::number).unwrap_or(1.0);
    Some(FoundLora { name, text_encoder: weight, unet: weight })
}

#[cfg(test)]
#[path = "invokeai_tests.rs"]
mod tests;
