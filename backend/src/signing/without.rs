//! What stands in the place of certificate and key in a program that was built without the feature `c2pa`.

use types::picture::PictureFormat;

use super::{SigningError, SigningFiles};
use crate::pictures::DigitalSource;

/// Never there.
pub(super) enum Credentials {}

impl Credentials {
    pub(super) fn read(_files: &SigningFiles) -> Result<Self, SigningError> {
        Err(SigningError::NotBuilt)
    }

    pub(super) fn sign(
        &self,
        _bytes: Vec<u8>,
        _format: PictureFormat,
        _source: DigitalSource,
    ) -> Result<Vec<u8>, SigningError> {
        match *self {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::Signer;
    use super::*;

    #[test]
    fn a_program_that_cannot_sign_says_how_one_that_can_is_built() {
        let files = SigningFiles { certificate: "chain.pem".into(), key: "key.pem".into() };
        let refused = Signer::open(Some(&files)).err().unwrap().to_string();
        assert_eq!(
            refused,
            "this program cannot sign pictures: build it with `--features c2pa`, or take `c2pa_certificate` and \
             `c2pa_key` out of the settings"
        );
        assert!(!Signer::open(None).unwrap().signs());
    }
}
