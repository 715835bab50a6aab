//! What a picture's file holds as text.

use types::picture::PictureFormat;

use super::{exif, png};
use crate::pictures::{DecodeError, format_of};

/// Longest text that is read, in bytes; a packed one when it is unpacked. The largest graphs have a tenth of it.
pub(super) const MAX_TEXT_BYTES: usize = 4 << 20;

/// Most bytes that all texts of one PNG may have together: each of them may be a small chunk.
pub(super) const MAX_BYTES_OF_ALL: usize = 16 << 20;

/// Most texts that are read of one file.
pub(super) const MAX_TEXTS: usize = 64;

/// Texts by their keywords, in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Texts(Vec<(String, String)>);

impl Texts {
    /// The texts of a PNG, JPEG or WebP file, whatever it calls itself. Pixels are not looked at: a file that broke off
    /// may still say how it was made.
    ///
    /// # Errors
    /// The file is none of these.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut texts = match format_of(bytes)? {
            PictureFormat::Png => png::texts(bytes),
            PictureFormat::Jpeg | PictureFormat::Webp => Vec::new(),
        };
        // A PNG may hold EXIF as well, and what stands there is second.
        texts.extend(exif::texts(bytes));
        Ok(Self(texts))
    }

    /// Each keyword with its text, in the order of the file.
    pub(super) fn into_pairs(self) -> Vec<(String, String)> {
        self.0
    }

    /// The first text of a keyword that is not empty.
    pub(super) fn get(&self, keyword: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, text)| known == keyword && !text.trim().is_empty());
        found.map(|(_, text)| text.as_str())
    }
}

#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for Texts {
    fn from(texts: [(&str, &str); N]) -> Self {
        Self(texts.into_iter().map(|(keyword, text)| (keyword.to_owned(), text.to_owned())).collect())
    }
}
