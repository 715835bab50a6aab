//! What the history's grid shows.

use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, resize};
use types::picture::THUMBNAIL_SIDE;

use super::PictureError;

/// JPEG, since the WebP writer at hand is lossless and its thumbnails are four times as large.
pub(crate) const THUMBNAIL_CONTENT_TYPE: &str = "image/jpeg";

const QUALITY: u8 = 85;

/// The picture as a JPEG of at most [`THUMBNAIL_SIDE`] pixels a side.
pub(crate) fn thumbnail(image: &RgbImage) -> Result<Vec<u8>, PictureError> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode_image(&*within(image, THUMBNAIL_SIDE))?;
    Ok(bytes)
}

/// The picture itself if it fits into a square of `side`, else made smaller.
fn within(image: &RgbImage, side: u32) -> std::borrow::Cow<'_, RgbImage> {
    let longest = image.width().max(image.height());
    if longest <= side {
        return std::borrow::Cow::Borrowed(image);
    }
    let shrink = |pixels: u32| (pixels * side / longest).max(1);
    let (width, height) = (shrink(image.width()), shrink(image.height()));
    std::borrow::Cow::Owned(resize(image, width, height, FilterType::CatmullRom))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_picture_shrinks_and_keeps_its_shape() {
        let bytes = thumbnail(&RgbImage::new(1024, 512)).unwrap();
        let small = image::load_from_memory(&bytes).unwrap();
        assert_eq!((small.width(), small.height()), (256, 128));
    }

    #[test]
    fn a_small_picture_keeps_its_size() {
        let bytes = thumbnail(&RgbImage::new(64, 128)).unwrap();
        let small = image::load_from_memory(&bytes).unwrap();
        assert_eq!((small.width(), small.height()), (64, 128));
    }
}
