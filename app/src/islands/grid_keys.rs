//! Arrow keys between the pictures of a grid.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};

/// Moves the focus in the grid (`data-grid`) that has it. Enter opens by itself, as pictures are links. For the
/// picture that has the focus, `f` presses the favourite button and `x` sets or takes away the check mark.
pub fn move_in_grid(event: &KeyboardEvent) {
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        return;
    }
    let Some(focused) = document().active_element() else { return };
    let Ok(Some(grid)) = focused.closest("[data-grid]") else { return };
    if !focused.matches("[data-grid] .tile-link").unwrap_or(false) {
        return;
    }
    let pressed = match event.key().as_str() {
        "f" => Some("form.favourite button"),
        "x" => Some(".pick"),
        _ => None,
    };
    if let Some(button) = pressed {
        press(&focused, button);
        return;
    }
    let links = links_of(&grid);
    let Some(at) = links.iter().position(|link| **link == focused) else { return };
    let tops: Vec<i32> = links.iter().map(top_of).collect();
    if let Some(to) = target(&event.key(), at, &tops) {
        event.prevent_default();
        let _ = links[to].focus();
    }
}

/// Where a key leads from picture `at`; `tops` says how far down each picture stands, which tells the rows.
fn target(key: &str, at: usize, tops: &[i32]) -> Option<usize> {
    let n_columns = tops.iter().take_while(|top| **top == tops[0]).count().max(1);
    let last = tops.len().checked_sub(1)?;
    match key {
        "ArrowRight" => Some((at + 1).min(last)),
        "ArrowLeft" => Some(at.saturating_sub(1)),
        "ArrowDown" => Some((at + n_columns).min(last)),
        "ArrowUp" => Some(at.checked_sub(n_columns).unwrap_or(at)),
        "Home" => Some(0),
        "End" => Some(last),
        _ => None,
    }
}

fn links_of(grid: &Element) -> Vec<HtmlElement> {
    let Ok(links) = grid.query_selector_all(".tile-link") else { return Vec::new() };
    (0..links.length()).filter_map(|at| links.get(at)?.dyn_into().ok()).collect()
}

fn top_of(link: &HtmlElement) -> i32 {
    let tile = link.closest("li").ok().flatten();
    tile.and_then(|tile| tile.dyn_into::<HtmlElement>().ok()).map_or(0, |tile| tile.offset_top())
}

/// Presses what stands beside a link in its tile.
fn press(link: &Element, button: &str) {
    let tile = link.closest("li").ok().flatten();
    let button = tile.and_then(|tile| tile.query_selector(button).ok()?);
    if let Some(button) = button.and_then(|button| button.dyn_into::<HtmlElement>().ok()) {
        button.click();
    }
}

#[cfg(test)]
mod tests {
    use super::target;

    /// Seven pictures in rows of three.
    const TOPS: [i32; 7] = [0, 0, 0, 90, 90, 90, 180];

    #[test]
    fn arrows_move_within_rows_and_between_them() {
        assert_eq!(target("ArrowRight", 0, &TOPS), Some(1));
        assert_eq!(target("ArrowLeft", 3, &TOPS), Some(2));
        assert_eq!(target("ArrowDown", 1, &TOPS), Some(4));
        assert_eq!(target("ArrowUp", 4, &TOPS), Some(1));
        assert_eq!(target("End", 1, &TOPS), Some(6));
    }

    #[test]
    fn arrows_stop_at_the_edges() {
        assert_eq!(target("ArrowLeft", 0, &TOPS), Some(0));
        assert_eq!(target("ArrowUp", 2, &TOPS), Some(2));
        assert_eq!(target("ArrowDown", 5, &TOPS), Some(6));
        assert_eq!(target("ArrowRight", 6, &TOPS), Some(6));
        assert_eq!(target("x", 0, &TOPS), None);
        assert_eq!(target("ArrowDown", 0, &[]), None);
    }
}
