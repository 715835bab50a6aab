//! The tools that paint a mask over the start picture, and the file field for those who do not paint.

use leptos::prelude::*;

use super::field::{Range, field, number_input, slider};
use super::start_fields::StartFields;
use super::start_picture::{KINDS, fault};
use crate::mask::brush::N_SIZES;

/// Brush, eraser, the way back, feather, and a file.
pub fn mask_tools(fields: &StartFields) -> AnyView {
    let error = fields.error("mask");
    view! {
        <p class="note needs-script" id="mask-note"></p>
        <div class="mask-tools needs-script" id="mask-tools" role="group" aria-label="Tools of the mask">
            {tool("brush", "Brush", true)} {tool("eraser", "Eraser", false)}
            <label class="brush-size">
                <span>"Size"</span>
                <input type="range" id="brush-size" min="0" max=N_SIZES.to_string() step="1" autocomplete="off" />
            </label>
            {deed("undo", "Undo", false)} {deed("redo", "Redo", false)} {deed("invert", "Invert", true)}
            {deed("clear", "Clear", false)}
        </div>
        <p class="note keys needs-script" id="mask-keys">
            "With the keyboard, on the picture: arrow keys move the brush, " <kbd>"Space"</kbd> " paints, " <kbd>"["</kbd>
            " and " <kbd>"]"</kbd> " change its size, " <kbd>"B"</kbd> " and " <kbd>"E"</kbd>
            " take brush and eraser, " <kbd>"Ctrl+Z"</kbd> " undoes."
        </p>
        {kept(fields)}
        <div class="fields plain">{feather(fields)} {mask_file(error)}</div>
    }
    .into_any()
}

fn tool(deed: &'static str, name: &'static str, is_taken: bool) -> AnyView {
    view! {
        <button type="button" class="quiet tool" data-mask=deed aria-pressed=if is_taken { "true" } else { "false" }>
            {name}
        </button>
    }
    .into_any()
}

/// Not `disabled` where there is nothing to do, which would take the focus away from under a keyboard.
fn deed(deed: &'static str, name: &'static str, is_possible: bool) -> AnyView {
    view! {
        <button type="button" class="quiet deed" data-mask=deed aria-disabled=(!is_possible).then_some("true")>
            {name}
        </button>
    }
    .into_any()
}

/// What carries the mask's name in the form. Without a script it is a check mark, beside the mask.
fn kept(fields: &StartFields) -> AnyView {
    let mask = fields.mask.as_ref();
    let shown = mask.map(|mask| {
        view! { <img class="mask-kept" src=mask.path.clone() alt="Mask" width=mask.width height=mask.height /> }
    });
    view! {
        <div class="no-script" hidden=mask.is_none()>
            {shown}
            <div class="check">
                <input
                    type="checkbox"
                    id="keep-mask"
                    name="mask"
                    value=mask.map(|mask| mask.id.clone())
                    checked=mask.is_some()
                    autocomplete="off"
                />
                <label for="keep-mask">"Use this mask"</label>
            </div>
        </div>
    }
    .into_any()
}

fn feather(fields: &StartFields) -> AnyView {
    let range = Range { min: 0.0, max: 64.0, step: 1.0, usual: 4.0 };
    let value = fields.mask_feather.clone();
    let slide = slider("mask_feather", range, &value);
    let note = "How far the mask's edge is softened, in pixels, so that old and new flow into each other.";
    let control =
        field("mask_feather", "Feather", note.to_owned(), fields.error("mask_feather"), |described| {
            let input = number_input("mask_feather", value, range.usual.to_string(), true, described);
            view! { {slide} {input} }.into_any()
        });
    view! { <div class="with-slider">{control}</div> }.into_any()
}

fn mask_file(error: Option<String>) -> AnyView {
    view! {
        <div class="field">
            <label for="mask_file">"Mask file"</label>
            <input type="file" id="mask_file" name="mask_file" accept=KINDS aria-describedby="mask_file-note" />
            {fault("mask-error", error)}
            <p class="note" id="mask_file-note">
                <span class="needs-script">"Instead of painting: "</span>
                "white is made anew, black stays. Of the same size as the picture."
            </p>
        </div>
    }
    .into_any()
}
