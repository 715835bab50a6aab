//! Masks that are drawn by making a picture transparent, as OpenAI's Images API has them.

use image::codecs::png::PngEncoder;

use super::{Channel, Decoded, PictureError};

/// The mask that a picture's transparency is: white, which is painted anew, where a pixel is wholly transparent, black
/// where it is not at all, and in between where it is in part, as at a soft edge. As a PNG of the picture's size.
///
/// `None` if no pixel is wholly transparent, as in every picture without an alpha channel.
///
/// # Errors
/// The PNG writer refused.
pub(crate) fn mask_of_transparency(picture: &Decoded) -> Result<Option<Vec<u8>>, PictureError> {
    let mask = picture.channel(Channel::Transparency);
    if !mask.as_raw().contains(&255) {
        return Ok(None);
    }
    let mut png = Vec::new();
    mask.write_with_encoder(PngEncoder::new(&mut png))?;
    Ok(Some(png))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{DynamicImage, GrayImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    fn mask_of(image: impl Into<DynamicImage>, format: ImageFormat) -> Option<GrayImage> {
        let mut file = Cursor::new(Vec::new());
        image.into().write_to(&mut file, format).unwrap();
        let mask = mask_of_transparency(&Decoded::read(file.get_ref()).unwrap()).unwrap()?;
        Some(Decoded::read(&mask).unwrap().into_gray())
    }

    #[test]
    fn what_is_transparent_is_painted_anew_and_what_is_so_in_part_in_part() {
        let alphas = [0, 1, 128, 255];
        let image = RgbaImage::from_fn(4, 2, |x, _| Rgba([9, 9, 9, alphas[x as usize]]));
        for format in [ImageFormat::Png, ImageFormat::WebP] {
            let mask = mask_of(image.clone(), format).unwrap();
            assert_eq!(mask.dimensions(), (4, 2));
            assert_eq!(mask.as_raw(), &[255, 254, 127, 0, 255, 254, 127, 0]);
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
