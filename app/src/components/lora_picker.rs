//! The installed LoRAs, each with its weight.

use leptos::prelude::*;
use types::lora::LoraInfo;
use types::model::Family;
use types::request::{LORA_WEIGHT, RawLora, name_in_list};

/// One LoRA that can be picked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledLora {
    /// Its name in requests.
    pub name: String,
    /// What it was made for, in words.
    pub note: String,
}

impl InstalledLora {
    /// Those of the installed ones that can be used.
    pub fn usable(installed: &[LoraInfo]) -> Vec<Self> {
        let usable = installed.iter().filter(|lora| lora.problem.is_none());
        usable.map(|lora| Self { name: lora.name.clone(), note: made_for(lora.family) }).collect()
    }
}

fn made_for(family: Family) -> String {
    match family {
        Family::Other => String::new(),
        known => format!("for {}", known.title()),
    }
}

/// Weights that the slider offers. Any that is allowed can be written into the prompt.
const SLIDER: std::ops::RangeInclusive<f64> = -1.0..=2.0;

/// A check mark and a slider for each. Nothing at all where none is installed.
///
/// Without a script the check mark alone is there, and stands for the weight that is written beside it.
pub fn lora_picker(installed: &[InstalledLora], picked: &[RawLora], error: Option<String>) -> AnyView {
    if installed.is_empty() && error.is_none() {
        return ().into_any();
    }
    let rows = installed.iter().enumerate().map(|(number, lora)| {
        let asked = picked.iter().find(|picked| picked.name == lora.name);
        row(number, lora, asked.is_some(), asked.and_then(|asked| asked.weight).unwrap_or(1.0))
    });
    let error = error.map(|error| view! { <p class="field-error">{error}</p> });
    view! {
        <fieldset class="field field-loras" id="loras">
            <legend>"LoRAs"</legend>
            <ul class="loras">{rows.collect_view()}</ul>
            {error}
            <p class="note">
                "Small additions to a model, for a style or a subject. The slider says how strongly each acts. In the prompt, "
                <code>"<lora:name:0.8>"</code> " does the same with any weight from "
                {LORA_WEIGHT.start().to_string()} " to " {LORA_WEIGHT.end().to_string()} "."
            </p>
        </fieldset>
    }
    .into_any()
}

fn row(number: usize, lora: &InstalledLora, is_picked: bool, weight: f64) -> AnyView {
    let id = format!("lora-{number}");
    let name = name_in_list(&lora.name).into_owned();
    let value = format!("{name}:{weight}");
    let note = (!lora.note.is_empty()).then(|| view! { <span class="note">{lora.note.clone()}</span> });
    // A weight beyond the slider's ends is kept: the check mark carries it.
    let at = weight.clamp(*SLIDER.start(), *SLIDER.end());
    view! {
        <li class="lora">
            <div class="check">
                <input type="checkbox" id=id.clone() name="loras" value=value checked=is_picked autocomplete="off" />
                <label for=id.clone()>{lora.name.clone()} " " {note}</label>
            </div>
            <input
                type="range"
                class="lora-weight"
                data-lora=id.clone()
                data-name=name
                min=SLIDER.start().to_string()
                max=SLIDER.end().to_string()
                step="0.05"
                value=at.to_string()
                autocomplete="off"
                aria-label=format!("Weight of {}", lora.name)
            />
            <output for=id class="lora-said">
                {weight.to_string()}
            </output>
        </li>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(installed: &[&str], picked: &[RawLora]) -> String {
        let installed: Vec<_> = installed
            .iter()
            .map(|name| InstalledLora { name: (*name).to_owned(), note: String::new() })
            .collect();
        lora_picker(&installed, picked, None).to_html()
    }

    #[test]
    fn nothing_is_shown_where_none_is_installed() {
        assert!(!html(&[], &[]).contains("LoRA"));
    }

    #[test]
    fn a_picked_lora_is_checked_and_keeps_its_weight() {
        let picked = [RawLora { name: "ink".into(), weight: Some(0.6) }];
        let html = html(&["ink", "paper"], &picked);
        let checkbox = |value: &str| {
            let at = html.find(&format!("value=\"{value}\"")).expect("it is there");
            let begin = html[..at].rfind('<').unwrap();
            html[begin..begin + html[begin..].find('>').unwrap()].to_owned()
        };
        assert!(checkbox("ink:0.6").contains("checked"));
        assert!(!checkbox("paper:1").contains("checked"));
    }
}
