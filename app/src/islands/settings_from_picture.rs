//! A picture whose settings the form is to have: sent as soon as it is chosen, or dropped anywhere on the page.
//!
//! The server reads it and answers with the page, filled in: the very answer that a browser gets without a script.

use leptos::html::P;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{DataTransfer, DragEvent, Element, HtmlInputElement};

use super::alive::mark_alive;
use super::dom::{by_id, listen, say};

/// Id and name of the file field.
pub const FIELD: &str = "settings_file";

/// Where the form goes to be filled in.
pub const READ_SETTINGS: &str = "/read-settings";

/// Marks the document while a file is over it.
const DROPPING: &str = "data-dropping";

/// Says what is going on; everything else is there already: `components/settings_from_picture.rs`.
#[island]
pub(crate) fn SettingsFromPicture() -> impl IntoView {
    let said = NodeRef::<P>::new();
    Effect::new(move || {
        let Some(said) = said.get() else { return };
        if let Some(field) = by_id::<HtmlInputElement>(FIELD) {
            wake(&field, &said);
        }
        mark_alive(&said);
    });
    view! { <p class="note" role="status" hidden=true node_ref=said></p> }
}

fn wake(field: &HtmlInputElement, said: &Element) {
    // It goes with the form to be read alone, and not with one that asks for pictures.
    let _ = field.remove_attribute("name");
    let chosen = (field.clone(), said.clone());
    listen(field, "change", move |_| send(&chosen.0, &chosen.1));
    let page = document();
    // The start picture's fold takes what is dropped on it, and says so.
    listen(&page, "dragover", |event| {
        if !event.default_prevented() && files_in(&event).is_some() {
            event.prevent_default();
            mark_dropping(true);
        } else {
            mark_dropping(false);
        }
    });
    listen(&page, "dragleave", |event| {
        let event: DragEvent = event.unchecked_into();
        // Else it goes from one part of the page to another.
        if event.related_target().is_none() {
            mark_dropping(false);
        }
    });
    let (field, said) = (field.clone(), said.clone());
    listen(&page, "drop", move |event| {
        mark_dropping(false);
        let files = files_in(&event).filter(|_| !event.default_prevented()).and_then(|data| data.files());
        if let Some(files) = files {
            event.prevent_default();
            field.set_files(Some(&files));
            send(&field, &said);
        }
    });
}

/// What is dragged, if there are files in it.
fn files_in(event: &web_sys::Event) -> Option<DataTransfer> {
    let data = event.unchecked_ref::<DragEvent>().data_transfer()?;
    data.types().includes(&JsValue::from_str("Files"), 0).then_some(data)
}

fn mark_dropping(is_over: bool) {
    if let Some(root) = document().document_element() {
        let _ = root.toggle_attribute_with_force(DROPPING, is_over);
    }
}

/// The form as it stands goes along, so that nothing that was typed is lost if the picture has no settings.
fn send(field: &HtmlInputElement, said: &Element) {
    let Some(form) = field.form().filter(|_| field.files().is_some_and(|files| files.length() > 0)) else {
        return;
    };
    say(said, "Reading the settings…");
    field.set_name(FIELD);
    form.set_action(READ_SETTINGS);
    // Nobody who listens to the form gets to hear of it: it asks for no picture.
    let _ = form.submit();
    // It is on its way as it was. The page may come back out of the browser's history.
    form.set_action("/");
    let _ = field.remove_attribute("name");
    field.set_value("");
}
