//! The settings that are one fold away, each with a sentence that says what it does.

use leptos::prelude::*;
use types::model::ModelInfo;
use types::sampler::{Sampler, Schedule};

use super::create_form::chosen_model;
use super::model_numbers::numbers_of;
use crate::format::{escaped, sentence};
use crate::request_query::says_more;
use crate::state::FormState;

/// The fields whose errors are shown outside of the fold.
const FIRST_FIELDS: [&str; 3] = ["prompt", "shape", "quality"];

/// The fold with everything but prompt, shape and quality.
pub fn more_settings(models: &[ModelInfo], form: &FormState) -> AnyView {
    let raw = &form.raw;
    let error_field = form.error.as_ref().and_then(|error| error.field.as_deref());
    let has_error = error_field.is_some_and(|field| !FIRST_FIELDS.contains(&field));
    let is_open = has_error || says_more(raw, models) || !form.typed.is_empty();
    let fields = Fields { form };
    let model = chosen_model(models, raw);
    let usual = model.map(|model| &model.defaults);
    let usual_scale = model.map(usual_guidance_scale).unwrap_or_default();
    let sides = model.map(sides_note).unwrap_or_default();
    let whole = |number: Option<i64>| number.map(|number| number.to_string());
    let scale = raw.guidance_scale.map(|scale| scale.to_string());
    let seed = whole(raw.seed.filter(|seed| *seed != -1));
    view! {
        <details class="more" id="more-settings" open=is_open>
            <summary>"More settings"</summary>
            <div class="fields">
                {model_field(&fields, models, raw.model.as_deref())}
                {negative_prompt_field(&fields, raw.negative_prompt.as_deref().unwrap_or(""))}
                {fields.number("steps", "Steps", "How often the picture is cleaned of noise. More is finer and slower.", whole(raw.steps), "from quality")}
                {fields.number("guidance_scale", "Guidance scale (CFG)", "How closely the picture keeps to the prompt. Low is free, high is strict and harsh.", scale, usual_scale)}
                {sampler_field(&fields, raw.sampler.as_deref(), usual.map(|usual| usual.sampler))}
                {schedule_field(&fields, raw.schedule.as_deref(), usual.map(|usual| usual.schedule))}
                {fields.number("seed", "Seed", "The same seed and settings give the same picture. Empty: a new one each time.", seed, "random")}
                {fields.number("count", "Pictures", "How many to make, each with the next seed.", whole(raw.count), "1")}
                {fields.number("width", "Width", sides.clone(), whole(raw.width), FROM_SHAPE)}
                {fields.number("height", "Height", sides, whole(raw.height), FROM_SHAPE)}
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

struct Fields<'a> {
    form: &'a FormState,
}

impl Fields<'_> {
    fn error_of(&self, field: &str) -> Option<String> {
        let error = self.form.error.as_ref().filter(|error| error.field.as_deref() == Some(field))?;
        Some(sentence(&error.message))
    }

    /// Label, control, sentence, and what is wrong.
    fn field(
        &self,
        name: &'static str,
        label: &'static str,
        note: String,
        control: impl FnOnce(String, Option<&'static str>) -> AnyView,
    ) -> AnyView {
        let error = self.error_of(name);
        let describes =
            if error.is_some() { format!("{name}-error {name}-note") } else { format!("{name}-note") };
        let control = control(describes, error.is_some().then_some("true"));
        let error =
            error.map(|error| view! { <p class="field-error" id=format!("{name}-error")>{error}</p> });
        view! {
            <div class=format!("field field-{name}")>
                <label for=name>{label}</label>
                {control}
                {error}
                <p class="note" id=format!("{name}-note")>
                    {note}
                </p>
            </div>
        }
        .into_any()
    }

    /// A number, or what was typed instead of one. A field of the browser's own kind for numbers would send
    /// nothing at all in that case, so nobody would learn of the mistake.
    fn number(
        &self,
        name: &'static str,
        label: &'static str,
        note: impl Into<String>,
        number: Option<String>,
        placeholder: impl Into<String>,
    ) -> AnyView {
        let value = self.form.typed.get(name).map(str::to_owned).or(number);
        let placeholder = placeholder.into();
        self.field(name, label, note.into(), move |describes, invalid| {
            view! {
                <input
                    type="text"
                    id=name
                    name=name
                    inputmode=if name == "guidance_scale" { "decimal" } else { "numeric" }
                    autocomplete="off"
                    value=value
                    placeholder=placeholder
                    aria-describedby=describes
                    aria-invalid=invalid
                />
            }
            .into_any()
        })
    }

    fn select(
        &self,
        name: &'static str,
        label: &'static str,
        note: impl Into<String>,
        options: Vec<Choice>,
    ) -> AnyView {
        self.field(name, label, note.into(), move |describes, invalid| {
            let options = options.into_iter().map(|choice| {
                view! {
                    <option
                        value=choice.value
                        id=choice.id
                        data-numbers=choice.numbers
                        selected=choice.is_chosen
                        disabled=choice.is_disabled
                    >
                        {choice.label}
                    </option>
                }
            });
            view! {
                <select id=name name=name aria-describedby=describes aria-invalid=invalid>
                    {options.collect_view()}
                </select>
            }
            .into_any()
        })
    }
}

#[derive(Default)]
struct Choice {
    value: String,
    label: String,
    is_chosen: bool,
    is_disabled: bool,
    id: Option<&'static str>,
    /// What the form says with this model, for a script.
    numbers: Option<String>,
}

fn model_field(fields: &Fields<'_>, models: &[ModelInfo], chosen: Option<&str>) -> AnyView {
    let default = models.first().map(|model| model.name.as_str());
    let options = models.iter().map(|model| Choice {
        value: model.name.clone(),
        label: format!("{} ({})", model.title, model.name),
        is_chosen: chosen.or(default) == Some(model.name.as_str()),
        is_disabled: model.problem.is_some(),
        numbers: (models.len() > 1).then(|| numbers_of(model)),
        ..Choice::default()
    });
    fields.select(
        "model",
        "Model",
        "What paints. Each has its own world; the Models page describes them.",
        options.collect(),
    )
}

fn negative_prompt_field(fields: &Fields<'_>, text: &str) -> AnyView {
    let text = escaped(text);
    let note = "What to keep out of the picture. Works with a guidance scale above 1.";
    fields.field("negative_prompt", "Negative prompt", note.to_owned(), |describes, invalid| {
        view! {
            <textarea id="negative_prompt" name="negative_prompt" rows="2" aria-describedby=describes aria-invalid=invalid>
                {text}
            </textarea>
        }
        .into_any()
    })
}

fn sampler_field(fields: &Fields<'_>, chosen: Option<&str>, usual: Option<Sampler>) -> AnyView {
    let chosen: Option<Sampler> = chosen.and_then(|name| name.parse().ok());
    let mut options = vec![usual_choice("sampler-usual", usual.map(Sampler::label), chosen.is_none())];
    options.extend(Sampler::ALL.map(|sampler| Choice {
        value: sampler.to_string(),
        label: format!("{}: {}", sampler.label(), sampler.describe()),
        is_chosen: chosen == Some(sampler),
        ..Choice::default()
    }));
    let note = "How noise is removed, step by step.";
    fields.select("sampler", "Sampler", note, options)
}

fn schedule_field(fields: &Fields<'_>, chosen: Option<&str>, usual: Option<Schedule>) -> AnyView {
    let chosen: Option<Schedule> = chosen.and_then(|name| name.parse().ok());
    let mut options = vec![usual_choice("schedule-usual", usual.map(Schedule::label), chosen.is_none())];
    options.extend(Schedule::ALL.map(|schedule| Choice {
        value: schedule.to_string(),
        label: schedule.label().to_owned(),
        is_chosen: chosen == Some(schedule),
        ..Choice::default()
    }));
    let note = "How the noise levels are spaced. Karras spends more steps on fine detail.";
    fields.select("schedule", "Noise schedule", note, options)
}

/// An empty field, which leaves it to the model.
fn usual_choice(id: &'static str, label: Option<&'static str>, is_chosen: bool) -> Choice {
    let label = label.map_or_else(|| "the model's usual".to_owned(), usual_label);
    Choice { label, is_chosen, id: Some(id), ..Choice::default() }
}
