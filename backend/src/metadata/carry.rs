//! What of the settings that were found can be asked for here.

use serde_json::Value;
use types::error::PublicError;
use types::lora::LoraInfo;
use types::metadata::ReadSettings;
use types::model::{Family, ModelInfo, Shape};
use types::prompt::{LoraTag, can_stand_in_tag, lora_tags};
use types::request::{MAX_SEED, NoiseSource, RawLora, RawRequest, RequestContext};
use types::sampler::{Sampler, Schedule, parse_pair};

use super::found::{ClipLayer, Found, FoundLora, FoundModel, limited};
use super::{names, values};

/// Gives the name of the installed model whose file has this hash.
pub(crate) type OfHash<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Makes a request of settings, and tells what is lost on the way. Every value that a request of that kind may not have
/// is left out, with the sentence that would have refused it.
pub(crate) fn carry(mut found: Found, context: &RequestContext<'_>, of_hash: OfHash<'_>) -> ReadSettings {
    limited(&mut found.raw.prompt);
    if let Some(text) = &mut found.raw.negative_prompt {
        limited(text);
    }
    let model = carry_model(&mut found, context.models, of_hash);
    carry_seed(&mut found);
    // What is usual goes without saying.
    found.raw.noise = found.raw.noise.take().filter(|name| name != NoiseSource::default().as_str());
    found.raw.guidance_rescale = found.raw.guidance_rescale.filter(|rescale| rescale.abs() > f64::EPSILON);
    carry_sampler(&mut found);
    carry_clip_layer(&mut found, model);
    carry_tags(&mut found, context);
    carry_loras(&mut found, context);
    leave_what_is_refused(&mut found, context);
    let Found { program, raw: request, not_carried, .. } = found;
    ReadSettings { program, request, not_carried }
}

/// The model that will paint: the one that was found, if it is installed, or else the usual one.
fn carry_model<'a>(found: &mut Found, models: &'a [ModelInfo], of_hash: OfHash<'_>) -> Option<&'a ModelInfo> {
    let asked =
        found.model.take().or_else(|| found.raw.model.take().map(|name| FoundModel { name, hash: None }));
    let usual = models.first();
    let Some(FoundModel { name, hash }) = asked else { return usual };
    let by_name = names::find(&name, models.iter().map(|model| model.name.as_str()));
    let by_title = || names::find(&name, models.iter().map(|model| model.title.as_str()));
    let by_hash = || of_hash(hash.as_deref()?);
    let known = by_name
        .and_then(|name| models.iter().find(|model| model.name == name))
        .or_else(|| by_title().and_then(|title| models.iter().find(|model| model.title == title)))
        .or_else(|| by_hash().and_then(|name| models.iter().find(|model| model.name == name)));
    if let Some(known) = known {
        found.raw.model = Some(known.name.clone());
        return Some(known);
    }
    let value = match hash {
        Some(hash) if name.is_empty() => hash,
        Some(hash) => format!("{} [{hash}]", names::stem(&name)),
        None => names::stem(&name).to_owned(),
    };
    let instead = usual.map_or(String::new(), |model| format!("; `{}` takes its place", model.name));
    found.leave("model", value, format!("it is not installed here{instead}"));
    usual
}

/// A seed beyond what a request takes names the same noise as its lower 32 bits where no more of it counts.
fn carry_seed(found: &mut Found) {
    let Some(seed) = found.seed.filter(|seed| *seed != -1) else { return };
    let is_cpu = found.raw.noise.as_deref().is_none_or(|name| name == NoiseSource::Cpu.as_str());
    let sampler = found.raw.sampler.as_deref().and_then(|name| parse_pair(name).ok());
    // These draw from the whole seed later on.
    let is_stochastic = sampler.is_some_and(|(sampler, _)| {
        matches!(sampler, Sampler::DpmPlusPlusSde | Sampler::DpmPlusPlus2MSde | Sampler::DpmPlusPlus3MSde)
    });
    let is_small = (0..=i128::from(MAX_SEED)).contains(&seed);
    if let (true, Ok(seed)) = (is_small, i64::try_from(seed)) {
        found.raw.seed = Some(seed);
    } else if is_cpu && !is_stochastic && seed > 0 {
        let lower = seed & i128::from(u32::MAX);
        found.raw.seed = i64::try_from(lower).ok();
        let reason = format!("allowed are 0 to {MAX_SEED}; {lower} draws the same noise and takes its place");
        found.leave("seed", seed.to_string(), reason);
    } else {
        found.leave("seed", seed.to_string(), format!("it is out of range; allowed are 0 to {MAX_SEED}"));
    }
}

/// A sampler and its schedule by their own names. A program that names no schedule means even steps.
fn carry_sampler(found: &mut Found) {
    let Some(name) = found.raw.sampler.take() else { return };
    match parse_pair(&name) {
        Ok((sampler, with_schedule)) => {
            found.raw.sampler = Some(sampler.to_string());
            let schedule = with_schedule.unwrap_or(Schedule::Normal);
            found.raw.schedule.get_or_insert_with(|| schedule.to_string());
        }
        // It is refused with the rest.
        Err(_) => found.raw.sampler = Some(name),
    }
    if let Some(Ok(schedule)) = found.raw.schedule.as_deref().map(str::parse::<Schedule>) {
        found.raw.schedule = Some(schedule.to_string());
    }
}

/// A request counts from the layer that the model was trained to, which is not the last one of every family.
fn carry_clip_layer(found: &mut Found, model: Option<&ModelInfo>) {
    let family = model.map(|model| model.family).unwrap_or_default();
    let is_penultimate = matches!(family, Family::Sd2 | Family::Sdxl | Family::SdxlRefiner);
    let layer = match found.clip {
        ClipLayer::Usual => return,
        ClipLayer::FromLastOfSd1(_) if is_penultimate => return,
        ClipLayer::FromLast(1) if is_penultimate => {
            found.leave("clip skip", "1", "this model begins with the last layer but one");
            return;
        }
        ClipLayer::FromLast(layer) if is_penultimate => layer.saturating_sub(1),
        ClipLayer::FromLast(layer) | ClipLayer::FromLastOfSd1(layer) => layer,
    };
    found.raw.clip_skip = (layer != 1).then_some(layer);
}

/// LoRAs that the prompt names in tags. Those that are not to be had are taken out of it.
fn carry_tags(found: &mut Found, context: &RequestContext<'_>) {
    let (text, tags) = lora_tags(&found.raw.prompt);
    let mut is_changed = false;
    let mut kept = Vec::new();
    for tag in tags {
        let name = installed_lora(&tag.name, context.loras).unwrap_or(&tag.name).to_owned();
        let refused = [tag.text_encoder, tag.unet]
            .into_iter()
            .find_map(|weight| refused_lora(&name, weight, found.raw.model.as_ref(), context));
        if let Some(reason) = refused {
            is_changed = true;
            found.leave("LoRA", format!("{}:{}", tag.name, tag.unet), reason);
        } else {
            is_changed |= name != tag.name;
            kept.push(LoraTag { name, ..tag });
        }
    }
    if is_changed {
        let tags = kept.iter().map(tag_text);
        let words = std::iter::once(text.split_whitespace().collect::<Vec<_>>().join(" "));
        found.raw.prompt = words.chain(tags).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    }
}

fn tag_text(LoraTag { name, text_encoder, unet }: &LoraTag) -> String {
    if (text_encoder - unet).abs() < f64::EPSILON {
        format!("<lora:{name}:{unet}>")
    } else {
        format!("<lora:{name}:{text_encoder}:{unet}>")
    }
}

/// Most LoRAs beside the prompt that are looked at.
const MOST_LORAS: usize = 64;

/// LoRAs that are listed beside the prompt. One with two weights can be asked for in a tag alone.
fn carry_loras(found: &mut Found, context: &RequestContext<'_>) {
    for FoundLora { name, text_encoder, unet } in
        std::mem::take(&mut found.loras).into_iter().take(MOST_LORAS)
    {
        let known = installed_lora(&name, context.loras).unwrap_or(names::stem(&name)).to_owned();
        let refused = [text_encoder, unet]
            .into_iter()
            .find_map(|weight| refused_lora(&known, weight, found.raw.model.as_ref(), context));
        if let Some(reason) = refused {
            found.leave("LoRA", format!("{}:{unet}", names::stem(&name)), reason);
            continue;
        }
        let is_one_weight = (text_encoder - unet).abs() < 1e-9;
        if !is_one_weight && can_stand_in_tag(&known) {
            let tag = tag_text(&LoraTag { name: known, text_encoder, unet });
            let tagged = format!("{} {tag}", found.raw.prompt);
            tagged.trim_start().clone_into(&mut found.raw.prompt);
            continue;
        }
        if !is_one_weight {
            let reason = format!("its name can have one weight alone; {unet} is taken for both");
            found.leave("LoRA", format!("{known}:{text_encoder}:{unet}"), reason);
        }
        // Several uses of one file add up.
        match found.raw.loras.iter_mut().find(|lora| lora.name == known) {
            Some(lora) => lora.weight = Some(lora.weight.unwrap_or(1.0) + unet),
            None => found.raw.loras.push(RawLora { name: known, weight: Some(unet) }),
        }
    }
}

fn installed_lora<'a>(name: &str, installed: &'a [LoraInfo]) -> Option<&'a str> {
    names::find(name, installed.iter().map(|lora| lora.name.as_str()))
}

/// A prompt that nobody refuses.
const STAND_IN: &str = "a picture";

/// Why a LoRA would be refused, if it would be.
fn refused_lora(
    name: &str,
    weight: f64,
    model: Option<&String>,
    context: &RequestContext<'_>,
) -> Option<String> {
    let alone = RawRequest {
        prompt: STAND_IN.to_owned(),
        model: model.cloned(),
        loras: vec![RawLora { name: name.to_owned(), weight: Some(weight) }],
        ..RawRequest::default()
    };
    let error = alone.check(context, || 0).err()?;
    (error.field.as_deref() == Some("loras")).then_some(error.message)
}

/// More rounds than a request has fields.
const MOST_ROUNDS: usize = 60;

/// Takes every value out that would be refused. A prompt stays as it is: it is shown with what is wrong with it.
fn leave_what_is_refused(found: &mut Found, context: &RequestContext<'_>) {
    // A prompt that is refused would hide all other mistakes.
    let (mut prompt_is_refused, mut negative_is_refused) = (false, false);
    for _ in 0..MOST_ROUNDS {
        let mut asked = found.raw.clone();
        if prompt_is_refused {
            STAND_IN.clone_into(&mut asked.prompt);
        }
        asked.negative_prompt = asked.negative_prompt.filter(|_| !negative_is_refused);
        let Err(error) = asked.check(context, || 0) else { return };
        match error.field.as_deref() {
            Some("prompt") if !prompt_is_refused => prompt_is_refused = true,
            Some("negative_prompt") if !negative_is_refused => negative_is_refused = true,
            _ if leave_refused(found, &error) => {}
            _ => return,
        }
    }
}

/// Takes the field out that an error names. Says whether there was something to take.
fn leave_refused(found: &mut Found, error: &PublicError) -> bool {
    let Some(field) = error.field.as_deref() else { return false };
    match field {
        "width" | "height" => {
            let (width, height) = (found.raw.width.take(), found.raw.height.take());
            let (Some(width), Some(height)) = (width, height) else { return width.or(height).is_some() };
            found.raw.shape = Some(match width.cmp(&height) {
                std::cmp::Ordering::Less => Shape::Portrait,
                std::cmp::Ordering::Equal => Shape::Square,
                std::cmp::Ordering::Greater => Shape::Landscape,
            });
            found.leave("size", format!("{width}x{height}"), &error.message);
            true
        }
        "hires_scale" => {
            let scale = found.raw.hires_scale.take();
            (found.raw.hires_steps, found.raw.hires_strength) = (None, None);
            found.leave(
                "second pass",
                scale.map_or(String::new(), |scale| format!("{scale}x")),
                &error.message,
            );
            scale.is_some()
        }
        "loras" => {
            let loras = std::mem::take(&mut found.raw.loras);
            for lora in &loras {
                found.leave("LoRA", &lora.name, &error.message);
            }
            !loras.is_empty()
        }
        "prompt" | "negative_prompt" => false,
        field => {
            // The fields of a request are those of its JSON.
            let Ok(Value::Object(mut fields)) = serde_json::to_value(&found.raw) else { return false };
            let Some(value) = fields.remove(field) else { return false };
            let Ok(rest) = serde_json::from_value(Value::Object(fields)) else { return false };
            found.raw = rest;
            found.leave(field.replace('_', " "), values::said(&value), &error.message);
            true
        }
    }
}

#[cfg(test)]
#[path = "carry_tests.rs"]
mod tests;
