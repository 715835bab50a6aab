//! Settings out of a picture: the field that a picture is chosen in, and what is said when the form is filled in.
//!
//! Without a script a button sends the picture with the form. The island `SettingsFromPicture` sends it as soon as it is
//! chosen, or dropped anywhere on the page.

use leptos::prelude::*;
use types::metadata::{NotCarried, Program};

use super::start_picture::{KINDS, fault};
use crate::direction::with_marks_seen;
use crate::format::counted;
use crate::islands::settings_from_picture::{FIELD, READ_SETTINGS, SettingsFromPicture};
use crate::state::Filled;

/// The field, and what is wrong with the picture that was sent, if something is.
pub fn settings_from_picture(error: Option<String>) -> AnyView {
    view! {
        <div class="from-picture">
            <div class="from-picture-tools">
                <input
                    type="file"
                    id=FIELD
                    name=FIELD
                    accept=KINDS
                    aria-describedby="settings_file-note settings_file-error"
                />
                <label for=FIELD class="quiet">
                    "Settings from a picture…"
                </label>
                <button type="submit" class="quiet no-script" formaction=READ_SETTINGS formnovalidate=true>
                    "Fill in the form"
                </button>
            </div>
            {fault("settings_file-error", error)}
            <p class="note" id="settings_file-note">
                "Fills in the form as a picture was made: by Darkroom, AUTOMATIC1111, ComfyUI, InvokeAI, Fooocus or SwarmUI."
                <span class="needs-script">" Choose it, or drop it anywhere on this page."</span>
            </p>
            <SettingsFromPicture />
        </div>
    }
    .into_any()
}

/// Where the settings in the form come from, and what is missing.
pub fn filled_from_picture(filled: &Filled) -> AnyView {
    let Filled { program, not_carried } = filled;
    let exact = match (program, not_carried.is_empty()) {
        (Program::Darkroom, true) => " The same seed gives the same picture.",
        _ => "",
    };
    let missing = (!not_carried.is_empty()).then(|| {
        let title =
            format!("{} could not be carried over", counted(not_carried.len() as u64, "setting", "settings"));
        let items = not_carried.iter().map(item).collect_view();
        view! {
            <details open=true>
                <summary>{title}</summary>
                <ul>{items}</ul>
            </details>
        }
    });
    view! {
        <div class="notice filled" id="filled">
            <p role="status">
                {format!("The form is filled in with the settings that {} wrote into the picture.", program.title())}
                {exact}
            </p>
            {missing}
        </div>
    }
    .into_any()
}

fn item(NotCarried { name, value, reason }: &NotCarried) -> impl IntoView + use<> {
    let value = (!value.is_empty()).then(|| view! { " " <code>{with_marks_seen(value)}</code> });
    view! {
        <li>
            <strong>{with_marks_seen(name)}</strong>
            {value}
            ": "
            {with_marks_seen(reason)}
        </li>
    }
}
