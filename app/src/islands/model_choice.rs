//! What the form says about the chosen model: its sizes, its steps, what is usual with it.

use leptos::prelude::*;
use web_sys::Element;

/// Puts the chosen model's texts into the form. The server has written them beside each model: pairs of an
/// element's id and its text.
pub fn show_model_numbers() {
    let Ok(Some(chosen)) = document().query_selector("#model option:checked") else { return };
    let Some(numbers) = chosen.get_attribute("data-numbers") else { return };
    let Ok(texts) = serde_json::from_str::<Vec<(String, String)>>(&numbers) else { return };
    for (id, text) in texts {
        if let Some(element) = document().get_element_by_id(&id) {
            say(&element, &text);
        }
    }
    show_own_help(chosen.get_attribute("value").as_deref());
}

/// A field has a placeholder to say it with.
fn say(element: &Element, text: &str) {
    if element.has_attribute("placeholder") {
        let _ = element.set_attribute("placeholder", text);
    } else {
        element.set_text_content(Some(text));
    }
}

/// Words and examples are those of the model that the page was rendered for.
fn show_own_help(model: Option<&str>) {
    if let Ok(Some(help)) = document().query_selector("[data-of-model]") {
        let is_own = help.get_attribute("data-of-model").as_deref() == model;
        let _ = help.toggle_attribute_with_force("hidden", !is_own);
    }
}
