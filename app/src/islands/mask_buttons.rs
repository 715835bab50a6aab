//! The mask's buttons, its brush's slider, and the sentence that says what the mask means.

use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlInputElement};

use super::dom::by_id;
use crate::mask::edits::Edits;
use crate::mask::stroke::Tool;

/// What the server rendered of them.
pub struct MaskButtons {
    /// Around the buttons.
    pub group: Element,
    /// The slider of the brush's size.
    pub size: HtmlInputElement,
    note: Element,
    /// What a screen reader is told.
    said: Element,
}

impl MaskButtons {
    /// Those on this page.
    pub fn find(said: Element) -> Option<Self> {
        Some(Self {
            group: by_id("mask-tools")?,
            size: by_id("brush-size")?,
            note: by_id("mask-note")?,
            said,
        })
    }

    /// Tells a screen reader.
    pub fn say(&self, text: &str) {
        self.said.set_text_content(Some(text));
    }

    /// What the button that was pressed is for.
    pub fn pressed(event: &Event) -> Option<String> {
        let pressed: Element = event.target()?.dyn_into().ok()?;
        pressed.closest("[data-mask]").ok()??.get_attribute("data-mask")
    }

    /// Says how the mask is, and what can be done with it.
    pub fn tell(&self, edits: &Edits, tool: Tool) {
        let is_blank = edits.is_blank();
        self.note.set_text_content(Some(if is_blank {
            "Nothing is painted yet, so the whole picture is made anew."
        } else {
            "What is painted over is made anew; the rest of the picture stays."
        }));
        for (deed, is_possible) in
            [("undo", edits.can_undo()), ("redo", edits.can_redo()), ("clear", !is_blank)]
        {
            let Some(button) = self.button(deed) else { continue };
            let _ = if is_possible {
                button.remove_attribute("aria-disabled")
            } else {
                button.set_attribute("aria-disabled", "true")
            };
        }
        for (deed, is_taken) in [("brush", tool == Tool::Brush), ("eraser", tool == Tool::Eraser)] {
            if let Some(button) = self.button(deed) {
                let _ = button.set_attribute("aria-pressed", if is_taken { "true" } else { "false" });
            }
        }
    }

    fn button(&self, deed: &str) -> Option<Element> {
        self.group.query_selector(&format!("[data-mask={deed}]")).ok()?
    }
}
