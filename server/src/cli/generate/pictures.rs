//! The files that a picture starts from.

use std::path::Path;

use backend::Materials;
use backend::pictures::Decoded;
use types::error::PublicError;
use types::request::{KnownPicture, PictureSource};
use types::upload::MAX_UPLOAD_BYTES;

/// The start picture and the mask: as the request is checked against them, and in pixels.
#[derive(Default)]
pub struct Pictures {
    /// The picture to start from.
    pub start: Option<KnownPicture>,
    /// The mask over it.
    pub mask: Option<KnownPicture>,
    /// Both in pixels.
    pub materials: Materials,
}

impl Pictures {
    /// Reads both.
    ///
    /// # Errors
    /// One of them is no picture, or larger than the site takes one.
    pub fn read(start: Option<&Path>, mask: Option<&Path>) -> Result<Self, PublicError> {
        let mut pictures = Self::default();
        if let Some(path) = start {
            let (known, decoded) = read("start", path)?;
            pictures.start = Some(known);
            pictures.materials.start = Some(decoded.into_rgb());
        }
        if let Some(path) = mask {
            let (known, decoded) = read("mask", path)?;
            pictures.mask = Some(known);
            pictures.materials.mask = Some(decoded.into_gray());
        }
        Ok(pictures)
    }
}

/// The name that a request calls a file by: without its folders, which are nobody's business who gets the picture.
pub fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn read(field: &'static str, path: &Path) -> Result<(KnownPicture, Decoded), PublicError> {
    let refuse =
        |what: String| PublicError::invalid_field(field, format!("{field} `{}` {what}", path.display()));
    let cannot = |error: std::io::Error| refuse(format!("cannot be read: {error}"));
    let n_bytes = std::fs::metadata(path).map_err(cannot)?.len();
    if n_bytes > MAX_UPLOAD_BYTES as u64 {
        return Err(refuse(format!("has {n_bytes} bytes; at most {MAX_UPLOAD_BYTES} are allowed")));
    }
    let bytes = std::fs::read(path).map_err(cannot)?;
    let decoded = Decoded::read(&bytes).map_err(|error| refuse(error.to_string()))?;
    let (width, height) = decoded.size();
    Ok((KnownPicture { source: PictureSource::File(name_of(path)), width, height }, decoded))
}
