//! Sizes of the brush, and how the keyboard moves it.

use super::stroke::Place;

/// Narrowest brush, in the picture's pixels.
const NARROWEST: f64 = 2.0;
/// The widest brush, as a part of the picture's longer side.
const WIDEST: f64 = 0.5;
/// The brush to begin with, as a part of the picture's longer side: an eye's size in a portrait.
const USUAL: f64 = 0.1;
/// Sizes that a slider or a key walks through. They grow with the square: in equal steps, one would be coarse for a
/// fine brush and fine for a coarse one.
pub const N_SIZES: u32 = 24;

/// Width of the brush in the picture's pixels at a place of the slider, from 0 to [`N_SIZES`].
pub fn width(size: u32, longer_side: u32) -> f64 {
    let widest = (f64::from(longer_side) * WIDEST).max(NARROWEST);
    let part = f64::from(size.min(N_SIZES)) / f64::from(N_SIZES);
    NARROWEST + (widest - NARROWEST) * part * part
}

/// The place of the slider to begin with.
pub fn usual_size(longer_side: u32) -> u32 {
    let wanted = f64::from(longer_side) * USUAL;
    (0..=N_SIZES).find(|size| width(*size, longer_side) >= wanted).unwrap_or(N_SIZES)
}

/// The place of the slider after a key: `[` is finer, `]` coarser. Nothing for any other key.
pub fn size_after_key(key: &str, size: u32) -> Option<u32> {
    match key {
        "[" => Some(size.saturating_sub(1)),
        "]" => Some((size + 1).min(N_SIZES)),
        _ => None,
    }
}

/// Where an arrow key moves the brush: by half its width, so that dabs beside each other touch. Never off the
/// picture. Nothing for any other key.
pub fn place_after_key(key: &str, from: Place, width: f64, picture: (u32, u32)) -> Option<Place> {
    let step = (width / 2.0).max(1.0);
    let (dx, dy) = match key {
        "ArrowLeft" => (-step, 0.0),
        "ArrowRight" => (step, 0.0),
        "ArrowUp" => (0.0, -step),
        "ArrowDown" => (0.0, step),
        _ => return None,
    };
    Some(Place {
        x: (from.x + dx).clamp(0.0, f64::from(picture.0)),
        y: (from.y + dy).clamp(0.0, f64::from(picture.1)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slider_goes_from_a_hair_to_half_the_picture() {
        assert!((width(0, 512) - 2.0).abs() < 1e-9);
        assert!((width(N_SIZES, 512) - 256.0).abs() < 1e-9);
        assert!((width(N_SIZES + 9, 512) - 256.0).abs() < 1e-9);
        let widths: Vec<f64> = (0..=N_SIZES).map(|size| width(size, 512)).collect();
        assert!(widths.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn the_usual_brush_is_about_a_tenth_of_the_picture() {
        for side in [64, 512, 4096] {
            let part = width(usual_size(side), side) / f64::from(side);
            assert!((0.1..0.15).contains(&part), "{part} of {side}");
        }
    }

    #[test]
    fn brackets_change_the_size_within_its_limits() {
        assert_eq!(size_after_key("[", 5), Some(4));
        assert_eq!(size_after_key("[", 0), Some(0));
        assert_eq!(size_after_key("]", N_SIZES), Some(N_SIZES));
        assert_eq!(size_after_key("x", 5), None);
    }

    #[test]
    fn arrows_move_the_brush_by_half_its_width_and_not_off_the_picture() {
        let middle = Place { x: 100.0, y: 50.0 };
        let moved = |key, from| place_after_key(key, from, 20.0, (128, 96));
        assert_eq!(moved("ArrowLeft", middle), Some(Place { x: 90.0, y: 50.0 }));
        assert_eq!(moved("ArrowDown", middle), Some(Place { x: 100.0, y: 60.0 }));
        assert_eq!(moved("ArrowRight", Place { x: 127.0, y: 0.0 }), Some(Place { x: 128.0, y: 0.0 }));
        assert_eq!(moved("ArrowUp", Place { x: 5.0, y: 3.0 }), Some(Place { x: 5.0, y: 0.0 }));
        assert_eq!(moved("Enter", middle), None);
    }
}
