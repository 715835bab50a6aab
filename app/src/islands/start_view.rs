//! Shows the picture to start from, and what makes sense with one alone.

use web_sys::{Element, HtmlElement};

use super::dom::{by_id, disable, set_number, show};
use super::outpaint::draw_frame;
use crate::material::Material;

/// Shows the picture, or nothing of it.
pub fn show_start(picture: Option<&Material>) {
    let is_there = picture.is_some();
    if let Some(chosen) = by_id::<Element>("start") {
        show(&chosen, is_there);
    }
    if let Some(fields) = by_id::<Element>("of-picture") {
        show(&fields, is_there);
        // What stands in fields that nobody sees is not sent.
        disable(&fields, !is_there);
    }
    // The picture gives the shape, so the form's choice has no say while there is one.
    if let Some(shape) = by_id::<Element>("shape-choice") {
        disable(&shape, is_there);
    }
    if let Some(picture) = picture {
        show_picture(picture);
    }
    draw_frame(picture);
}

fn show_picture(picture: &Material) {
    if let Some(shown) = by_id::<Element>("start-shown") {
        // The same address once more would load it once more.
        if shown.get_attribute("src").as_ref() != Some(&picture.path) {
            let _ = shown.set_attribute("src", &picture.path);
        }
        set_number(&shown, "width", i64::from(picture.width));
        set_number(&shown, "height", i64::from(picture.height));
    }
    if let Some(easel) = by_id::<HtmlElement>("easel") {
        for (name, value) in picture.easel_style() {
            let _ = easel.style().set_property(name, &value);
        }
    }
    if let Some(size) = by_id::<Element>("start-size") {
        size.set_text_content(Some(&picture.size_note()));
    }
}
