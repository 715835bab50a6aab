//! Small deeds on any page: copying, favourites without a reload, forms that are sent once, arrow keys between
//! pictures, the chosen model's numbers, sliders, and this site's own address in examples.
//!
//! They listen on the whole document, so that what other islands render later is served as well.

use std::time::Duration;

use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlDocument, HtmlElement, HtmlFormElement};

use super::alive::mark_alive;
use super::grid_keys::move_in_grid;
use super::model_choice::show_model_numbers;
use super::request::post_json;
use super::slider::follow_slider;

/// What examples say instead of this site's address, as the server does not know how it is reached.
pub const EXAMPLE_ORIGIN: &str = "http://127.0.0.1:3000";

/// How long a form counts as just sent.
const SENT_FOR: Duration = Duration::from_secs(2);
/// How long a copy button says that it did its deed.
const COPIED_FOR: Duration = Duration::from_secs(2);
/// How long a fault is to be read.
const FAULT_FOR: Duration = Duration::from_secs(8);

/// What was done or went wrong.
#[derive(Clone, Default)]
struct Said {
    text: String,
    /// A fault is shown. Of what went well the page shows a sign, so the words are for screen readers.
    is_fault: bool,
}

impl From<&str> for Said {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), is_fault: false }
    }
}

/// Brings the small deeds to life. Shows nothing but what they say.
#[island]
pub(crate) fn SmallDeeds() -> impl IntoView {
    let said = RwSignal::new(Said::default());
    let status = NodeRef::<leptos::html::P>::new();
    Effect::new(move || {
        let Some(status) = status.get() else { return };
        let handles = [
            window_event_listener(ev::click, move |event| copy(&event, said)),
            window_event_listener(ev::submit, move |event| keep(&event, said)),
            window_event_listener(ev::submit, |event| send_once(&event)),
            window_event_listener(ev::keydown, |event| move_in_grid(&event)),
            window_event_listener(ev::change, |event| choose_model(&event)),
            window_event_listener(ev::input, |event| follow_slider(&event)),
        ];
        on_cleanup(move || handles.into_iter().for_each(WindowListenerHandle::remove));
        show_own_address();
        // A browser may have kept another choice than the page was rendered with.
        show_model_numbers();
        mark_alive(&status);
    });
    view! {
        <p
            class=move || if said.with(|said| said.is_fault) { "fault-said" } else { "visually-hidden" }
            role="status"
            node_ref=status
        >
            {move || said.with(|said| said.text.clone())}
        </p>
    }
}

/// A press on `data-copy="ID"` copies the text of the element with that id.
fn copy(event: &ev::MouseEvent, said: RwSignal<Said>) {
    let Some(button) = closest(event, "[data-copy]") else { return };
    let source = button.get_attribute("data-copy").and_then(|id| document().get_element_by_id(&id));
    let Some(source) = source else { return };
    // Absent where the page came over plain HTTP from another machine.
    let clipboard = js_sys::Reflect::get(&window().navigator(), &"clipboard".into());
    if clipboard.is_ok_and(|clipboard| clipboard.is_undefined()) {
        tell_copied(copy_selected(&source), &button, said);
        return;
    }
    let text = source.text_content().unwrap_or_default();
    let written = window().navigator().clipboard().write_text(&text);
    spawn_local(async move {
        let is_copied = wasm_bindgen_futures::JsFuture::from(written).await.is_ok();
        tell_copied(is_copied || copy_selected(&source), &button, said);
    });
}

/// Copies in the way of old, which every page may. If that fails, the text is left selected.
fn copy_selected(source: &Element) -> bool {
    let Ok(Some(selection)) = window().get_selection() else { return false };
    let _ = selection.select_all_children(source);
    let is_copied =
        document().unchecked_into::<HtmlDocument>().exec_command("copy").is_ok_and(|is_copied| is_copied);
    if is_copied {
        let _ = selection.remove_all_ranges();
    }
    is_copied
}

fn tell_copied(is_copied: bool, button: &Element, said: RwSignal<Said>) {
    if !is_copied {
        let text = "The browser did not allow copying. The text is selected: press Ctrl+C.".to_owned();
        said.set(Said { text, is_fault: true });
        set_timeout(move || said.set(Said::default()), FAULT_FOR);
        return;
    }
    said.set("Copied".into());
    let _ = button.set_attribute("data-copied", "");
    let button = button.clone();
    set_timeout(
        move || {
            let _ = button.remove_attribute("data-copied");
        },
        COPIED_FOR,
    );
}

/// The form says the chosen model's numbers.
fn choose_model(event: &ev::Event) {
    if closest(event, "#model").is_some() {
        show_model_numbers();
    }
}

/// A favourite form does its deed without leaving the page.
fn keep(event: &ev::SubmitEvent, said: RwSignal<Said>) {
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
            said.set(if is_on { "No longer a favourite" } else { "Kept as a favourite" }.into());
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
