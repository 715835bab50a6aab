//! The operator's certificate and key, and the manifest that they sign.
//!
//! # Source
//! C2PA Technical Specification 2.2: the action `c2pa.created` with its digital source type (19.3), and what is asked
//! of certificates (14.5).

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use c2pa::validation_status::{
    CLAIM_SIGNATURE_MISMATCH, SIGNING_CREDENTIAL_EXPIRED, SIGNING_CREDENTIAL_INVALID,
    SIGNING_CREDENTIAL_UNTRUSTED,
};
use c2pa::{
    BoxedSigner, Builder, BuilderIntent, ClaimGeneratorInfo, Context, DigitalSourceType, Reader, SigningAlg,
    create_signer,
};
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use types::picture::PictureFormat;

use super::{SigningError, SigningFiles};
use crate::pictures::DigitalSource;

/// What a key may be made for, the most usual first. None of RSA: the arithmetic for it tells by its time what the key
/// is (RUSTSEC-2023-0071).
const ALGORITHMS: [SigningAlg; 4] =
    [SigningAlg::Es256, SigningAlg::Es384, SigningAlg::Es512, SigningAlg::Ed25519];

/// Nothing is asked of anybody over the network, and nobody is trusted: whether to believe the operator is for whoever
/// looks.
const SETTINGS: &str = r#"{"core": {"allowed_network_hosts": []}, "verify": {"verify_trust": false}}"#;

/// A certificate with its key.
pub(super) struct Credentials {
    signer: BoxedSigner,
    context: Arc<Context>,
}

impl Credentials {
    /// Reads both, and signs a picture to see whether it can be verified.
    pub(super) fn read(files: &SigningFiles) -> Result<Self, SigningError> {
        let certificate = read("certificate", &files.certificate)?;
        let key = read("key", &files.key)?;
        if !String::from_utf8_lossy(&certificate).contains("-----BEGIN CERTIFICATE-----") {
            return Err(SigningError::NoCertificate(files.certificate.clone()));
        }
        let signer = ALGORITHMS
            .into_iter()
            .find_map(|algorithm| create_signer::from_keys(&certificate, &key, algorithm, None).ok());
        let signer = signer.ok_or_else(|| SigningError::UnusableKey(files.key.clone()))?;
        let context = Context::new().with_settings(SETTINGS).map_err(failed)?.into_shared();
        let credentials = Self { signer, context };
        credentials.try_out(files)?;
        Ok(credentials)
    }

    /// The file of a picture with a signed manifest inside.
    pub(super) fn sign(
        &self,
        bytes: Vec<u8>,
        format: PictureFormat,
        source: DigitalSource,
    ) -> Result<Vec<u8>, SigningError> {
        self.signed(bytes, format, source).map_err(failed)
    }

    fn signed(
        &self,
        bytes: Vec<u8>,
        format: PictureFormat,
        source: DigitalSource,
    ) -> Result<Vec<u8>, c2pa::Error> {
        let mut generator = ClaimGeneratorInfo::new("Darkroom");
        generator.set_version(env!("CARGO_PKG_VERSION"));
        let mut builder = Builder::from_shared_context(&self.context);
        builder.set_intent(BuilderIntent::Create(match source {
            DigitalSource::TrainedAlgorithmicMedia => DigitalSourceType::TrainedAlgorithmicMedia,
            DigitalSource::CompositeWithTrainedAlgorithmicMedia => {
                DigitalSourceType::CompositeWithTrainedAlgorithmicMedia
            }
        }));
        builder.set_claim_generator_info(generator);
        let mut signed = Cursor::new(Vec::with_capacity(bytes.len()));
        builder.sign(&*self.signer, format.content_type(), &mut Cursor::new(bytes), &mut signed)?;
        Ok(signed.into_inner())
    }

    fn try_out(&self, files: &SigningFiles) -> Result<(), SigningError> {
        let unusable =
            |why: String| SigningError::UnusableCertificate { path: files.certificate.clone(), why };
        let mut png = Vec::new();
        let drawn = PngEncoder::new(&mut png).write_image(&[0; 3], 1, 1, ExtendedColorType::Rgb8);
        drawn.map_err(|error| SigningError::Failed(error.to_string()))?;
        let signed = self.signed(png, PictureFormat::Png, DigitalSource::TrainedAlgorithmicMedia);
        let signed = signed.map_err(|error| unusable(lower_case(&error.to_string())))?;
        let reader = Reader::from_shared_context(&self.context);
        let reader = reader.with_stream(PictureFormat::Png.content_type(), Cursor::new(signed));
        let reader = reader.map_err(failed)?;
        let faults = reader.validation_status().unwrap_or_default();
        match faults.iter().find(|fault| fault.code() != SIGNING_CREDENTIAL_UNTRUSTED) {
            None => Ok(()),
            Some(fault) if fault.code() == CLAIM_SIGNATURE_MISMATCH => {
                Err(SigningError::Mismatch { certificate: files.certificate.clone(), key: files.key.clone() })
            }
            Some(fault) => Err(unusable(match fault.code() {
                SIGNING_CREDENTIAL_EXPIRED => "it has expired, or is not valid yet".to_owned(),
                SIGNING_CREDENTIAL_INVALID => "it is not made for that".to_owned(),
                code => format!("verifiers find `{code}`"),
            })),
        }
    }
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, SigningError> {
    std::fs::read(path).map_err(|source| SigningError::Unreadable { what, path: path.to_owned(), source })
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn failed(error: c2pa::Error) -> SigningError {
    SigningError::Failed(lower_case(&error.to_string()))
}

/// In the middle of a sentence.
fn lower_case(sentence: &str) -> String {
    let mut letters = sentence.trim_end_matches('.').chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
