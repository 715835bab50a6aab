//! Files that stand in JSON as text.

use base64::Engine;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig, general_purpose};
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use types::error::PublicError;
use types::upload::MAX_UPLOAD_BYTES;

/// With or without padding at the end, as clients differ in it.
const FORGIVING: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The bytes of a file from its base64, which may be a `data:` URL and broken into lines.
///
/// # Errors
/// The text is no base64, or the file is larger than [`MAX_UPLOAD_BYTES`]; said of `field`.
pub fn decode(field: &str, text: &str) -> Result<Bytes, PublicError> {
    let text = text.trim();
    let text = match text.strip_prefix("data:") {
        Some(url) => url.split_once(";base64,").map(|(_, text)| text).ok_or_else(|| {
            let sentence = format!("{field} is a `data:` URL without base64; send `data:image/png;base64,…`");
            PublicError::invalid_field(field, sentence)
        })?,
        None => text,
    };
    if text.len() / 4 * 3 > MAX_UPLOAD_BYTES + 3 {
        let sentence = format!("{field} is too large; at most {MAX_UPLOAD_BYTES} bytes are allowed");
        return Err(PublicError::invalid_field(field, sentence));
    }
    let text: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    // Some clients write it as URLs do.
    let is_of_urls = text.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let decoded = if is_of_urls {
        general_purpose::URL_SAFE_NO_PAD
            .decode(text.strip_suffix(b"=").map_or(&*text, |text| text.strip_suffix(b"=").unwrap_or(text)))
    } else {
        FORGIVING.decode(&text)
    };
    decoded.map(Bytes::from).map_err(|error| {
        PublicError::invalid_field(
            field,
            format!("{field} is no base64: {}", in_lower_case(&error.to_string())),
        )
    })
}

/// The base64 of a file.
pub fn encode(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

fn in_lower_case(sentence: &str) -> String {
    let mut letters = sentence.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    first.into_iter().chain(letters).collect::<String>().trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_however_a_client_writes_its_base64() {
        let file = [251_u8, 255, 190, 1];
        for text in
            ["+/++AQ==", "+/++AQ", " +/++\r\nAQ==\n", "-_--AQ==", "-_--AQ", "data:image/png;base64,+/++AQ=="]
        {
            assert_eq!(decode("image", text).unwrap(), &file[..], "{text}");
        }
        assert_eq!(encode(&file), "+/++AQ==");
    }

    #[test]
    fn what_is_no_base64_is_refused_with_its_field() {
        let refused = |text: &str| {
            let error = decode("mask", text).unwrap_err();
            assert_eq!(error.field.as_deref(), Some("mask"));
            error.message
        };
        assert_eq!(refused("a red boat!"), "mask is no base64: invalid symbol 33, offset 8");
        assert_eq!(
            refused("data:image/png,abc"),
            "mask is a `data:` URL without base64; send `data:image/png;base64,…`"
        );
        let large = "A".repeat(MAX_UPLOAD_BYTES / 3 * 4 + 100);
        assert_eq!(refused(&large), "mask is too large; at most 33554432 bytes are allowed");
    }
}
