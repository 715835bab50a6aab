//! Pixels to files: PNG, JPEG and WebP with the settings inside, thumbnails and previews. And files that others
//! made to pixels. And the sheet of a grid.
//!
//! Everything here is deterministic: the same picture gives the same bytes, and the same bytes the same picture.

mod channels;
mod decode;
mod digital_source;
mod encode;
mod exif;
mod fit;
mod preview;
mod sheet;
mod thumbnail;
mod transparency;
mod veil;
mod whole;
mod xmp;

pub use channels::Channel;
pub(crate) use channels::{grey_under, grown, with_transparency};
pub use decode::{DecodeError, Decoded};
pub(crate) use decode::{format_of, jpeg_has_end};
pub(crate) use digital_source::DigitalSource;
pub use encode::{JPEG_QUALITY, encode};
pub(crate) use encode::{Origin, decode_png, encode_at, origin_of};
pub(crate) use exif::DARKROOM_NOTE;
pub use fit::Fit;
pub(crate) use fit::fitted;
pub(crate) use preview::{enlarge_preview, preview_data_url};
pub use sheet::Sheet;
pub(crate) use thumbnail::{THUMBNAIL_CONTENT_TYPE, thumbnail};
pub(crate) use transparency::mask_of_transparency;
pub(crate) use veil::{blurred, coarse};
pub(crate) use whole::is_whole_png;

/// A picture could not be read or written in some format.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// The PNG writer refused.
    #[error(transparent)]
    Png(#[from] png::EncodingError),
    /// Another reader or writer refused.
    #[error(transparent)]
    Image(#[from] image::ImageError),
    /// The program's own font cannot be read.
    #[error(transparent)]
    Font(#[from] ab_glyph::InvalidFont),
    /// A preview is something else than a JPEG in a `data:` URL.
    #[error("a preview is no JPEG in a `data:` URL")]
    NoPreview,
}
