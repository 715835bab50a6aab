//! Files that somebody else made, to pixels.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{
    DynamicImage, GrayImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, Luma, Rgb, RgbImage,
};
use types::picture::PictureFormat;
use types::upload::{MAX_UPLOAD_PIXELS, MAX_UPLOAD_SIDE};

/// Most memory that a picture's pixels may take while it is read: eight bits for each of four channels of the
/// largest one.
const MAX_UNPACKED_BYTES: u64 = MAX_UPLOAD_PIXELS * 4;

/// Memory that a decoder may take beside the pixels.
const WORKING_BYTES: u64 = 64 << 20;

/// A picture as it was meant to be seen: upright, whatever its file says about how the camera was held.
#[derive(Debug, Clone)]
pub struct Decoded {
    pub(super) image: DynamicImage,
    /// What its file was.
    pub format: PictureFormat,
}

/// Why a file gives no picture.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// There is nothing in it.
    #[error("is empty; send a PNG, JPEG or WebP image")]
    Empty,
    /// It begins like no image.
    #[error("is not an image; allowed are PNG, JPEG and WebP")]
    NoImage,
    /// It is an image of a kind that is not read.
    #[error("is an image of the kind {0}; allowed are PNG, JPEG and WebP")]
    OtherFormat(String),
    /// It has too many pixels.
    #[error(
        "has {width}x{height} pixels; allowed are at most {MAX_UPLOAD_SIDE} a side and {} million in all",
        MAX_UPLOAD_PIXELS / 1_000_000
    )]
    TooLarge {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// Its pixels would take too much memory.
    #[error("takes {0} bytes when it is unpacked; allowed are at most {MAX_UNPACKED_BYTES}")]
    TooMuchMemory(u64),
    /// It ends too early.
    #[error("breaks off before its end; send it again")]
    BrokenOff,
    /// It contradicts its format.
    #[error("cannot be read: {0}")]
    Broken(String),
}

impl Decoded {
    /// Reads a PNG, JPEG or WebP file, whatever it calls itself. Nothing large is set up before its size is known
    /// to be allowed.
    ///
    /// # Errors
    /// Whatever keeps it from being a picture; the sentence lacks its subject.
    pub fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        let format = format_of(bytes)?;
        let mut reader = ImageReader::with_format(Cursor::new(bytes), image_format(format));
        let mut limits = Limits::default();
        // Checked below, with sentences of our own.
        limits.max_image_width = None;
        limits.max_image_height = None;
        limits.max_alloc = Some(MAX_UNPACKED_BYTES + WORKING_BYTES);
        reader.limits(limits.clone());
        let mut decoder = reader.into_decoder().map_err(broken)?;
        let (width, height) = decoder.dimensions();
        let n_pixels = u64::from(width) * u64::from(height);
        if width.max(height) > MAX_UPLOAD_SIDE || n_pixels > MAX_UPLOAD_PIXELS {
            return Err(DecodeError::TooLarge { width, height });
        }
        if decoder.total_bytes() > MAX_UNPACKED_BYTES {
            return Err(DecodeError::TooMuchMemory(decoder.total_bytes()));
        }
        decoder.set_limits(limits).map_err(broken)?;
        // Broken notes about the camera are no reason to refuse a picture.
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let mut image = DynamicImage::from_decoder(decoder).map_err(broken)?;
        // The decoder makes up what is missing of a JPEG.
        if format == PictureFormat::Jpeg && !jpeg_has_end(bytes) {
            return Err(DecodeError::BrokenOff);
        }
        image.apply_orientation(orientation);
        Ok(Self { image, format })
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (u32, u32) {
        (self.image.width(), self.image.height())
    }

    /// Its colours; what is transparent lies on white.
    pub fn into_rgb(self) -> RgbImage {
        on_background(self.image, 255)
    }

    /// What it says as a mask of a web UI: 255 where it is not transparent, else 0; its brightness, if nothing of it is
    /// transparent.
    pub fn into_mask(self) -> GrayImage {
        if !self.image.color().has_alpha() {
            return self.into_gray();
        }
        let pixels = self.image.to_rgba8();
        if pixels.pixels().all(|pixel| pixel[3] == 255) {
            return self.into_gray();
        }
        GrayImage::from_fn(pixels.width(), pixels.height(), |x, y| {
            Luma([if pixels.get_pixel(x, y)[3] > 128 { 255 } else { 0 }])
        })
    }

    /// Its brightness; what is transparent lies on black, so that it belongs to what a mask keeps.
    pub fn into_gray(self) -> GrayImage {
        DynamicImage::ImageRgb8(on_background(self.image, 0)).into_luma8()
    }
}

fn on_background(image: DynamicImage, background: u8) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let pixels = image.into_rgba8();
    RgbImage::from_fn(pixels.width(), pixels.height(), |x, y| {
        let [red, green, blue, alpha] = pixels.get_pixel(x, y).0;
        let mix = |colour: u8| {
            let (colour, alpha, background) = (u32::from(colour), u32::from(alpha), u32::from(background));
            ((colour * alpha + background * (255 - alpha) + 127) / 255) as u8
        };
        Rgb([mix(red), mix(green), mix(blue)])
    })
}

/// What a file is, by its first bytes.
pub(crate) fn format_of(bytes: &[u8]) -> Result<PictureFormat, DecodeError> {
    if bytes.is_empty() {
        return Err(DecodeError::Empty);
    }
    match image::guess_format(bytes) {
        Ok(ImageFormat::Png) => Ok(PictureFormat::Png),
        Ok(ImageFormat::Jpeg) => Ok(PictureFormat::Jpeg),
        Ok(ImageFormat::WebP) => Ok(PictureFormat::Webp),
        Ok(other) => Err(DecodeError::OtherFormat(format!("{other:?}").to_uppercase())),
        Err(_) => Err(DecodeError::NoImage),
    }
}

fn image_format(format: PictureFormat) -> ImageFormat {
    match format {
        PictureFormat::Png => ImageFormat::Png,
        PictureFormat::Jpeg => ImageFormat::Jpeg,
        PictureFormat::Webp => ImageFormat::WebP,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn broken(error: ImageError) -> DecodeError {
    match &error {
        ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            DecodeError::BrokenOff
        }
        error => DecodeError::Broken(error.to_string().replace('\n', " ")),
    }
}

/// Whether a JPEG has its end marker. It is looked for behind the picture's own first scan: the thumbnail that
/// a camera puts before it has an end marker too.
pub(crate) fn jpeg_has_end(bytes: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xda;
    const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];
    let mut at = 2;
    while let Some(&[marker, kind, high, low]) = bytes.get(at..at + 4) {
        if marker != 0xff {
            return false;
        }
        // Any number of filling bytes may stand before a marker.
        if kind == 0xff {
            at += 1;
            continue;
        }
        if kind == START_OF_SCAN {
            return bytes[at..].windows(2).any(|pair| pair == END_OF_IMAGE);
        }
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
    }
    false
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
