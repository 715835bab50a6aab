//! Small drawings.

use leptos::prelude::*;
use types::model::Shape;

/// A shape, drawn.
pub fn shape_icon(shape: Shape) -> AnyView {
    let (width, height) = match shape {
        Shape::Square => (18, 18),
        Shape::Landscape => (24, 15),
        Shape::Portrait => (15, 24),
    };
    let (x, y) = (f64::from(30 - width) / 2.0, f64::from(30 - height) / 2.0);
    view! {
        <svg viewBox="0 0 30 30" width="30" height="30" aria-hidden="true">
            <rect x=x y=y width=width height=height rx="2" />
        </svg>
    }
    .into_any()
}

/// How fine the grain of a quality is, drawn: one, two or three bars.
pub fn quality_icon(n_bars: usize) -> AnyView {
    let bars = (0..3).map(|bar| {
        let height = 8 + bar * 6;
        let class = if (bar as usize) < n_bars { "on" } else { "off" };
        view! { <rect class=class x=5 + bar * 7 y=25 - height width="5" height=height rx="1" /> }
    });
    view! {
        <svg viewBox="0 0 30 30" width="30" height="30" aria-hidden="true">
            {bars.collect_view()}
        </svg>
    }
    .into_any()
}
