//! Masks as ComfyUI reads them out of pictures.

use image::{DynamicImage, GrayImage, Luma, Rgb, RgbImage, Rgba, RgbaImage};

use super::Decoded;

/// Which channel of a picture is a mask. White of it is painted anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Its red.
    Red,
    /// Its green.
    Green,
    /// Its blue.
    Blue,
    /// What is transparent is painted anew; nothing, if it has no such channel.
    Transparency,
}

/// The least of a mask that counts as white where it has to be one or the other.
const WHITE: u8 = 128;

impl Decoded {
    /// One channel as a mask.
    pub fn channel(&self, channel: Channel) -> GrayImage {
        let pixels = self.image.to_rgba8();
        GrayImage::from_fn(pixels.width(), pixels.height(), |x, y| {
            let [red, green, blue, alpha] = pixels.get_pixel(x, y).0;
            Luma([match channel {
                Channel::Red => red,
                Channel::Green => green,
                Channel::Blue => blue,
                Channel::Transparency => 255 - alpha,
            }])
        })
    }

    /// Whether it has a channel that says what is transparent.
    pub fn has_transparency(&self) -> bool {
        self.image.color().has_alpha()
    }

    /// Its colours, those of transparent pixels too.
    pub fn into_opaque(self) -> RgbImage {
        match self.image {
            DynamicImage::ImageRgba8(pixels) => RgbImage::from_fn(pixels.width(), pixels.height(), |x, y| {
                let [red, green, blue, _] = pixels.get_pixel(x, y).0;
                Rgb([red, green, blue])
            }),
            other => other.into_rgb8(),
        }
    }
}

/// A mask in black and white whose white reaches further by half of so many pixels to each side.
///
/// # Source
/// `VAEEncodeForInpaint` of ComfyUI: a pixel is white if one of the `by` x `by` pixels round it is, the one before the
/// middle being the first of an even number.
pub(crate) fn grown(mask: &GrayImage, by: u32) -> GrayImage {
    let white = GrayImage::from_fn(mask.width(), mask.height(), |x, y| {
        Luma([if mask.get_pixel(x, y)[0] >= WHITE { 255 } else { 0 }])
    });
    if by <= 1 {
        return white;
    }
    let (width, height) = white.dimensions();
    let wider = spread(width, height, by, |x, y| white.get_pixel(x, y)[0] > 0);
    let higher = spread(height, width, by, |y, x| wider[(y * width + x) as usize]);
    GrayImage::from_fn(width, height, |x, y| Luma([if higher[(x * height + y) as usize] { 255 } else { 0 }]))
}

/// For each place of each line, whether one of the `by` places round it is set: line by line, each `length` long.
fn spread(length: u32, n_lines: u32, by: u32, is_set: impl Fn(u32, u32) -> bool) -> Vec<bool> {
    let mut found = Vec::with_capacity((length * n_lines) as usize);
    for line in 0..n_lines {
        // How many are set before each place.
        let mut before = Vec::with_capacity(length as usize + 1);
        before.push(0_u32);
        for place in 0..length {
            before.push(before[place as usize] + u32::from(is_set(place, line)));
        }
        found.extend((0..length).map(|place| {
            let first = place.saturating_sub(by / 2);
            let end = (place + by - by / 2).min(length);
            before[end as usize] > before[first as usize]
        }));
    }
    found
}

/// Paints grey what a mask of the same size has white.
///
/// # Source
/// `VAEEncodeForInpaint` of ComfyUI.
pub(crate) fn grey_under(picture: &mut RgbImage, mask: &GrayImage) {
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        if mask.get_pixel(x, y)[0] >= WHITE {
            *pixel = Rgb([128; 3]);
        }
    }
}

/// A picture that is transparent where a mask of the same size is white.
pub(crate) fn with_transparency(picture: &RgbImage, mask: &GrayImage) -> RgbaImage {
    RgbaImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [red, green, blue] = picture.get_pixel(x, y).0;
        Rgba([red, green, blue, 255 - mask.get_pixel(x, y)[0]])
    })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::ImageFormat;

    use super::*;

    fn read(image: impl Into<DynamicImage>) -> Decoded {
        let mut bytes = Cursor::new(Vec::new());
        image.into().write_to(&mut bytes, ImageFormat::Png).unwrap();
        Decoded::read(bytes.get_ref()).unwrap()
    }

    #[test]
    fn each_channel_is_a_mask_and_transparency_counts_backwards() {
        let picture = read(RgbaImage::from_pixel(2, 1, Rgba([10, 20, 30, 200])));
        for (channel, value) in
            [(Channel::Red, 10), (Channel::Green, 20), (Channel::Blue, 30), (Channel::Transparency, 55)]
        {
            assert_eq!(picture.channel(channel).into_raw(), [value; 2], "{channel:?}");
        }
        assert!(picture.has_transparency());
        assert_eq!(picture.into_opaque().into_raw(), [10, 20, 30, 10, 20, 30]);
    }

    #[test]
    fn a_picture_without_transparency_has_nothing_to_paint_there() {
        let picture = read(RgbImage::from_pixel(1, 1, Rgb([10, 20, 30])));
        assert!(!picture.has_transparency());
        assert_eq!(picture.channel(Channel::Transparency).into_raw(), [0]);
    }

    #[test]
    fn a_mask_grows_to_all_sides_as_in_comfyui() {
        let mask = GrayImage::from_fn(7, 7, |x, y| Luma([if (x, y) == (3, 3) { 200 } else { 100 }]));
        let white = |by| {
            let grown = grown(&mask, by);
            let places = grown.enumerate_pixels().filter(|(_, _, pixel)| pixel[0] == 255);
            let places: Vec<_> = places.map(|(x, y, _)| (x, y)).collect();
            (places.len(), places[0], places[places.len() - 1])
        };
        assert_eq!(white(0), (1, (3, 3), (3, 3)));
        assert_eq!(white(3), (9, (2, 2), (4, 4)));
        // Of an even number, the window reaches one pixel further before the place than behind it.
        assert_eq!(white(4), (16, (2, 2), (5, 5)));
    }

    #[test]
    fn what_is_masked_is_grey_and_the_rest_as_it_was() {
        let mut picture = RgbImage::from_pixel(2, 1, Rgb([1, 2, 3]));
        grey_under(&mut picture, &GrayImage::from_raw(2, 1, vec![127, 128]).unwrap());
        assert_eq!(picture.into_raw(), [1, 2, 3, 128, 128, 128]);
    }
}
