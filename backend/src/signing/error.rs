//! What keeps pictures from being signed.

use std::path::PathBuf;

/// What keeps pictures from being signed, for whoever operates the site.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// The program was built without what it takes.
    #[error(
        "this program cannot sign pictures: build it with `--features c2pa`, or take `c2pa_certificate` and `c2pa_key` \
         out of the settings"
    )]
    NotBuilt,
    /// One of the files is not there, or may not be read.
    #[error("the file `{}` with the {what} that signs pictures cannot be read: {source}", path.display())]
    Unreadable {
        /// `certificate` or `key`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// No certificate is in the file.
    #[error(
        "the file `{}` holds no certificate; give one as PEM, and behind it those that vouch for it", .0.display()
    )]
    NoCertificate(PathBuf),
    /// No key is in the file, or one of another kind.
    #[error(
        "the file `{}` holds no key that signs pictures; allowed are unencrypted ones on the curves P-256, P-384 and \
         P-521, and Ed25519, as PEM in PKCS #8, which `openssl pkcs8 -topk8 -nocrypt` writes", .0.display()
    )]
    UnusableKey(PathBuf),
    /// They are those of two.
    #[error(
        "the key `{}` is not that of the certificate `{}`; name two that belong together",
        key.display(), certificate.display()
    )]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The certificate is not one that C2PA allows.
    #[error(
        "the certificate `{}` cannot sign pictures: {why}; C2PA asks for one that is valid today, for digital \
         signatures (key usage) of e-mail or documents (extended key usage), and not signed by itself", path.display()
    )]
    UnusableCertificate {
        /// The certificate's file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// What went well at the start goes wrong later: the certificate has expired, as a rule.
    #[error("a picture could not be signed: {0}; look whether the certificate is still valid")]
    Failed(String),
}
