//! Small deeds on any page: copying, favourites without a reload, forms that are sent once, arrow keys between
//! pictures, and this site's own address in examples.
//!
//! They listen on the whole document, so that what other islands render later is served as well.

use std::time::Duration;

use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, HtmlFormElement};

use super::alive::mark_alive;
use super::grid_keys::move_in_grid;
use super::request::post_json;

/// What examples say instead of this site's address, as the server does not know how it is reached.
pub const EXAMPLE_ORIGIN: &str = "http://127.0.0.1:3000";

/// How long a form counts as just sent.
const SENT_FOR: Duration = Duration::from_secs(2);
/// How long a copy button says that it did its deed.
const COPIED_FOR: Duration = Duration::from_secs(2);

/// Brings the small deeds to life. Shows nothing but what they say.
#[island]
pub(crate) fn SmallDeeds() -> impl IntoView {
    let said = RwSignal::new(String::new());
    let status = NodeRef::<leptos::html::P>::new();
    Effect::new(move || {
        let Some(status) = status.get() else { return };
        let handles = [
            window_event_listener(ev::click, move |event| copy(&event, said)),
            window_event_listener(ev::submit, move |event| keep(&event, said)),
            window_event_listener(ev::submit, |event| send_once(&event)),
            window_event_listener(ev::keydown, |event| move_in_grid(&event)),
        ];
        on_cleanup(move || handles.into_iter().for_each(WindowListenerHandle::remove));
        show_own_address();
        mark_alive(&status);
    });
    view! {
        <p class="visually-hidden" role="status" node_ref=status>
            {said}
        </p>
    }
}

/// A press on `data-copy="ID"` copies the text of the element with that id.
fn copy(event: &ev::MouseEvent, said: RwSignal<String>) {
    let Some(button) = closest(event, "[data-copy]") else { return };
    let source = button.get_attribute("data-copy").and_then(|id| document().get_element_by_id(&id));
    let text = source.and_then(|source| source.text_content()).unwrap_or_default();
    // Absent where the page came over plain HTTP from another machine.
    let clipboard = js_sys::Reflect::get(&window().navigator(), &"clipboard".into());
    if clipboard.is_ok_and(|clipboard| clipboard.is_undefined()) {
        said.set("The browser allows copying over HTTPS only".to_owned());
        return;
    }
    let written = window().navigator().clipboard().write_text(&text);
    spawn_local(async move {
        let is_copied = wasm_bindgen_futures::JsFuture::from(written).await.is_ok();
        said.set(if is_copied { "Copied" } else { "The browser did not allow copying" }.to_owned());
        if is_copied {
            let _ = button.set_attribute("data-copied", "");
            set_timeout(
                move || {
                    let _ = button.remove_attribute("data-copied");
                },
                COPIED_FOR,
            );
        }
    });
}

/// A favourite form does its deed without leaving the page.
fn keep(event: &ev::SubmitEvent, said: RwSignal<String>) {
    let Some(form) = closest(event, "form.favourite") else { return };
    let Some(id) = form.get_attribute("data-id") else { return };
    let (Ok(Some(button)), Ok(Some(wish))) =
        (form.query_selector("button"), form.query_selector("input[name=on]"))
    else {
        return;
    };
    event.prevent_default();
    let is_on = button.get_attribute("aria-pressed").is_some_and(|pressed| pressed == "true");
    spawn_local(async move {
        let body = format!("{{\"favourite\":{}}}", !is_on);
        if post_json(&format!("/api/v1/images/{id}/favourite"), &body).await {
            let _ = button.set_attribute("aria-pressed", if is_on { "false" } else { "true" });
            let _ = wish.set_attribute("value", if is_on { "true" } else { "false" });
            said.set(if is_on { "No longer a favourite" } else { "Kept as a favourite" }.to_owned());
        } else {
            // The plain way says what is wrong.
            let _ = form.unchecked_into::<HtmlFormElement>().submit();
        }
    });
}

/// A second press on a button that asks for pictures does not ask for them twice.
fn send_once(event: &ev::SubmitEvent) {
    let Some(form) = closest(event, "form[method=post][action='/']") else { return };
    if form.has_attribute("data-sent") {
        event.prevent_default();
        return;
    }
    let _ = form.set_attribute("data-sent", "");
    // The page may come back out of the browser's history, as it was.
    set_timeout(
        move || {
            let _ = form.remove_attribute("data-sent");
        },
        SENT_FOR,
    );
}

/// Examples say how this very site is reached.
fn show_own_address() {
    let Ok(origin) = window().location().origin() else { return };
    let Ok(examples) = document().query_selector_all("[data-own-address]") else { return };
    for at in 0..examples.length() {
        let Some(example) = examples.get(at).and_then(|node| node.dyn_into::<HtmlElement>().ok()) else {
            continue;
        };
        let text = example.text_content().unwrap_or_default();
        example.set_text_content(Some(&text.replace(EXAMPLE_ORIGIN, &origin)));
    }
}

fn closest(event: &web_sys::Event, selector: &str) -> Option<Element> {
    event.target()?.dyn_into::<Element>().ok()?.closest(selector).ok()?
}
