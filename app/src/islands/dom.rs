//! What an island does to parts of the page that the server rendered.
//!
//! A form that is whole without a script needs no second copy of itself in the browser's bundle: its islands listen to
//! what is there, and change what it says.

use leptos::prelude::document;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, Event, EventTarget, HtmlDetailsElement, HtmlElement};

/// The element with this id, if it is of this kind.
pub fn by_id<T: JsCast>(id: &str) -> Option<T> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

/// Listens for as long as there is the page: links lead to other pages, and nothing is taken out of this one.
pub fn listen(target: &EventTarget, name: &str, heard: impl FnMut(Event) + 'static) {
    let heard: Box<dyn FnMut(Event)> = Box::new(heard);
    let heard = Closure::wrap(heard);
    let _ = target.add_event_listener_with_callback(name, heard.as_ref().unchecked_ref());
    heard.forget();
}

/// Shows an element or hides it.
pub fn show(element: &Element, is_shown: bool) {
    let _ = element.toggle_attribute_with_force("hidden", !is_shown);
}

/// Shows an element that says something, and hides it where there is nothing to say.
pub fn say(element: &Element, text: &str) {
    element.set_text_content(Some(text));
    show(element, !text.is_empty());
}

/// Disables a field or a set of them, or brings it back.
pub fn disable(element: &Element, is_disabled: bool) {
    let _ = element.toggle_attribute_with_force("disabled", is_disabled);
}

/// Whether the fold with this id is open.
pub fn is_open(id: &str) -> bool {
    by_id::<HtmlDetailsElement>(id).is_some_and(|fold| fold.open())
}

/// Sets a property of the element's style to a length.
pub fn set_px(element: &HtmlElement, name: &str, px: f64) {
    // The browser writes the number: what Rust needs for it weighs more than all else here.
    let number = String::from(js_sys::Number::from(px).to_string_with_radix(10).unwrap_or_default());
    let _ = element.style().set_property(name, &(number + "px"));
}

/// Sets an attribute to a number.
pub fn set_number(element: &Element, name: &str, number: i64) {
    let _ = element.set_attribute(name, &number.to_string());
}
