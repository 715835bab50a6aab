//! Letters on a sheet.

use ab_glyph::{Font, FontRef, Glyph, Point, PxScale, ScaleFont, point};
use image::RgbImage;

use super::super::PictureError;
use super::layout::Rect;

/// Latin, Greek and Cyrillic letters of `DejaVu` Sans; anything else becomes its empty box.
const FONT: &[u8] = include_bytes!("../fonts/DejaVuSans-subset.ttf");
/// The colour of text on the site.
const INK: [u8; 3] = [0xdd, 0xd4, 0xcb];
/// What stands where a label is cut.
const CUT: char = '…';

/// Writes with the program's own font. Heights of letters are in pixels.
pub(super) struct Lettering {
    font: FontRef<'static>,
}

impl Lettering {
    pub(super) fn new() -> Result<Self, PictureError> {
        Ok(Self { font: FontRef::try_from_slice(FONT)? })
    }

    /// How wide a text is, in whole pixels.
    pub(super) fn width(&self, text: &str, height: u32) -> u32 {
        self.advance(text, height).ceil() as u32
    }

    fn advance(&self, text: &str, height: u32) -> f32 {
        let font = self.font.as_scaled(scale(height));
        text.chars().map(|letter| font.h_advance(font.glyph_id(letter))).sum()
    }

    /// The text, or as much of its beginning as fits into this width with a mark that it goes on.
    pub(super) fn shortened(&self, text: &str, height: u32, width: u32) -> String {
        if self.width(text, height) <= width {
            return text.to_owned();
        }
        let mut kept = text.to_owned();
        while kept.pop().is_some() {
            let cut = format!("{}{CUT}", kept.trim_end());
            if self.width(&cut, height) <= width {
                return cut;
            }
        }
        String::new()
    }

    /// Writes a text into the middle of a place, shortened to its width.
    pub(super) fn write(&self, image: &mut RgbImage, text: &str, place: Rect, height: u32) {
        let text = self.shortened(text, height, place.width);
        let font = self.font.as_scaled(scale(height));
        let spare = (place.width as f32 - self.advance(&text, height)).max(0.0);
        let baseline = place.y as f32 + (place.height as f32 + font.ascent() + font.descent()) / 2.0;
        let mut at = point((place.x as f32 + spare / 2.0).round(), baseline.round());
        for letter in text.chars() {
            let id = font.glyph_id(letter);
            self.draw(image, id.with_scale_and_position(scale(height), at));
            at = Point { x: at.x + font.h_advance(id), ..at };
        }
    }

    fn draw(&self, image: &mut RgbImage, glyph: Glyph) {
        // A space has no outline.
        let Some(outline) = self.font.outline_glyph(glyph) else { return };
        let corner = outline.px_bounds().min;
        outline.draw(|x, y, coverage| {
            // Where a letter would leave the sheet, that part of it is left out.
            let (x, y) = (corner.x as i64 + i64::from(x), corner.y as i64 + i64::from(y));
            let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { return };
            let Some(pixel) = image.get_pixel_mut_checked(x, y) else { return };
            for (under, ink) in pixel.0.iter_mut().zip(INK) {
                let mixed = f32::from(*under) + (f32::from(ink) - f32::from(*under)) * coverage.min(1.0);
                *under = mixed.round() as u8;
            }
        });
    }
}

/// Letters of this height, in pixels.
fn scale(height: u32) -> PxScale {
    PxScale::from(height as f32)
}
