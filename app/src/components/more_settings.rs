//! The settings that are one fold away, each with a sentence that says what it does.

use leptos::prelude::*;
use types::aspect_ratio::AspectRatio;
use types::model::{Family, ModelInfo};
use types::sampler::{Sampler, Schedule};

use super::create_form::{Offer, chosen_model};
use super::fields::{Choice, Fields};
use super::lora_picker::lora_picker;
use super::model_numbers::numbers_of;
use super::style_picker::style_picker;
use crate::format::escaped;
use crate::request_query::says_more;
use crate::state::FormState;

/// The number fields of the fold.
const NUMBERS: [&str; 6] = ["steps", "guidance_scale", "seed", "count", "width", "height"];
/// Its other fields.
const OTHERS: [&str; 8] =
    ["model", "negative_prompt", "styles", "extend", "sampler", "schedule", "aspect_ratio", "loras"];

/// The fold with what people change most often.
pub fn more_settings(offer: &Offer, form: &FormState) -> AnyView {
    let (models, raw) = (&offer.models, &form.raw);
    let has_error = form.has_error_in(&NUMBERS) || form.has_error_in(&OTHERS);
    let is_open = has_error || says_more(raw, models) || form.typed.has_any(&NUMBERS);
    let fields = Fields { form };
    let model = chosen_model(models, raw);
    let usual = model.map(|model| &model.defaults);
    let usual_scale = model.map(usual_guidance_scale).unwrap_or_default();
    let sides = model.map(sides_note).unwrap_or_default();
    let seed = raw.seed.filter(|seed| *seed != -1);
    view! {
        <details class="more" id="more-settings" open=is_open>
            <summary>"More settings"</summary>
            <div class="fields">
                {model_field(&fields, offer, raw.model.as_deref())}
                {negative_prompt_field(&fields, raw.negative_prompt.as_deref().unwrap_or(""))}
                {offer.can_write.then(|| extend_field(&fields, raw.extend))}
                {style_picker(&offer.styles, &offer.word_lists, &raw.styles, model, fields.error_of("styles"))}
                {lora_picker(&offer.loras, &raw.loras, fields.error_of("loras"))}
                {fields.whole("steps", "Steps", "How often the picture is cleaned of noise. More is finer and slower.", raw.steps, "from quality")}
                {fields.decimal("guidance_scale", "Guidance scale (CFG)", "How closely the picture keeps to the prompt. Low is free, high is strict and harsh.", raw.guidance_scale, usual_scale)}
                {sampler_field(&fields, raw.sampler.as_deref(), usual.map(|usual| usual.sampler))}
                {schedule_field(&fields, raw.schedule.as_deref(), usual.map(|usual| usual.schedule))}
                {fields.whole("seed", "Seed", "The same seed and settings give the same picture. Empty: a new one each time.", seed, "random")}
                {fields.whole("count", "Pictures", "How many to make, each with the next seed.", raw.count, "1")}
                {aspect_ratio_field(&fields, offer, raw.aspect_ratio.as_deref(), model)}
                {fields.whole("width", "Width", sides.clone(), raw.width, FROM_SHAPE)}
                {fields.whole("height", "Height", sides, raw.height, FROM_SHAPE)}
            </div>
        </details>
    }
    .into_any()
}

const FROM_SHAPE: &str = "from shape";

/// Which widths and heights are possible with a model.
pub fn sides_note(model: &ModelInfo) -> String {
    let limits = &model.limits;
    format!(
        "Pixels, a multiple of {} from {} to {}. Empty: from the shape.",
        limits.multiple, limits.min_side, limits.max_side
    )
}

/// The guidance scale that a model takes where none is asked for.
pub fn usual_guidance_scale(model: &ModelInfo) -> String {
    model.defaults.guidance_scale.to_string()
}

/// How a list says what it means to leave the choice to the model.
pub fn usual_label(label: &str) -> String {
    format!("{label} (usual)")
}

fn model_field(fields: &Fields<'_>, offer: &Offer, chosen: Option<&str>) -> AnyView {
    let models = &offer.models;
    let by_quality = offer.presets.name_a_model().then(|| Choice {
        label: "what the quality stands for".to_owned(),
        is_chosen: chosen.is_none(),
        numbers: models.first().map(|first| numbers_of(offer, first, None)),
        ..Choice::default()
    });
    let default = models.first().filter(|_| by_quality.is_none());
    let is_mixed = models.iter().any(|model| model.family != models[0].family);
    let default = default.map(|model| model.name.as_str());
    let options = models.iter().map(|model| Choice {
        value: model.name.clone(),
        label: format!(
            "{} ({}){}",
            model.title,
            model.name,
            if model.inpaints { ", made for masks" } else { "" }
        ),
        group: if is_mixed { family_heading(model.family) } else { "" },
        is_chosen: chosen.or(default) == Some(model.name.as_str()),
        is_disabled: model.problem.is_some(),
        numbers: (models.len() > 1).then(|| numbers_of(offer, model, Some(model))),
        ..Choice::default()
    });
    fields.select(
        "model",
        "Model",
        "What paints. Each has its own world; the Models page describes them.",
        by_quality.into_iter().chain(options).collect(),
    )
}

/// What models of a family stand under, where there are several.
fn family_heading(family: Family) -> &'static str {
    match family {
        Family::Other => "Of their own kind",
        known => known.title(),
    }
}

fn negative_prompt_field(fields: &Fields<'_>, text: &str) -> AnyView {
    let text = escaped(text);
    let note = "What to keep out of the picture. Works with a guidance scale above 1.";
    fields.field("negative_prompt", "Negative prompt", note, |described| {
        view! {
            <textarea id="negative_prompt" name="negative_prompt" rows="2" aria-describedby=described.by aria-invalid=described.invalid>
                {text}
            </textarea>
        }
        .into_any()
    })
}

/// What a script does as it is typed, for whoever has none or wants it done at once.
fn extend_field(fields: &Fields<'_>, is_set: bool) -> AnyView {
    let error = fields.error_of("extend").map(|error| view! { <p class="field-error">{error}</p> });
    view! {
        <div class="field field-extend">
            <div class="check">
                <input
                    type="checkbox"
                    id="extend"
                    name="extend"
                    value="true"
                    checked=is_set
                    aria-describedby="extend-note"
                    autocomplete="off"
                />
                <label for="extend">"Extend my prompt before painting"</label>
            </div>
            {error}
            <p class="note" id="extend-note">
                "GPT-2 goes on with what you typed when the picture is asked for. To see it first and undo it, press Extend prompt above."
            </p>
        </div>
    }
    .into_any()
}

fn aspect_ratio_field(
    fields: &Fields<'_>,
    offer: &Offer,
    chosen: Option<&str>,
    model: Option<&ModelInfo>,
) -> AnyView {
    let from_shape =
        Choice { label: FROM_SHAPE.to_owned(), is_chosen: chosen.is_none(), ..Choice::default() };
    let ratios = AspectRatio::ALL.map(|ratio| Choice {
        value: ratio.to_string(),
        label: ratio_label(offer, ratio, model),
        is_chosen: chosen == Some(ratio.to_string().as_str()),
        id: Some(ratio_id(ratio)),
        ..Choice::default()
    });
    let note = "Width to height, in the size that suits the model; goes before the shape. A start picture keeps its own.";
    let choices = std::iter::once(from_shape).chain(ratios).collect();
    fields.select("aspect_ratio", "Aspect ratio", note, choices)
}

/// A ratio with the size that it stands for, unless that depends on the quality.
pub fn ratio_label(offer: &Offer, ratio: AspectRatio, model: Option<&ModelInfo>) -> String {
    let model = model.filter(|_| !offer.presets.name_a_size());
    let size = model.map(|model| model.size_of_ratio(ratio));
    size.map_or_else(|| ratio.to_string(), |(width, height)| format!("{ratio}, {width} × {height}"))
}

/// The id of a ratio's entry.
pub fn ratio_id(ratio: AspectRatio) -> String {
    format!("aspect_ratio-{}-{}", ratio.across, ratio.down)
}

fn sampler_field(fields: &Fields<'_>, chosen: Option<&str>, usual: Option<Sampler>) -> AnyView {
    let chosen: Option<Sampler> = chosen.and_then(|name| name.parse().ok());
    let mut options = vec![usual_choice("sampler-usual", usual.map(Sampler::label), chosen.is_none())];
    options.extend(Sampler::ALL.map(|sampler| Choice {
        value: sampler.to_string(),
        label: format!("{}: {}", sampler.label(), sampler.describe()),
        group: sampler_heading(sampler),
        is_chosen: chosen == Some(sampler),
        ..Choice::default()
    }));
    let note = "How noise is removed, step by step.";
    fields.select("sampler", "Sampler", note, options)
}

/// What samplers of a kind stand under.
fn sampler_heading(sampler: Sampler) -> &'static str {
    match sampler {
        Sampler::DpmPlusPlus2M
        | Sampler::Euler
        | Sampler::UniPc
        | Sampler::Ddim
        | Sampler::Heun
        | Sampler::Dpm2
        | Sampler::Lms
        | Sampler::Pndm => "Settle with more steps",
        Sampler::EulerAncestral
        | Sampler::DpmPlusPlus2MSde
        | Sampler::DpmPlusPlusSde
        | Sampler::DpmPlusPlus3MSde
        | Sampler::DpmPlusPlus2SAncestral
        | Sampler::Dpm2Ancestral
        | Sampler::Ddpm => "Lively: fresh noise at every step",
        Sampler::Lcm | Sampler::Tcd => "For models distilled to few steps",
    }
}

fn schedule_field(fields: &Fields<'_>, chosen: Option<&str>, usual: Option<Schedule>) -> AnyView {
    let chosen: Option<Schedule> = chosen.and_then(|name| name.parse().ok());
    let mut options = vec![usual_choice("schedule-usual", usual.map(Schedule::label), chosen.is_none())];
    options.extend(Schedule::ALL.map(|schedule| Choice {
        value: schedule.to_string(),
        label: format!("{}: {}", schedule.label(), schedule.describe()),
        is_chosen: chosen == Some(schedule),
        ..Choice::default()
    }));
    let note = "How the noise levels are spaced.";
    fields.select("schedule", "Noise schedule", note, options)
}

/// An empty field, which leaves it to the model.
fn usual_choice(id: &'static str, label: Option<&'static str>, is_chosen: bool) -> Choice {
    let label = label.map_or_else(|| "the model's usual".to_owned(), usual_label);
    Choice { label, is_chosen, id: Some(id.to_owned()), ..Choice::default() }
}
