//! The settings that are one fold away, each with a sentence that says what it does.

use leptos::prelude::*;
use types::error::PublicError;
use types::model::ModelInfo;
use types::request::{COUNT, GUIDANCE_SCALE, MAX_SEED, RawRequest, STEPS};
use types::sampler::{Sampler, Schedule};

use crate::format::{escaped, sentence};
use crate::request_query::says_more;

/// The fields whose errors are shown outside of the fold.
const FIRST_FIELDS: [&str; 3] = ["prompt", "shape", "quality"];

/// The fold with everything but prompt, shape and quality.
pub fn more_settings(models: &[ModelInfo], raw: &RawRequest, error: Option<&PublicError>) -> AnyView {
    let has_error =
        error.and_then(|error| error.field.as_deref()).is_some_and(|field| !FIRST_FIELDS.contains(&field));
    let fields = Fields { error: error.cloned() };
    let model =
        models.iter().find(|model| Some(&model.name) == raw.model.as_ref()).or_else(|| models.first());
    let usual = model.map(|model| model.defaults.clone());
    let limits = model.map(|model| model.limits);
    let size_note = limits.map(|limits| {
        format!(
            "Pixels, a multiple of {} from {} to {}. Empty: from the shape.",
            limits.multiple, limits.min_side, limits.max_side
        )
    });
    let size_note = size_note.unwrap_or_default();
    let size = |side: Option<i64>| Number {
        value: side.map(|side| side.to_string()),
        min: limits.map_or(8, |limits| limits.min_side).to_string(),
        max: limits.map_or(2048, |limits| limits.max_side).to_string(),
        step: limits.map_or(8, |limits| limits.multiple).to_string(),
        placeholder: "from shape".to_owned(),
    };
    let steps = Number {
        value: raw.steps.map(|steps| steps.to_string()),
        min: STEPS.start().to_string(),
        max: STEPS.end().to_string(),
        step: "1".to_owned(),
        placeholder: "from quality".to_owned(),
    };
    let guidance = Number {
        value: raw.guidance_scale.map(|scale| scale.to_string()),
        min: GUIDANCE_SCALE.start().to_string(),
        max: GUIDANCE_SCALE.end().to_string(),
        step: "any".to_owned(),
        placeholder: usual.as_ref().map(|usual| usual.guidance_scale.to_string()).unwrap_or_default(),
    };
    let seed = Number {
        value: raw.seed.filter(|seed| *seed != -1).map(|seed| seed.to_string()),
        min: "0".to_owned(),
        max: MAX_SEED.to_string(),
        step: "1".to_owned(),
        placeholder: "random".to_owned(),
    };
    let count = Number {
        value: raw.count.map(|count| count.to_string()),
        min: COUNT.start().to_string(),
        max: COUNT.end().to_string(),
        step: "1".to_owned(),
        placeholder: "1".to_owned(),
    };
    view! {
        <details class="more" id="more-settings" open=has_error || says_more(raw, models)>
            <summary>"More settings"</summary>
            <div class="fields">
                {model_field(&fields, models, raw.model.as_deref())}
                {negative_prompt_field(&fields, raw.negative_prompt.as_deref().unwrap_or(""))}
                {fields.number("steps", "Steps", "How often the picture is cleaned of noise. More is finer and slower.", steps)}
                {fields.number("guidance_scale", "Guidance scale (CFG)", "How closely the picture keeps to the prompt. Low is free, high is strict and harsh.", guidance)}
                {sampler_field(&fields, raw.sampler.as_deref(), usual.as_ref().map(|usual| usual.sampler))}
                {schedule_field(&fields, raw.schedule.as_deref(), usual.as_ref().map(|usual| usual.schedule))}
                {fields.number("seed", "Seed", "The same seed and settings give the same picture. Empty: a new one each time.", seed)}
                {fields.number("count", "Pictures", "How many to make, each with the next seed.", count)}
                {fields.number("width", "Width", size_note.clone(), size(raw.width))}
                {fields.number("height", "Height", size_note, size(raw.height))}
            </div>
        </details>
    }
    .into_any()
}

struct Number {
    value: Option<String>,
    min: String,
    max: String,
    step: String,
    placeholder: String,
}

struct Fields {
    error: Option<PublicError>,
}

impl Fields {
    fn error_of(&self, field: &str) -> Option<String> {
        let error = self.error.as_ref().filter(|error| error.field.as_deref() == Some(field))?;
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

    fn number(
        &self,
        name: &'static str,
        label: &'static str,
        note: impl Into<String>,
        number: Number,
    ) -> AnyView {
        self.field(name, label, note.into(), move |describes, invalid| {
            view! {
                <input
                    type="number"
                    id=name
                    name=name
                    inputmode=if number.step == "any" { "decimal" } else { "numeric" }
                    value=number.value
                    min=number.min
                    max=number.max
                    step=number.step
                    placeholder=number.placeholder
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
                    <option value=choice.value selected=choice.is_chosen disabled=choice.is_disabled>
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

struct Choice {
    value: String,
    label: String,
    is_chosen: bool,
    is_disabled: bool,
}

fn model_field(fields: &Fields, models: &[ModelInfo], chosen: Option<&str>) -> AnyView {
    let default = models.first().map(|model| model.name.as_str());
    let options = models.iter().map(|model| Choice {
        value: model.name.clone(),
        label: format!("{} ({})", model.title, model.name),
        is_chosen: chosen.or(default) == Some(model.name.as_str()),
        is_disabled: model.problem.is_some(),
    });
    fields.select(
        "model",
        "Model",
        "What paints. Each has its own world; the Models page describes them.",
        options.collect(),
    )
}

fn negative_prompt_field(fields: &Fields, text: &str) -> AnyView {
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

fn sampler_field(fields: &Fields, chosen: Option<&str>, usual: Option<Sampler>) -> AnyView {
    let chosen: Option<Sampler> = chosen.and_then(|name| name.parse().ok());
    let mut options = vec![usual_choice(usual.map(Sampler::label), chosen.is_none())];
    options.extend(Sampler::ALL.map(|sampler| Choice {
        value: sampler.to_string(),
        label: format!("{}: {}", sampler.label(), sampler.describe()),
        is_chosen: chosen == Some(sampler),
        is_disabled: false,
    }));
    let note = "How the noise is walked down, from step to step.";
    fields.select("sampler", "Sampler", note, options)
}

fn schedule_field(fields: &Fields, chosen: Option<&str>, usual: Option<Schedule>) -> AnyView {
    let chosen: Option<Schedule> = chosen.and_then(|name| name.parse().ok());
    let mut options = vec![usual_choice(usual.map(Schedule::label), chosen.is_none())];
    options.extend(Schedule::ALL.map(|schedule| Choice {
        value: schedule.to_string(),
        label: schedule.label().to_owned(),
        is_chosen: chosen == Some(schedule),
        is_disabled: false,
    }));
    let note = "How the noise levels are spaced. Karras spends more steps on fine detail.";
    fields.select("schedule", "Noise schedule", note, options)
}

/// An empty field, which leaves it to the model.
fn usual_choice(label: Option<&'static str>, is_chosen: bool) -> Choice {
    let label = label.map_or_else(|| "the model's usual".to_owned(), |label| format!("{label} (usual)"));
    Choice { value: String::new(), label, is_chosen, is_disabled: false }
}
