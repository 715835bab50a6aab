//! The prompt's box, in which GPT-2 types.

use leptos::prelude::*;

use super::alive::mark_alive;
use super::prompt_help::{WordGroup, prompt_help};
use super::writer::Writer;
use crate::format::escaped;
use crate::prompt_text::{is_too_long, length_note};

/// The prompt's box with its buttons.
///
/// Without a script, Random prompt (Extend prompt, where there are words to go on with) is a form button: the server writes the prompt and shows the form again.
#[island]
pub(crate) fn PromptWriter(
    /// What stands in the box at first.
    text: String,
    /// What is wrong with it.
    error: Option<String>,
    /// The model whose words and examples follow.
    model: String,
    /// The model's words, if it knows only some.
    groups: Vec<WordGroup>,
    /// Prompts that the model does well.
    examples: Vec<String>,
    /// Whether there is a model that writes prompts.
    can_write: bool,
) -> impl IntoView {
    let markup = escaped(&text);
    let writer = Writer::new(text, error);
    let is_alive = RwSignal::new(false);
    Effect::new(move || {
        if let Some(area) = writer.area.get() {
            writer.read_box();
            is_alive.set(true);
            mark_alive(&area);
        }
    });

    let has_error = move || writer.error.with(Option::is_some);
    let describes = move || if has_error() { "prompt-error prompt-length" } else { "prompt-length" };
    let has_help = !groups.is_empty() || !examples.is_empty();
    let help = prompt_help(writer, groups, examples, is_alive);
    view! {
        <div class="prompt-card" class:writing=writer.is_writing>
            <label class="prompt-label" for="prompt">
                "Prompt"
            </label>
            <div class="prompt-box">
                <textarea
                    id="prompt"
                    name="prompt"
                    rows="3"
                    placeholder="Say what the picture shows"
                    aria-describedby=describes
                    aria-invalid=move || has_error().then_some("true")
                    aria-busy=move || writer.is_writing.get().then_some("true")
                    autocomplete="off"
                    node_ref=writer.area
                    on:input=move |_| writer.typed()
                    on:keydown=|event| submit_on_ctrl_enter(&event)
                >
                    {markup}
                </textarea>
                <div class="prompt-mirror" aria-hidden="true">
                    {move || writer.text.get()}
                    <span class="caret"></span>
                </div>
            </div>
            {move || {
                writer.error.get().map(|error| view! { <p class="field-error" id="prompt-error" role="alert">{error}</p> })
            }}
            <div class="prompt-tools">
                {can_write.then(|| writing_buttons(writer))}
                <p class="prompt-length" id="prompt-length" class:too-long=move || writer.text.with(|text| is_too_long(text))>
                    {move || writer.text.with(|text| length_note(text))}
                </p>
            </div>
            <p class="visually-hidden" role="status">
                {move || writer.said.get()}
            </p>
        </div>
        {has_help
            .then(|| {
                view! {
                    <details class="prompt-help" data-of-model=model>
                        <summary>"What this small model knows"</summary>
                        {help}
                    </details>
                }
            })}
    }
}

fn writing_buttons(writer: Writer) -> impl IntoView {
    let toggle = move |event: leptos::ev::MouseEvent| {
        event.prevent_default();
        if writer.is_writing.get_untracked() {
            writer.stop();
        } else {
            writer.write_random();
        }
    };
    let can_end_otherwise = move || {
        !writer.is_writing.get()
            && writer.written.with(Option::is_some)
            && !writer.text.with(String::is_empty)
    };
    let can_undo = move || !writer.is_writing.get() && !writer.before.with(Vec::is_empty);
    view! {
        <button
            type="submit"
            class="quiet"
            id="random-prompt"
            formaction="/write-prompt"
            formnovalidate=true
            on:click=toggle
        >
            {move || {
                if writer.is_writing.get() {
                    "Stop"
                } else if writer.goes_on() {
                    "Extend prompt"
                } else {
                    "Random prompt"
                }
            }}
        </button>
        <button
            type="button"
            class="quiet"
            hidden=move || !can_end_otherwise()
            title="Keeps the beginning, or what stands before the caret, and writes the rest anew"
            on:click=move |_| writer.write_another_ending()
        >
            "Another ending"
        </button>
        <button type="button" class="quiet" hidden=move || !can_undo() on:click=move |_| writer.undo()>
            "Undo"
        </button>
    }
}

/// Enter alone is a line break, as in every box of several lines.
fn submit_on_ctrl_enter(event: &leptos::ev::KeyboardEvent) {
    if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
        event.prevent_default();
        let area: web_sys::HtmlTextAreaElement = event_target(event);
        if let Some(form) = area.form() {
            let _ = form.request_submit();
        }
    }
}
