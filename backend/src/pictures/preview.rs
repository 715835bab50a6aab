//! What a picture looks like while it is being made.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, resize};

use super::PictureError;

/// Longest side of a preview in pixels. The latent is far smaller; enlarging it here rather than in the page
/// costs a few kilobytes and makes it smooth in every browser.
const SIDE: u32 = 256;

/// Longest preview in bytes, as JPEG: many of them are sent, and the page needs no more to see what comes.
const MAX_BYTES: usize = 48 * 1024;

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
    let mut url = String::from("data:image/jpeg;base64,");
    STANDARD.encode_string(&jpeg, &mut url);
    Ok(url)
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
    fn a_latents_preview_is_enlarged() {
        let url = preview_data_url(&RgbImage::new(20, 12)).unwrap();
        let jpeg = STANDARD.decode(url.strip_prefix("data:image/jpeg;base64,").unwrap()).unwrap();
        let image = image::load_from_memory(&jpeg).unwrap();
        assert_eq!((image.width(), image.height()), (256, 153));
    }
}
