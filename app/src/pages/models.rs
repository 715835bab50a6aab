//! `/models`: what is installed, what each is good for, and what it needs.

use backend::Services;
use leptos::prelude::*;
use leptos_meta::Title;
use types::lora::LoraInfo;
use types::model::{Family, ModelInfo, Shape};

use crate::format::{bytes, query_value, rounded, sentence};

/// The page.
#[component]
pub fn ModelsPage() -> impl IntoView {
    let services = expect_context::<Services>();
    let (models, prompt_models, loras) = (services.models(), services.prompt_models(), services.loras());
    let has_models = !models.is_empty();
    view! {
        <Title text="Models" />
        <div class="models-page">
            <h1>"Models"</h1>
            <p class="lead">
                "A model is a checkpoint, one "
                <code>".safetensors"</code>
                " file, or a folder in the layout that diffusers writes. Whoever runs this site adds one with "
                <code>"darkroom models import"</code>
                " or "
                <code>"pull"</code>
                ", or by putting it into the models folder, which is the one named by "
                <code>"--models"</code>
                ", or else "
                <code>"models"</code>
                " in the data folder. "
                <code>"darkroom models list"</code>
                " shows what was found there."
            </p>
            {(!has_models).then(|| view! { <p class="notice">"No picture model is installed."</p> })}
            <ul class="model-cards">{models.iter().enumerate().map(|(at, model)| model_card(model, at == 0)).collect_view()}</ul>
            {(!loras.is_empty()).then(|| lora_list(&loras))}
            <h2>"Prompt writers"</h2>
            {if prompt_models.is_empty() {
                view! { <p class="lead">"No model that writes prompts is installed, so there is no Random prompt."</p> }
                    .into_any()
            } else {
                let names = prompt_models.into_iter().map(|name| view! { <li><code>{name}</code></li> });
                view! {
                    <p class="lead">"GPT-2 models. The first of these writes behind Random prompt."</p>
                    <ul class="names">{names.collect_view()}</ul>
                }
                    .into_any()
            }}
        </div>
    }
}

/// What a model or a LoRA belongs to.
fn family_name(family: Family) -> &'static str {
    match family {
        Family::Other => "A family of its own",
        known => known.title(),
    }
}

/// The installed LoRAs, each with the models that it changes or what is wrong with it.
fn lora_list(loras: &[LoraInfo]) -> AnyView {
    let rows = loras.iter().map(|lora| {
        let said = lora.problem.as_deref().map_or_else(
            || format!("{}, {}", family_name(lora.family), bytes(lora.size_bytes)),
            |problem| format!("Cannot be used. {}", sentence(problem)),
        );
        view! {
            <div class="setting">
                <dt>
                    <code>{lora.name.clone()}</code>
                </dt>
                <dd>{said}</dd>
            </div>
        }
    });
    view! {
        <h2>"LoRAs"</h2>
        <p class="lead">
            "Additions to the models of one family: chosen in the form, or written into the prompt as "
            <code>"<lora:name:0.8>"</code> ". They lie in the folder " <code>"loras"</code> " of the models folder."
        </p>
        <dl class="settings">{rows.collect_view()}</dl>
    }
    .into_any()
}

fn model_card(model: &ModelInfo, is_default: bool) -> AnyView {
    let sizes = Shape::ALL.map(|shape| {
        let (width, height) = model.size_of(shape);
        format!("{width} × {height}")
    });
    let facts = [
        ("Name in requests", model.name.clone()),
        ("Family", family_name(model.family).to_owned()),
        ("Sizes", sizes.join(", ")),
        (
            "Sides",
            format!(
                "{} to {} pixels, multiples of {}",
                model.limits.min_side, model.limits.max_side, model.limits.multiple
            ),
        ),
        (
            "Usual settings",
            format!(
                "{} steps, guidance scale {}, {}, {}",
                model.defaults.steps,
                model.defaults.guidance_scale,
                model.defaults.sampler.label(),
                model.defaults.schedule.label()
            ),
        ),
        ("Weights", rounded(model.n_parameters)),
        ("Memory", format!("about {} for one picture", bytes(model.memory_bytes))),
        ("Licence", model.licence.clone().unwrap_or_else(|| "not stated".to_owned())),
    ];
    let facts = facts.map(|(name, value)| {
        view! {
            <div class="setting">
                <dt>{name}</dt>
                <dd>{value}</dd>
            </div>
        }
    });
    let examples = model.examples.iter().take(4).map(|example| {
        let href = format!("/?model={}&prompt={}", query_value(&model.name), query_value(example));
        view! {
            <li>
                <a href=href>{example.clone()}</a>
            </li>
        }
    });
    let is_usable = model.problem.is_none();
    view! {
        <li class="model-card" class:unusable=!is_usable>
            <h2>{model.title.clone()}</h2>
            <p class="badges">
                {is_default.then(|| view! { <span class="badge">"Default"</span> })}
                {model.bundled.then(|| view! { <span class="badge">"Comes with Darkroom"</span> })}
                {(!is_usable).then(|| view! { <span class="badge bad">"Cannot be used"</span> })}
            </p>
            <p class="lead">{model.description.clone()}</p>
            {model.problem.as_deref().map(|problem| view! { <p class="notice">{sentence(problem)}</p> })}
            <dl class="settings">{facts.into_iter().collect_view()}</dl>
            {(is_usable && !model.examples.is_empty())
                .then(|| {
                    view! {
                        <h3>"Prompts to begin with"</h3>
                        <ul class="examples">{examples.collect_view()}</ul>
                    }
                })}
        </li>
    }
    .into_any()
}
