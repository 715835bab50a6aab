//! Keeps a number field and the slider beside it together, and a LoRA and its slider.

use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::{Event, EventInit, HtmlInputElement};

/// Follows what is done to a slider or to the field beside one.
pub fn follow_slider(event: &Event) {
    let Some(input) = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok()) else {
        return;
    };
    if let Some(field) = input.get_attribute("data-slider") {
        if let Some(field) = input_with(&format!("[id='{field}']")) {
            field.set_value(&input.value());
            // For whoever follows the field alone.
            let typed = EventInit::new();
            typed.set_bubbles(true);
            if let Ok(typed) = Event::new_with_event_init_dict("input", &typed) {
                let _ = field.dispatch_event(&typed);
            }
        }
    } else if let Some(mark) = input.get_attribute("data-lora") {
        weigh_lora(&input, &mark);
    } else if let Some(slider) = input_with(&format!("[data-slider='{}']", input.id())) {
        let value = input.value();
        let usual = slider.get_attribute("data-usual").unwrap_or_default();
        slider.set_value(if value.trim().is_empty() { &usual } else { value.trim() });
    }
}

/// A LoRA's slider picks the LoRA, and writes its weight where the form takes it from.
fn weigh_lora(slider: &HtmlInputElement, mark: &str) {
    let weight = slider.value();
    if let (Some(mark), Some(name)) =
        (input_with(&format!("[id='{mark}']")), slider.get_attribute("data-name"))
    {
        mark.set_value(&format!("{name}:{weight}"));
        mark.set_checked(true);
    }
    if let Ok(Some(said)) = document().query_selector(&format!("output[for='{mark}']")) {
        said.set_text_content(Some(&weight));
    }
}

fn input_with(selector: &str) -> Option<HtmlInputElement> {
    document().query_selector(selector).ok()??.dyn_into().ok()
}
