//! What a picture looks like while it is being made.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType as RowFilter, PngEncoder};
use image::codecs::webp::WebPEncoder;
use image::imageops::{FilterType, resize};
use image::{ImageFormat, RgbImage};
use types::picture::PictureFormat;

use super::PictureError;

/// Longest side of a preview in pixels. The latent is far smaller; enlarging it here rather than in the page
/// costs a few kilobytes and makes it smooth in every browser.
const SIDE: u32 = 256;

/// Longest preview in bytes, as JPEG: many of them are sent, and the page needs no more to see what comes.
const MAX_BYTES: usize = 48 * 1024;

/// What a preview's `data:` URL begins with.
const URL_START: &str = "data:image/jpeg;base64,";

/// A preview as a `data:` URL that holds a JPEG; under 64 KB.
pub(crate) fn preview_data_url(image: &RgbImage) -> Result<String, PictureError> {
    let longest = image.width().max(image.height()).max(1);
    let scale = |pixels: u32| (pixels * SIDE / longest).max(1);
    let image = resize(image, scale(image.width()), scale(image.height()), FilterType::CatmullRom);
    let mut jpeg = Vec::new();
    for quality in [80, 50, 20] {
        jpeg.clear();
        JpegEncoder::new_with_quality(&mut jpeg, quality).encode_image(&image)?;
        if jpeg.len() <= MAX_BYTES {
            break;
        }
    }
    let mut url = String::from(URL_START);
    STANDARD.encode_string(&jpeg, &mut url);
    Ok(url)
}

/// A preview from its `data:` URL, enlarged to the size of the picture that it is of: a file without settings
/// inside. `jpeg_quality`, 1 to 100, is for JPEG alone.
///
/// # Errors
/// The URL holds no JPEG; a size of no pixels.
pub(crate) fn enlarge_preview(
    url: &str,
    (width, height): (u32, u32),
    format: PictureFormat,
    jpeg_quality: u8,
) -> Result<Vec<u8>, PictureError> {
    let jpeg = url.strip_prefix(URL_START).and_then(|text| STANDARD.decode(text).ok());
    let jpeg = jpeg.ok_or(PictureError::NoPreview)?;
    let small = image::load_from_memory_with_format(&jpeg, ImageFormat::Jpeg)?.into_rgb8();
    let image = resize(&small, width, height, FilterType::CatmullRom);
    let mut bytes = Vec::new();
    match format {
        // Looked at for a second: time goes before size.
        PictureFormat::Png => image.write_with_encoder(PngEncoder::new_with_quality(
            &mut bytes,
            CompressionType::Fast,
            RowFilter::Adaptive,
        ))?,
        PictureFormat::Jpeg => {
            image.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, jpeg_quality))?;
        }
        PictureFormat::Webp => image.write_with_encoder(WebPEncoder::new_lossless(&mut bytes))?,
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_the_noisiest_preview_stays_under_64_kilobytes() {
        use rand::{Rng, SeedableRng};
        let mut noise = rand::rngs::StdRng::seed_from_u64(1);
        let image = RgbImage::from_fn(256, 256, |_, _| image::Rgb(noise.random()));
        let url = preview_data_url(&image).unwrap();
        assert!(url.len() < 64 * 1024, "{} bytes", url.len());
    }

    #[test]
    fn a_preview_becomes_a_file_of_the_pictures_own_size() {
        let halves =
            RgbImage::from_fn(20, 12, |x, _| image::Rgb(if x < 10 { [255, 0, 0] } else { [0, 0, 255] }));
        let url = preview_data_url(&halves).unwrap();
        for (format, kind) in [
            (PictureFormat::Png, ImageFormat::Png),
            (PictureFormat::Jpeg, ImageFormat::Jpeg),
            (PictureFormat::Webp, ImageFormat::WebP),
        ] {
            let file = enlarge_preview(&url, (640, 384), format, 90).unwrap();
            assert_eq!(image::guess_format(&file).unwrap(), kind);
            let image = image::load_from_memory(&file).unwrap().into_rgb8();
            assert_eq!(image.dimensions(), (640, 384));
            let (left, right) = (image.get_pixel(100, 200), image.get_pixel(540, 200));
            assert!(left[0] > 200 && left[2] < 60, "{left:?}");
            assert!(right[2] > 200 && right[0] < 60, "{right:?}");
        }
        let coarse = enlarge_preview(&url, (640, 384), PictureFormat::Jpeg, 5).unwrap();
        assert!(coarse.len() < enlarge_preview(&url, (640, 384), PictureFormat::Jpeg, 95).unwrap().len());
    }

    #[test]
    fn what_is_no_preview_is_not_enlarged() {
        for url in
            ["", "data:image/png;base64,AAAA", "data:image/jpeg;base64,?", "data:image/jpeg;base64,AAAA"]
        {
            assert!(enlarge_preview(url, (64, 64), PictureFormat::Png, 90).is_err(), "{url}");
        }
    }

    #[test]
    fn a_latents_preview_is_enlarged() {
        let url = preview_data_url(&RgbImage::new(20, 12)).unwrap();
        let jpeg = STANDARD.decode(url.strip_prefix(URL_START).unwrap()).unwrap();
        let image = image::load_from_memory(&jpeg).unwrap();
        assert_eq!((image.width(), image.height()), (256, 153));
    }
}
