//! The frame round the start picture: four margins and a drawing of them.

use leptos::prelude::*;

use super::field::{field, number_input};
use super::start_fields::StartFields;
use crate::mask::margins::Frame;

/// The margins' fields, in the order of [`Frame`].
const SIDES: [(&str, &str); 4] = [
    ("outpaint_left", "Left"),
    ("outpaint_top", "Top"),
    ("outpaint_right", "Right"),
    ("outpaint_bottom", "Bottom"),
];

/// Four numbers, and the picture in its frame.
pub fn outpaint_fields(fields: &StartFields) -> AnyView {
    let inputs = SIDES.iter().zip(&fields.outpaint).map(|((name, label), value)| {
        let value = value.clone();
        field(name, label, String::new(), fields.error(name), |described| {
            number_input(name, value, "0".to_owned(), true, described).into_any()
        })
    });
    let frame = Frame::read(&fields.outpaint);
    let start = fields.start.as_ref();
    let size = start.map_or((1, 1), |start| (start.width, start.height));
    let [x, y, width, height] = frame.outline(size);
    view! {
        <p class="note">
            "Pixels to paint on at each side, in multiples of 8 up to 1024. What is new grows out of what is there."
        </p>
        <div class="outpaint">
            <div class="sides" id="sides">
                {inputs.collect_view()}
            </div>
            <figure class="frame-drawing" id="frame-drawing" hidden=start.is_none()>
                <svg viewBox=frame.view_box(size) aria-hidden="true">
                    <rect x=x y=y width=width height=height />
                    <image
                        href=start.map(|start| start.path.clone())
                        width=size.0
                        height=size.1
                        preserveAspectRatio="none"
                    />
                </svg>
                <figcaption class="note">
                    <span role="status">{frame.note(size)}</span>
                </figcaption>
            </figure>
        </div>
    }
    .into_any()
}
