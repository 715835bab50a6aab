//! The mark that says that an island is alive.

use leptos::prelude::*;
use web_sys::Element;

/// Marks the island around `inside` with `data-hydrated`, and the document with it once no island is left
/// without. The style sheet shows then what needs a script; a test waits for it before it presses anything.
pub fn mark_alive(inside: &Element) {
    if let Ok(Some(island)) = inside.closest("leptos-island") {
        let _ = island.set_attribute("data-hydrated", "");
    }
    let is_one_left =
        document().query_selector("leptos-island:not([data-hydrated])").is_ok_and(|left| left.is_some());
    if !is_one_left && let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-hydrated", "");
    }
}
