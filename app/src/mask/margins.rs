//! The frame round a picture that is extended.

use types::request::OUTPAINT;

/// Pixels added on each side: left, top, right, bottom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Frame(pub [u32; 4]);

impl Frame {
    /// Reads four fields as far as they can be drawn: an empty one is 0, and so is what is no number yet.
    pub fn read(fields: &[String; 4]) -> Self {
        Self(std::array::from_fn(|side| {
            fields[side].trim().parse().map_or(0, |px: u32| px.min(*OUTPAINT.end()))
        }))
    }

    /// Width and height of a picture together with its frame.
    pub fn around(self, (width, height): (u32, u32)) -> (u32, u32) {
        let [left, top, right, bottom] = self.0;
        (left + width + right, top + height + bottom)
    }

    /// The picture and its frame in the coordinates of a drawing whose origin is the picture's upper left corner:
    /// `x`, `y`, `width` and `height` of the frame.
    pub fn outline(self, size: (u32, u32)) -> [i64; 4] {
        let (width, height) = self.around(size);
        let [left, top, ..] = self.0;
        [-i64::from(left), -i64::from(top), i64::from(width), i64::from(height)]
    }

    /// The same, as a drawing's `viewBox` has it.
    pub fn view_box(self, size: (u32, u32)) -> String {
        self.outline(size).map(|number| number.to_string()).join(" ")
    }

    /// The new size in words, if there is a frame at all.
    pub fn note(self, size: (u32, u32)) -> Option<String> {
        let (width, height) = self.around(size);
        (self != Self::default()).then(|| format!("{} × {} becomes {width} × {height}", size.0, size.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: [&str; 4]) -> Frame {
        Frame::read(&fields.map(str::to_owned))
    }

    #[test]
    fn what_is_no_margin_yet_is_not_drawn() {
        assert_eq!(read(["64", "", " 8 ", "6x"]), Frame([64, 0, 8, 0]));
        assert_eq!(read(["-8", "0", "99999", "1"]), Frame([0, 0, 1024, 1]));
    }

    #[test]
    fn the_frame_lies_around_the_picture() {
        let frame = Frame([64, 0, 128, 32]);
        assert_eq!(frame.around((256, 256)), (448, 288));
        assert_eq!(frame.view_box((256, 256)), "-64 0 448 288");
        assert_eq!(frame.note((256, 256)).as_deref(), Some("256 × 256 becomes 448 × 288"));
        assert_eq!(Frame::default().note((256, 256)), None);
    }
}
