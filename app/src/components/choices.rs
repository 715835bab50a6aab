//! The two choices that everybody gets: shape and quality.

use leptos::prelude::*;
use types::model::{ModelInfo, Quality, Shape};
use types::request::RawRequest;

use super::create_form::Offer;
use super::icons::{quality_icon, shape_icon};
use crate::format::counted;

/// Shape, as drawn radio buttons. A start picture brings its own.
pub fn shape_choice(offer: &Offer, model: &ModelInfo, chosen: Option<Shape>, has_start: bool) -> AnyView {
    let chosen = chosen.unwrap_or_default();
    let options = Shape::ALL.map(|shape| {
        let note = size_note(offer, model, shape);
        let name = match shape {
            Shape::Square => "Square",
            Shape::Landscape => "Landscape",
            Shape::Portrait => "Portrait",
        };
        option("shape", shape.as_str(), shape == chosen, shape_icon(shape), name, note)
    });
    view! {
        <fieldset class="choice" id="shape-choice" disabled=has_start>
            <legend>"Shape" <span class="from-start">": that of the start picture"</span></legend>
            <div class="options">{options.into_iter().collect_view()}</div>
        </fieldset>
    }
    .into_any()
}

/// Quality, which is steps by name, and perhaps more.
pub fn quality_choice(offer: &Offer, model: &ModelInfo, raw: &RawRequest) -> AnyView {
    let chosen = raw.quality.unwrap_or_default();
    let named = raw.model.as_ref().map(|_| model);
    let options = Quality::ALL.map(|quality| {
        let (name, n_bars) = match quality {
            Quality::Preview => ("Preview", 1),
            Quality::Standard => ("Standard", 2),
            Quality::Premium => ("Premium", 3),
        };
        let note = quality_note(offer, named, quality);
        option("quality", quality.as_str(), quality == chosen, quality_icon(n_bars), name, note)
    });
    view! {
        <fieldset class="choice">
            <legend>"Quality"</legend>
            <div class="options">{options.into_iter().collect_view()}</div>
        </fieldset>
    }
    .into_any()
}

/// What a shape is with this model: pixels, or its ratio where the pixels depend on the quality.
pub fn size_note(offer: &Offer, model: &ModelInfo, shape: Shape) -> String {
    let (width, height) = model.size_of(shape);
    if !offer.presets.name_a_size() {
        return format!("{width} × {height}");
    }
    let common = greatest_common_divisor(width, height).max(1);
    format!("{}:{}", width / common, height / common)
}

fn greatest_common_divisor(one: u32, other: u32) -> u32 {
    if other == 0 { one } else { greatest_common_divisor(other, one % other) }
}

/// What a quality is with this model, or with the one that it stands for itself if none is named.
pub fn quality_note(offer: &Offer, named: Option<&ModelInfo>, quality: Quality) -> String {
    let (presets, preset) = (&offer.presets, offer.presets.of(quality));
    let Ok(model) = named.map_or_else(|| presets.model(quality, &offer.models), Ok) else {
        return "not there now".to_owned();
    };
    let steps = counted(u64::from(presets.steps(quality, model)), "step", "steps");
    let size = preset.size(model).map(|(width, height)| format!("about {width} × {height}"));
    let of_model = (named.is_none() && preset.model.is_some()).then(|| model.title.clone());
    [of_model, Some(steps), size].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The id of the note under a choice.
pub fn note_id(field: &str, value: &str) -> String {
    format!("{field}-{value}-note")
}

fn option(
    field: &'static str,
    value: &'static str,
    is_chosen: bool,
    icon: impl IntoView,
    name: &'static str,
    note: String,
) -> AnyView {
    let (id, note_id) = (format!("{field}-{value}"), note_id(field, value));
    view! {
        <div class="option">
            <input type="radio" id=id.clone() name=field value=value checked=is_chosen />
            <label for=id>
                {icon} <span class="option-name">{name}</span> <span class="option-note" id=note_id>{note}</span>
            </label>
        </div>
    }
    .into_any()
}
