//! Outpainting: a picture becomes part of a larger one.

use super::mask::Mask;
use super::rgb::Rgb;

/// By how many pixels a picture grows on each side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Margins {
    /// Pixels.
    pub left: u32,
    /// Pixels.
    pub top: u32,
    /// Pixels.
    pub right: u32,
    /// Pixels.
    pub bottom: u32,
}

/// The larger picture, and the mask that has the new part painted.
///
/// The new part begins as a continuation of the nearest edge, for a painter that starts from what is there. The mask
/// reaches `overlap` pixels into the picture, so that the two grow together; `mask` is what is painted anew of the
/// picture itself, if anything.
pub fn extend(picture: &Rgb, mask: Option<&Mask>, margins: Margins, overlap: u32) -> (Rgb, Mask) {
    let width = picture.width + margins.left + margins.right;
    let height = picture.height + margins.top + margins.bottom;
    let mut pixels = Vec::with_capacity(3 * (width * height) as usize);
    let mut white = Vec::with_capacity((width * height) as usize);
    for y in 0..height {
        for x in 0..width {
            let from_x = x.saturating_sub(margins.left).min(picture.width - 1);
            let from_y = y.saturating_sub(margins.top).min(picture.height - 1);
            let place = (from_y * picture.width + from_x) as usize;
            pixels.extend_from_slice(&picture.pixels[3 * place..3 * place + 3]);
            let is_new = is_within(x, margins.left, margins.right, width, overlap)
                || is_within(y, margins.top, margins.bottom, height, overlap);
            let own = mask.map_or(0, |mask| mask.pixels[place]);
            white.push(if is_new { 255 } else { own });
        }
    }
    (Rgb { width, height, pixels }, Mask { width, height, pixels: white })
}

/// Whether a place along one side lies in a margin or in the overlap beside it.
fn is_within(place: u32, before: u32, after: u32, length: u32, overlap: u32) -> bool {
    (before > 0 && place < before + overlap) || (after > 0 && place + after + overlap >= length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> Rgb {
        Rgb { width: 2, height: 1, pixels: vec![10, 11, 12, 20, 21, 22] }
    }

    #[test]
    fn the_new_part_goes_on_from_the_nearest_edge() {
        let margins = Margins { left: 2, bottom: 1, ..Margins::default() };
        let (larger, mask) = extend(&picture(), None, margins, 0);
        assert_eq!((larger.width, larger.height), (4, 2));
        let reds: Vec<u8> = larger.pixels.iter().copied().step_by(3).collect();
        assert_eq!(reds, [10, 10, 10, 20, 10, 10, 10, 20]);
        assert_eq!(mask.pixels, [255, 255, 0, 0, 255, 255, 255, 255]);
    }

    #[test]
    fn the_mask_overlaps_the_picture_where_it_grows_and_nowhere_else() {
        let margins = Margins { right: 1, ..Margins::default() };
        assert_eq!(extend(&picture(), None, margins, 1).1.pixels, [0, 255, 255]);
    }

    #[test]
    fn the_pictures_own_mask_stays() {
        let own = Mask { width: 2, height: 1, pixels: vec![77, 0] };
        let margins = Margins { right: 1, ..Margins::default() };
        assert_eq!(extend(&picture(), Some(&own), margins, 0).1.pixels, [77, 0, 255]);
    }
}
