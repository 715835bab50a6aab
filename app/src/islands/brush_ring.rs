//! The ring that shows where the brush is and how wide.

use web_sys::HtmlElement;

use super::dom::{by_id, set_px};
use crate::mask::stroke::Place;
use crate::mask::view::View;

/// The ring over the picture.
pub struct BrushRing(HtmlElement);

impl BrushRing {
    /// The one on this page.
    pub fn find() -> Option<Self> {
        by_id("brush-ring").map(Self)
    }

    /// Shows it around a place. `width` is the brush's in the picture's pixels.
    pub fn show(&self, view: &View, place: Place, width: f64) {
        set_px(&self.0, "--x", place.x * view.scale());
        set_px(&self.0, "--y", place.y * view.scale());
        self.resize(view, width);
        let _ = self.0.set_attribute("data-shown", "");
    }

    /// Makes it wider or narrower.
    pub fn resize(&self, view: &View, width: f64) {
        set_px(&self.0, "--width", width * view.scale());
    }

    /// The brush is not over the picture any more.
    pub fn hide(&self) {
        let _ = self.0.remove_attribute("data-shown");
    }
}
