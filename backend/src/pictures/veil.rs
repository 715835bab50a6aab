//! Pictures of which no more is to be seen than their colours.

use image::RgbImage;
use image::imageops::{FilterType, resize};

/// What is left of the longest side of a picture that is blurred, in pixels: a figure is a spot or two.
const SPOTS: u32 = 10;

/// The same of a preview, which is small enough as it is.
const PREVIEW_SPOTS: u32 = 8;

/// The picture so strongly blurred that nothing in it can be made out, or brought back: all but a few averages are gone.
pub(crate) fn blurred(picture: &RgbImage) -> RgbImage {
    let (width, height) = picture.dimensions();
    resize(&averages(picture, SPOTS), width, height, FilterType::CatmullRom)
}

/// A preview of a picture that may turn out to be one that is not shown.
pub(crate) fn coarse(preview: &RgbImage) -> RgbImage {
    averages(preview, PREVIEW_SPOTS)
}

fn averages(picture: &RgbImage, most: u32) -> RgbImage {
    let (width, height) = picture.dimensions();
    let longest = width.max(height).max(1);
    let shrunk = |side: u32| (side * most).div_ceil(longest).clamp(1, most);
    resize(picture, shrunk(width), shrunk(height), FilterType::Triangle)
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn of_a_blurred_picture_the_colours_are_left_and_no_shape() {
        // Stripes of four pixels on a ground that turns from red to blue.
        let picture = RgbImage::from_fn(200, 120, |x, _| {
            let light = if x / 4 % 2 == 0 { 120 } else { 0 };
            Rgb([light + if x < 100 { 100 } else { 0 }, light, light + if x < 100 { 0 } else { 100 }])
        });
        let blurred = blurred(&picture);
        assert_eq!(blurred.dimensions(), (200, 120));
        let (left, right) = (blurred.get_pixel(30, 60), blurred.get_pixel(170, 60));
        assert!(left[0] > left[2] + 60 && right[2] > right[0] + 60, "{left:?} {right:?}");
        for x in 20..80 {
            let step = blurred.get_pixel(x, 60)[1].abs_diff(blurred.get_pixel(x + 1, 60)[1]);
            assert!(step <= 6, "the stripes can be seen at {x}: {step}");
        }
    }

    #[test]
    fn pictures_of_any_form_are_blurred() {
        for (width, height) in [(1, 1), (3, 900), (900, 3)] {
            assert_eq!(blurred(&RgbImage::new(width, height)).dimensions(), (width, height));
            let (width, height) = coarse(&RgbImage::new(width, height)).dimensions();
            assert!((1..=8).contains(&width) && (1..=8).contains(&height));
        }
    }
}
