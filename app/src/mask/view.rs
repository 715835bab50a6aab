//! Between the picture's pixels and the screen's.

use super::stroke::Place;

/// A picture as it is shown: where it lies in the window and how large, in the page's pixels (CSS px).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// Of its upper left corner, from the window's.
    pub left: f64,
    /// Of its upper left corner, from the window's.
    pub top: f64,
    /// As shown.
    pub width: f64,
    /// As shown.
    pub height: f64,
    /// The picture's own width in its pixels.
    pub picture_width: u32,
}

impl View {
    /// Whether anything is to be seen of it: a closed fold shows its inside with no size at all.
    pub fn is_seen(&self) -> bool {
        self.width > 0.0 && self.height > 0.0
    }

    /// Pixels of the page for one of the picture.
    pub fn scale(&self) -> f64 {
        self.width / f64::from(self.picture_width)
    }

    /// The place of the picture under a point of the window.
    pub fn place(&self, x: f64, y: f64) -> Place {
        let scale = self.scale();
        Place { x: (x - self.left) / scale, y: (y - self.top) / scale }
    }

    /// Width and height, in dots, of a canvas that shows the mask as sharp as the screen is. `ratio` is the number
    /// of dots in a pixel of the page.
    pub fn dots(&self, ratio: f64) -> (u32, u32) {
        let dots = |side: f64| ((side * ratio).round() as u32).max(1);
        (dots(self.width), dots(self.height))
    }

    /// How far the edge of the mask is blurred on the page for a feather in the picture's pixels.
    ///
    /// Both are standard deviations of a Gaussian, so only the scale is between them.
    pub fn shown_feather(&self, feather_px: f64) -> f64 {
        feather_px * self.scale()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF: View = View { left: 10.0, top: 20.0, width: 256.0, height: 128.0, picture_width: 512 };

    #[test]
    fn a_point_of_the_window_is_a_place_of_the_picture() {
        assert_eq!(HALF.place(10.0, 20.0), Place { x: 0.0, y: 0.0 });
        assert_eq!(HALF.place(266.0, 148.0), Place { x: 512.0, y: 256.0 });
        assert_eq!(HALF.place(0.0, 20.0), Place { x: -20.0, y: 0.0 });
    }

    #[test]
    fn a_canvas_has_a_dot_for_every_dot_of_the_screen() {
        assert_eq!(HALF.dots(1.0), (256, 128));
        assert_eq!(HALF.dots(2.625), (672, 336));
    }

    #[test]
    fn a_feather_is_shown_as_soft_as_it_will_be() {
        assert!((HALF.shown_feather(8.0) - 4.0).abs() < 1e-9);
    }

    #[test]
    fn what_lies_in_a_closed_fold_is_not_seen() {
        assert!(HALF.is_seen());
        assert!(!View { width: 0.0, height: 0.0, ..HALF }.is_seen());
    }
}
