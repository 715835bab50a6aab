//! Masks that are drawn by making a picture transparent, as OpenAI's Images API has them.

use image::codecs::png::PngEncoder;
use image::{GrayImage, Luma};

use super::{Decoded, PictureError};

/// The mask that a picture's transparency is: white, which is painted anew, where a pixel is wholly transparent, and
/// black everywhere else. As a PNG of the picture's size.
///
/// `None` if no pixel is wholly transparent, as in every picture without an alpha channel.
///
/// # Errors
/// The PNG writer refused.
pub(crate) fn mask_of_transparency(picture: &Decoded) -> Result<Option<Vec<u8>>, PictureError> {
    let Some(alpha) = picture.alpha() else { return Ok(None) };
    if !alpha.pixels().copied().any(is_clear) {
        return Ok(None);
    }
    let (width, height) = alpha.dimensions();
    let mask = GrayImage::from_fn(width, height, |x, y| {
        Luma([if is_clear(*alpha.get_pixel(x, y)) { 255 } else { 0 }])
    });
    let mut png = Vec::new();
    mask.write_with_encoder(PngEncoder::new(&mut png))?;
    Ok(Some(png))
}

fn is_clear(Luma([alpha]): Luma<u8>) -> bool {
    alpha == 0
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    fn mask_of(image: impl Into<DynamicImage>, format: ImageFormat) -> Option<GrayImage> {
        let mut file = Cursor::new(Vec::new());
        image.into().write_to(&mut file, format).unwrap();
        let mask = mask_of_transparency(&Decoded::read(file.get_ref()).unwrap()).unwrap()?;
        Some(Decoded::read(&mask).unwrap().into_gray())
    }

    #[test]
    fn what_is_wholly_transparent_is_painted_anew_and_nothing_else() {
        let alphas = [0, 1, 128, 255];
        let image = RgbaImage::from_fn(4, 2, |x, _| Rgba([9, 9, 9, alphas[x as usize]]));
        for format in [ImageFormat::Png, ImageFormat::WebP] {
            let mask = mask_of(image.clone(), format).unwrap();
            assert_eq!(mask.dimensions(), (4, 2));
            assert_eq!(mask.as_raw(), &[255, 0, 0, 0, 255, 0, 0, 0]);
        }
    }

    #[test]
    fn a_picture_without_transparency_is_no_mask() {
        assert_eq!(mask_of(RgbaImage::from_pixel(4, 4, Rgba([0, 0, 0, 255])), ImageFormat::Png), None);
        assert_eq!(mask_of(RgbaImage::from_pixel(4, 4, Rgba([0, 0, 0, 1])), ImageFormat::Png), None);
        assert_eq!(mask_of(RgbImage::from_pixel(4, 4, Rgb([0, 0, 0])), ImageFormat::Png), None);
        assert_eq!(mask_of(RgbImage::from_pixel(4, 4, Rgb([0, 0, 0])), ImageFormat::Jpeg), None);
    }
}
