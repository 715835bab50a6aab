//! Pixels to files: PNG, JPEG and WebP with the settings inside, thumbnails and previews. And files that others
//! made to pixels.
//!
//! Everything here is deterministic: the same picture gives the same bytes, and the same bytes the same picture.

mod decode;
mod encode;
mod exif;
mod preview;
mod thumbnail;

pub use decode::{DecodeError, Decoded};
pub(crate) use encode::decode_png;
pub use encode::encode;
pub(crate) use preview::preview_data_url;
pub(crate) use thumbnail::{THUMBNAIL_CONTENT_TYPE, thumbnail};

/// A picture could not be read or written in some format.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// The PNG writer refused.
    #[error(transparent)]
    Png(#[from] png::EncodingError),
    /// Another reader or writer refused.
    #[error(transparent)]
    Image(#[from] image::ImageError),
}
