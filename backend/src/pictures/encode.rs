//! A picture with its settings in the three formats it is served in.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageDecoder, ImageEncoder, ImageReader, Limits, RgbImage};
use types::parameters;
use types::picture::PictureFormat;
use types::request::GenerationRequest;

use super::{PictureError, exif, xmp};

/// High enough that nobody sees the difference, low enough to be a quarter of the PNG.
pub const JPEG_QUALITY: u8 = 92;

/// The keyword of the PNG chunk with the whole request.
const ORIGIN: &str = "darkroom";

/// Larger than any picture a model makes; keeps a broken file from asking for all memory.
pub(super) const MAX_SIDE: u32 = 8_192;

/// Picture `index` of a request as the bytes of a file, with its settings inside. The cell of a grid has those of its own,
/// as if it had been made alone.
///
/// PNG: the text chunk `parameters`, as the AUTOMATIC1111 web UI writes it, and the chunk `darkroom` with the
/// whole request as JSON. JPEG and WebP: the same `parameters` text as EXIF `UserComment`, which is where
/// that web UI looks for it, and the same JSON as `MakerNote`. All three say in XMP that the picture is generated.
///
/// # Errors
/// A picture without pixels.
pub fn encode(
    image: &RgbImage,
    request: &GenerationRequest,
    index: u32,
    format: PictureFormat,
) -> Result<Vec<u8>, PictureError> {
    encode_at(image, request, index, format, JPEG_QUALITY)
}

/// The same as [`encode`] with a JPEG's quality, 1 to 100, which the other formats have no use for: both are
/// lossless.
///
/// # Errors
/// A picture without pixels.
pub(crate) fn encode_at(
    image: &RgbImage,
    request: &GenerationRequest,
    index: u32,
    format: PictureFormat,
    jpeg_quality: u8,
) -> Result<Vec<u8>, PictureError> {
    let (request, index) = request.of_picture(index);
    let request = &*request;
    let settings = parameters::to_text(request, index);
    let mark = xmp::packet(request);
    match format {
        PictureFormat::Png => encode_png(image, request, index, &settings, &mark),
        PictureFormat::Jpeg => {
            let mut bytes = Vec::new();
            let mut encoder = JpegEncoder::new_with_quality(&mut bytes, jpeg_quality);
            write_with_exif(&mut encoder, &settings, &Origin::json(request, index));
            encoder.encode_image(image)?;
            Ok(xmp::into_jpeg(bytes, &mark))
        }
        PictureFormat::Webp => {
            let mut bytes = Vec::new();
            let mut encoder = WebPEncoder::new_lossless(&mut bytes);
            write_with_exif(&mut encoder, &settings, &Origin::json(request, index));
            encoder.write_image(image.as_raw(), image.width(), image.height(), ExtendedColorType::Rgb8)?;
            Ok(xmp::into_webp(bytes, &mark))
        }
    }
}

/// Both encoders take EXIF; one that did not would lose the settings and keep the picture.
fn write_with_exif(encoder: &mut impl ImageEncoder, settings: &str, origin: &str) {
    if let Err(error) = encoder.set_exif_metadata(exif::with_settings(settings, origin)) {
        tracing::warn!(%error, "the settings were left out of a picture");
    }
}

/// What the chunk `darkroom` holds, and `MakerNote` where there are no chunks: the request and which of its pictures this is.
#[derive(serde::Serialize, serde::Deserialize, Debug, PartialEq)]
pub(crate) struct Origin {
    pub(crate) version: String,
    pub(crate) index: u32,
    pub(crate) request: GenerationRequest,
}

impl Origin {
    /// As JSON, which plain data always becomes.
    fn json(request: &GenerationRequest, index: u32) -> String {
        let origin = Self { version: env!("CARGO_PKG_VERSION").to_owned(), index, request: request.clone() };
        serde_json::to_string(&origin).unwrap_or_default()
    }
}

fn encode_png(
    image: &RgbImage,
    request: &GenerationRequest,
    index: u32,
    settings: &str,
    mark: &str,
) -> Result<Vec<u8>, PictureError> {
    let origin = Origin::json(request, index);
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, image.width(), image.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    for (keyword, text) in [("parameters", settings), (ORIGIN, origin.as_str())] {
        // Plain text chunks are Latin-1 by definition; all else goes into the international form.
        if text.chars().all(|c| u32::from(c) < 256) {
            encoder.add_text_chunk(keyword.to_owned(), text.to_owned())?;
        } else {
            encoder.add_itxt_chunk(keyword.to_owned(), text.to_owned())?;
        }
    }
    encoder.add_itxt_chunk(xmp::PNG_KEYWORD.to_owned(), mark.to_owned())?;
    let mut writer = encoder.write_header()?;
    writer.write_image_data(image.as_raw())?;
    writer.finish()?;
    Ok(bytes)
}

/// What a stored PNG says of its own making: another request than its job's, where another model had to stand in. `None` if
/// it does not say it in a form that is known.
pub(crate) fn origin_of(png: &[u8]) -> Option<Origin> {
    let reader = png::Decoder::new(Cursor::new(png)).read_info().ok()?;
    let info = reader.info();
    let plain = info.uncompressed_latin1_text.iter().find(|chunk| chunk.keyword == ORIGIN);
    let text = match plain {
        Some(chunk) => chunk.text.clone(),
        None => info.utf8_text.iter().find(|chunk| chunk.keyword == ORIGIN)?.get_text().ok()?,
    };
    serde_json::from_str(&text).ok()
}

/// The pixels of a stored PNG.
pub(crate) fn decode_png(bytes: &[u8]) -> Result<RgbImage, PictureError> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(u64::from(MAX_SIDE) * u64::from(MAX_SIDE) * 3);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), image::ImageFormat::Png);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder()?;
    decoder.set_limits(limits)?;
    Ok(image::DynamicImage::from_decoder(decoder)?.into_rgb8())
}

#[cfg(test)]
#[path = "encode_tests.rs"]
mod tests;
