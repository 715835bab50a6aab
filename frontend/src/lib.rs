//! The browser's entry: brings the islands alive, nothing else.

// Linked for its islands, which the page's script calls by name.
use app as _;

/// Called by the page's script once the module is there; the islands are hydrated after it.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
}
