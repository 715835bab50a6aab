//! Draws the frame round the start picture as its margins are typed.

use web_sys::{Element, HtmlInputElement};

use super::dom::{by_id, set_number, show};
use crate::mask::margins::Frame;
use crate::material::Material;

/// Draws the frame that the fields say round the picture.
pub fn draw_frame(start: Option<&Material>) {
    let Some(figure) = by_id::<Element>("frame-drawing") else { return };
    show(&figure, start.is_some());
    let Some(start) = start else { return };
    let (frame, size) = (typed_frame(), start.size());
    let part = |selector| figure.query_selector(selector).ok().flatten();
    if let Some(drawing) = part("svg") {
        let _ = drawing.set_attribute("viewBox", &frame.view_box(size));
    }
    if let Some(outline) = part("rect") {
        for (name, number) in ["x", "y", "width", "height"].into_iter().zip(frame.outline(size)) {
            set_number(&outline, name, number);
        }
    }
    if let Some(image) = part("image") {
        let _ = image.set_attribute("href", &start.path);
        set_number(&image, "width", i64::from(start.width));
        set_number(&image, "height", i64::from(start.height));
    }
    if let Some(note) = part("[role=status]") {
        note.set_text_content(frame.note(size).as_deref());
    }
}

fn typed_frame() -> Frame {
    Frame::read(&["left", "top", "right", "bottom"].map(|side| {
        let field: Option<HtmlInputElement> = by_id(&format!("outpaint_{side}"));
        field.map(|field| field.value()).unwrap_or_default()
    }))
}
