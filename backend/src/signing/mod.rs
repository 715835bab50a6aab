//! Signed manifests in pictures (C2PA): that they are generated, with what, and who says so, in a form that can be
//! verified.
//!
//! # Layout
//! * [`Signer`]: what everybody calls who makes a picture's file; without a certificate it signs nothing
//! * `credentials`: the certificate, its key and the manifest, with the feature `c2pa`; `without` stands in its place else
//! * [`SigningError`]: what keeps pictures from being signed
//!
//! A signature is another one each time, so it stands outside [`crate::pictures`], where the same picture gives the
//! same bytes.

#[cfg(feature = "c2pa")]
mod credentials;
#[cfg(not(feature = "c2pa"))]
#[path = "without.rs"]
mod credentials;
mod error;

use std::path::PathBuf;
use std::sync::Arc;

use image::RgbImage;
use types::picture::PictureFormat;
use types::request::GenerationRequest;

use self::credentials::Credentials;
pub use self::error::SigningError;
use crate::Result;
use crate::pictures::{self, DigitalSource, JPEG_QUALITY};

/// Where the operator's certificate and its private key lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningFiles {
    /// The certificate, and behind it those that vouch for it, as PEM.
    pub certificate: PathBuf,
    /// Its private key, as PEM in PKCS #8.
    pub key: PathBuf,
}

/// Makes the files of pictures, and signs them if there is something to sign with. Cheap to clone.
#[derive(Clone, Default)]
pub struct Signer(Option<Arc<Credentials>>);

impl Signer {
    /// Reads certificate and key, and tries them out. Without files, nothing is signed.
    ///
    /// # Errors
    /// A file that cannot be read or used; the two do not belong together; this program cannot sign.
    pub fn open(files: Option<&SigningFiles>) -> Result<Self, SigningError> {
        Ok(Self(files.map(Credentials::read).transpose()?.map(Arc::new)))
    }

    /// Whether there is something to sign with.
    pub(crate) fn signs(&self) -> bool {
        self.0.is_some()
    }

    /// Picture `index` of a request as the bytes of a file, as [`pictures::encode`] makes them, and signed.
    ///
    /// # Errors
    /// A picture without pixels; a certificate that is valid no longer.
    pub fn encode(
        &self,
        image: &RgbImage,
        request: &GenerationRequest,
        index: u32,
        format: PictureFormat,
    ) -> Result<Vec<u8>> {
        self.encode_at(image, request, index, format, JPEG_QUALITY)
    }

    /// The same with a JPEG's quality, 1 to 100, which the other formats have no use for.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub(crate) fn encode_at(
        &self,
        image: &RgbImage,
        request: &GenerationRequest,
        index: u32,
        format: PictureFormat,
        jpeg_quality: u8,
    ) -> Result<Vec<u8>> {
        let bytes = pictures::encode_at(image, request, index, format, jpeg_quality)?;
        match &self.0 {
            Some(credentials) => Ok(credentials.sign(bytes, format, DigitalSource::of(request))?),
            None => Ok(bytes),
        }
    }
}

#[cfg(all(test, feature = "c2pa"))]
pub(crate) mod tests;
