//! The fold of the form in which a picture to start from is chosen, painted over and extended.
//!
//! It is whole without a script: a file field for each picture, which are sent with the form. The island
//! `StartPicture` brings it to life: then pictures are sent as they are chosen, the mask is painted, and the form
//! sends their names.

use leptos::nonce::use_nonce;
use leptos::prelude::*;

use super::field::{Range, field, number_input, slider};
use super::mask_tools::mask_tools;
use super::outpaint::outpaint_fields;
use super::start_fields::StartFields;
use crate::islands::start_picture::StartPicture;
use crate::material::Material;

/// The kinds of pictures that can be sent.
pub const KINDS: &str = "image/png,image/jpeg,image/webp";

/// The fold.
pub fn start_picture(fields: &StartFields) -> AnyView {
    let island = view! { <StartPicture start=fields.start.clone() mask=fields.mask.clone() /> }.into_any();
    let range = Range { min: 0.0, max: 1.0, step: 0.05, usual: 0.75 };
    let strength = fields.strength.clone();
    let slide = slider("strength", range, &strength);
    let note = "How far to go from the picture: near 0 it stays as it is, at 1 nothing of it is left.";
    let strength = field("strength", "Strength", note.to_owned(), fields.error("strength"), |described| {
        view! { {slide} {number_input("strength", strength, range.usual.to_string(), false, described)} }
            .into_any()
    });
    let has_mask = fields.mask.is_some() || fields.has_error("mask");
    view! {
        <details class="more" id="start-picture" open=fields.says_something()>
            <summary>"Start from a picture"</summary>
            <div class="start" id="start-fold">
                {chooser(fields.error("start"))} {chosen(fields.start.as_ref())}
                <fieldset class="of-picture" id="of-picture">
                    <legend class="visually-hidden">"What to do with it"</legend>
                    <div class="with-slider">{strength}</div>
                    <details class="fold" id="mask" open=has_mask>
                        <summary>"Paint a mask: change a part of it"</summary>
                        {mask_tools(fields)}
                    </details>
                    <details class="fold" id="outpaint" open=fields.extends()>
                        <summary>"Extend it: paint on beyond its edges"</summary>
                        {outpaint_fields(fields)}
                    </details>
                </fieldset>
                {island}
            </div>
        </details>
    }
    .into_any()
}

/// The file field, which stays where it is: the next picture takes the place of the one before.
fn chooser(error: Option<String>) -> AnyView {
    view! {
        <div class="field chooser">
            <label for="start_file">"Picture"</label>
            <input type="file" id="start_file" name="start_file" accept=KINDS aria-describedby="start_file-note" />
            {fault("start-error", error)}
            <p class="note" id="start_file-note">
                "PNG, JPEG or WebP." <span class="needs-script">" Choose it, drop it here, or paste it."</span>
            </p>
            <p class="note" id="start-sending" hidden=true>
                "Sending the picture…"
            </p>
        </div>
    }
    .into_any()
}

/// The picture with the mask over it. Without a script, a check mark keeps it or leaves it out.
fn chosen(start: Option<&Material>) -> AnyView {
    // A rule rather than an attribute, which the page's policy would not let through.
    let rule = start.map(|start| {
        let properties = start.easel_style().map(|(name, value)| format!("{name}: {value};")).concat();
        view! { <style nonce=use_nonce()>{format!("#easel {{ {properties} }}")}</style> }
    });
    view! {
        {rule}
        <div class="chosen" id="start" hidden=start.is_none()>
            <div class="easel" id="easel">
                <img
                    id="start-shown"
                    src=start.map(|start| start.path.clone())
                    width=start.map(|start| start.width)
                    height=start.map(|start| start.height)
                    alt="Start picture"
                />
                <canvas
                    class="mask needs-script"
                    id="mask-canvas"
                    tabindex="-1"
                    role="application"
                    aria-label="Mask over the start picture"
                    aria-describedby="mask-keys"
                ></canvas>
                <div class="brush-ring" id="brush-ring"></div>
            </div>
            <div class="chosen-facts">
                <div class="check no-script">
                    <input
                        type="checkbox"
                        id="keep-start"
                        name="start"
                        value=start.map(|start| start.id.clone())
                        checked=start.is_some()
                        autocomplete="off"
                    />
                    <label for="keep-start">"Start from this picture"</label>
                </div>
                <span class="note" id="start-size">
                    {start.map(Material::size_note)}
                </span>
                <button type="button" class="quiet needs-script" id="remove-start">
                    "Remove"
                </button>
            </div>
        </div>
    }
    .into_any()
}

/// What is wrong, or a place for a script to say so.
pub fn fault(id: &'static str, error: Option<String>) -> AnyView {
    let is_silent = error.is_none();
    view! {
        <p class="field-error" id=id role="alert" hidden=is_silent>
            {error}
        </p>
    }
    .into_any()
}
