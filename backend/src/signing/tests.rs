//! Certificates and keys from `fixtures`, which `make.sh` there makes; what was signed is read as any verifier reads
//! it.

use std::io::Cursor;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use c2pa::{Context, Reader, ValidationState};
use serde_json::{Value, json};
use tempfile::TempDir;
use types::request::Margins;

use super::*;
use crate::metadata;

/// The files of a certificate and of a key, which is written as PEM where only the tests see it.
pub(crate) fn files(folder: &TempDir, certificate: &str, key: &str) -> SigningFiles {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/signing/fixtures");
    let der = std::fs::read(fixtures.join(format!("{key}.key.der"))).unwrap();
    let kind = "PRIVATE KEY";
    // Readers of PEM want lines of 64 characters, as openssl writes them.
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    let pem = format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", lines.join("\n"));
    let path = folder.path().join("key.pem");
    std::fs::write(&path, pem).unwrap();
    SigningFiles { certificate: fixtures.join(format!("{certificate}.pem")), key: path }
}

/// What a verifier finds who trusts nobody yet.
pub(crate) fn verified(bytes: &[u8], format: PictureFormat) -> Reader {
    let context = Context::new().with_settings(r#"{"verify": {"verify_trust": false}}"#).unwrap();
    Reader::from_context(context).with_stream(format.content_type(), Cursor::new(bytes)).unwrap()
}

fn signer(name: &str) -> Signer {
    let folder = tempfile::tempdir().unwrap();
    Signer::open(Some(&files(&folder, name, name))).unwrap()
}

fn refused(files: &SigningFiles) -> String {
    Signer::open(Some(files)).err().unwrap().to_string()
}

fn request() -> GenerationRequest {
    let request = json!({
        "prompt": "a café by the sea", "negative_prompt": "rain", "model": "demo", "steps": 20, "guidance_scale": 4,
        "sampler": "dpmpp_2m", "schedule": "karras", "seed": 7, "width": 24, "height": 16, "count": 1,
    });
    serde_json::from_value(request).unwrap()
}

fn gradient() -> RgbImage {
    RgbImage::from_fn(24, 16, |x, y| image::Rgb([x as u8 * 10, y as u8 * 15, 90]))
}

/// The one action of the manifest.
fn action(reader: &Reader) -> Value {
    let manifest: Value = serde_json::to_value(reader.active_manifest().unwrap()).unwrap();
    let assertions = manifest["assertions"].as_array().unwrap();
    let is_actions =
        |assertion: &&Value| assertion["label"].as_str().is_some_and(|l| l.starts_with("c2pa.actions"));
    let actions = &assertions.iter().find(is_actions).unwrap()["data"]["actions"];
    assert_eq!(actions.as_array().unwrap().len(), 1);
    actions[0].clone()
}

#[test]
fn every_format_is_signed_and_keeps_its_pixels_and_its_settings() {
    let signer = signer("p256");
    for format in PictureFormat::ALL {
        let bytes = signer.encode(&gradient(), &request(), 0, format).unwrap();
        let reader = verified(&bytes, format);
        assert_eq!(reader.validation_state(), ValidationState::Valid, "{format:?}: {reader}");
        let action = action(&reader);
        assert_eq!(action["action"], "c2pa.created");
        assert_eq!(
            action["digitalSourceType"],
            "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
        );
        let generator = &reader.active_manifest().unwrap().claim_generator_info.as_ref().unwrap()[0];
        assert_eq!(generator.name, "Darkroom");
        assert_eq!(generator.version.as_deref(), Some(env!("CARGO_PKG_VERSION")));

        let unsigned = pictures::encode(&gradient(), &request(), 0, format).unwrap();
        assert_eq!(metadata::texts(&bytes), metadata::texts(&unsigned), "{format:?}");
        let pixels = |bytes: &[u8]| image::load_from_memory(bytes).unwrap().into_rgb8();
        assert_eq!(pixels(&bytes), pixels(&unsigned), "{format:?}");
    }
}

#[test]
fn a_signed_png_is_a_whole_one_that_says_how_it_was_made() {
    let png = signer("p256").encode(&gradient(), &request(), 0, PictureFormat::Png).unwrap();
    assert!(pictures::is_whole_png(&png));
    assert_eq!(pictures::origin_of(&png).unwrap().request, request());
    assert_eq!(pictures::decode_png(&png).unwrap(), gradient());
}

#[test]
fn a_picture_of_which_a_part_stayed_is_signed_as_a_composite() {
    let request =
        GenerationRequest { outpaint: Some(Margins { left: 8, ..Margins::default() }), ..request() };
    let png = signer("p256").encode(&gradient(), &request, 0, PictureFormat::Png).unwrap();
    assert_eq!(
        action(&verified(&png, PictureFormat::Png))["digitalSourceType"],
        "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
    );
}

#[test]
fn a_picture_that_was_changed_afterwards_is_found_out() {
    let mut png = signer("p256").encode(&gradient(), &request(), 0, PictureFormat::Png).unwrap();
    let at = png.windows(4).position(|window| window == b"IDAT").unwrap();
    png[at + 12] ^= 1;
    assert_eq!(verified(&png, PictureFormat::Png).validation_state(), ValidationState::Invalid);
}

#[test]
fn which_algorithm_it_is_follows_from_the_key() {
    for name in ["p256", "p384", "p521", "ed25519"] {
        let png = signer(name).encode(&gradient(), &request(), 0, PictureFormat::Png).unwrap();
        assert_eq!(verified(&png, PictureFormat::Png).validation_state(), ValidationState::Valid, "{name}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let whole = files(&folder, "p256", "p256");
    let without_key = SigningFiles { key: "/nowhere/key.pem".into(), ..whole.clone() };
    let sentence = refused(&without_key);
    let start = "the file `/nowhere/key.pem` with the key that signs pictures cannot be read: ";
    assert!(sentence.starts_with(start), "{sentence}");
    let without_certificate = SigningFiles { certificate: "/nowhere/chain.pem".into(), ..whole };
    assert!(
        refused(&without_certificate).starts_with("the file `/nowhere/chain.pem` with the certificate that")
    );
}

#[test]
fn a_key_that_is_not_that_of_the_certificate_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for key in ["server", "p384", "ed25519"] {
        let files = files(&folder, "p256", key);
        let sentence = refused(&files);
        let names_both =
            [&files.certificate, &files.key].iter().all(|path| sentence.contains(&*path.to_string_lossy()));
        assert!(names_both && sentence.ends_with("; name two that belong together"), "{key}: {sentence}");
    }
}

#[test]
fn a_key_of_another_kind_is_refused_with_those_that_are_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(&folder, "rsa", "rsa");
    let sentence = refused(&files);
    assert!(
        sentence.contains("holds no key that signs pictures; allowed are unencrypted ones on"),
        "{sentence}"
    );
    std::fs::write(&files.key, "no key").unwrap();
    assert_eq!(refused(&files), sentence);
}

#[test]
fn a_certificate_that_no_verifier_would_take_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["expired", "server"] {
        let sentence = refused(&files(&folder, name, name));
        assert!(sentence.contains(&format!("/{name}.pem` cannot sign pictures: ")), "{sentence}");
    }
    let no_certificate = folder.path().join("chain.pem");
    std::fs::write(&no_certificate, "no certificate").unwrap();
    let files = SigningFiles { certificate: no_certificate, ..files(&folder, "p256", "p256") };
    assert!(refused(&files).contains("holds no certificate; give one as PEM"));
}
