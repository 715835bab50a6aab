//! The form that asks for pictures.

use leptos::prelude::*;
use types::model::{ModelInfo, Vocabulary};
use types::preset::Presets;
use types::prompt::Style;
use types::request::RawRequest;

use super::choices::{quality_choice, shape_choice};
use super::finer_settings::finer_settings;
use super::lora_picker::InstalledLora;
use super::more_settings::more_settings;
use super::settings_from_picture::{filled_from_picture, settings_from_picture};
use super::start_fields::{Materials, start_fields};
use super::start_picture::start_picture;
use crate::format::sentence;
use crate::islands::prompt_help::WordGroup;
use crate::islands::prompt_writer::PromptWriter;
use crate::islands::settings_from_picture::FIELD;
use crate::state::FormState;

/// What the form offers.
#[derive(Debug, Clone, Default)]
pub struct Offer {
    /// The installed picture models, the usual one first.
    pub models: Vec<ModelInfo>,
    /// The installed LoRAs.
    pub loras: Vec<InstalledLora>,
    /// The styles that can be picked.
    pub styles: Vec<Style>,
    /// Names of the lists of words that a prompt may name.
    pub word_lists: Vec<String>,
    /// What is meant by each quality.
    pub presets: Presets,
    /// Whether there is a model that writes prompts.
    pub can_write: bool,
}

/// The form as it was filled in, with what is wrong beside its field.
pub fn create_form(offer: &Offer, form: &FormState, materials: &Materials) -> AnyView {
    let models = &offer.models;
    let (raw, error) = (&form.raw, form.error.as_ref());
    let Some(model) = chosen_model(models, raw) else {
        return view! {
            <p class="notice" role="alert">
                "No model is installed, so there is nothing to paint with. Put one into the models folder; the Models page says how."
            </p>
        }
        .into_any();
    };
    let field = error.and_then(|error| error.field.as_deref());
    let prompt_error = error.filter(|_| field == Some("prompt")).map(|error| sentence(&error.message));
    // The prompt's error stands right here; others may be far down the page.
    let summary = error.filter(|_| field != Some("prompt")).map(|error| {
        let link = field.map(|field| view! { <a href=format!("#{field}")>"Show the field"</a> });
        view! {
            <p class="notice" role="alert">
                {sentence(&error.message)} " " {link}
            </p>
        }
    });
    let settings_error = error.filter(|_| field == Some(FIELD)).map(|error| sentence(&error.message));
    let filled = form.filled.as_ref().map(filled_from_picture);
    let groups = model.vocabulary.as_ref().map(word_groups).unwrap_or_default();
    // Without a script, Random prompt tells by these whether the box still holds what GPT-2 wrote.
    let written = form.beginning.clone().map(|beginning| {
        view! {
            <input type="hidden" name="beginning" value=beginning />
            <input type="hidden" name="written" value=raw.prompt.clone() />
        }
    });
    let prompt = view! {
        <PromptWriter
            text=raw.prompt.clone()
            model=model.name.clone()
            error=prompt_error
            groups=groups
            examples=model.examples.clone()
            can_write=offer.can_write
        />
    }
    .into_any();
    let has_start = materials.start.is_some();
    let start = start_picture(&start_fields(form, materials));
    view! {
        // Files can be sent in this way alone; with a script none is sent with the form.
        <form class="create" method="post" action="/" enctype="multipart/form-data" novalidate=true>
            // Enter in any field means Generate, and not the first button that follows.
            <input type="submit" hidden=true tabindex="-1" value="Generate" />
            {summary}
            {filled}
            {prompt}
            {written}
            <div class="choices">
                {shape_choice(offer, model, raw.shape, has_start)} {quality_choice(offer, model, raw)}
            </div>
            <button type="submit" class="primary generate" id="generate">
                "Generate"
            </button>
            <div class="folds">{start} {more_settings(offer, form)} {finer_settings(models, form)}</div>
            {settings_from_picture(settings_error)}
        </form>
    }
    .into_any()
}

/// The model that is asked for, or else the first.
pub fn chosen_model<'a>(models: &'a [ModelInfo], raw: &RawRequest) -> Option<&'a ModelInfo> {
    models.iter().find(|model| Some(&model.name) == raw.model.as_ref()).or_else(|| models.first())
}

fn word_groups(vocabulary: &Vocabulary) -> Vec<WordGroup> {
    let groups = [
        ("Subjects", &vocabulary.subjects),
        ("Colours", &vocabulary.colours),
        ("Places", &vocabulary.places),
        ("Times of day", &vocabulary.times),
        ("Weather", &vocabulary.weather),
        ("Styles", &vocabulary.styles),
    ];
    groups
        .into_iter()
        .filter(|(_, words)| !words.is_empty())
        .map(|(name, words)| WordGroup { name: name.to_owned(), words: words.clone() })
        .collect()
}
