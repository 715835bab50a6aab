//! The EXIF fields in which programs keep their settings, where a format has no text chunks.

use std::io::Cursor;

use exif::{Context, Exif, In, Reader, Tag, Value};

use super::texts::MAX_TEXT_BYTES;
use crate::pictures::DARKROOM_NOTE;

/// `UserComment`: AUTOMATIC1111, Fooocus, `SwarmUI`.
const USER_COMMENT: u16 = 0x9286;
/// `MakerNote`: Fooocus keeps the name of its scheme here, Darkroom the whole request.
const MAKER_NOTE: u16 = 0x927c;
/// `Software`.
const SOFTWARE: u16 = 0x0131;
/// Fields that `ComfyUI` and its nodes take for texts of the form `prompt:{…}`: `Model`, and from `Make` on downwards;
/// `Copyright` and `UserComment` by some nodes.
const KEYED: [u16; 7] = [0x0110, 0x010f, 0x010e, 0x010d, 0x010c, 0x8298, USER_COMMENT];

/// Texts by the keywords that the same programs give them in a PNG.
pub(super) fn texts(bytes: &[u8]) -> Vec<(String, String)> {
    let read = Reader::new().continue_on_error(true).read_from_container(&mut Cursor::new(bytes));
    let Ok(exif) = read.or_else(|fault| fault.distill_partial_result(|_| ())) else { return Vec::new() };
    let mut texts = Vec::new();
    for number in KEYED {
        let text = field(&exif, number).and_then(|value| decode(&value, exif.little_endian()));
        let keyed = text.as_deref().and_then(|text| text.split_once(':'));
        let is_json = |text: &str| text.trim_start().starts_with('{');
        if let Some((keyword, json)) = keyed.filter(|(_, json)| is_json(json)) {
            texts.push((keyword.trim().to_ascii_lowercase(), json.to_owned()));
        }
    }
    for (number, keyword) in [(USER_COMMENT, "parameters"), (SOFTWARE, "Software")] {
        let text = field(&exif, number).and_then(|value| decode(&value, exif.little_endian()));
        texts.extend(text.map(|text| (keyword.to_owned(), text)));
    }
    if let Some(note) = field(&exif, MAKER_NOTE) {
        texts.extend(match note.strip_prefix(DARKROOM_NOTE) {
            Some(json) => Some(("darkroom".to_owned(), String::from_utf8_lossy(json).into_owned())),
            None => decode(&note, exif.little_endian()).map(|scheme| ("fooocus_scheme".to_owned(), scheme)),
        });
    }
    texts
}

/// A field's bytes, in whichever directory a program put it.
fn field(exif: &Exif, number: u16) -> Option<Vec<u8>> {
    let field = [Context::Exif, Context::Tiff]
        .into_iter()
        .find_map(|context| exif.get_field(Tag(context, number), In::PRIMARY))?;
    let bytes = match &field.value {
        Value::Undefined(bytes, _) | Value::Byte(bytes) => bytes.clone(),
        Value::Ascii(parts) => parts.join(&0),
        _ => return None,
    };
    (bytes.len() <= MAX_TEXT_BYTES).then_some(bytes)
}

/// A text behind one of the headers of `UserComment` (EXIF 2.3, 4.6.5), or without one.
fn decode(bytes: &[u8], little_endian: bool) -> Option<String> {
    let text = match bytes.split_at_checked(8) {
        Some((b"UNICODE\0", text)) => utf16(text, little_endian),
        Some((b"ASCII\0\0\0" | b"\0\0\0\0\0\0\0\0", text)) => String::from_utf8_lossy(text).into_owned(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    };
    let text = text.trim_matches(['\0', ' ', '\u{feff}']).to_owned();
    (!text.is_empty()).then_some(text)
}

/// UTF-16 in the byte order of the file, unless the text itself says otherwise: not every program keeps to it.
fn utf16(bytes: &[u8], little_endian: bool) -> String {
    let n_zeros = |at: usize| bytes.iter().skip(at).step_by(2).filter(|byte| **byte == 0).count();
    let (n_first, n_second) = (n_zeros(0), n_zeros(1));
    let is_little = match bytes {
        [0xff, 0xfe, ..] => true,
        [0xfe, 0xff, ..] => false,
        // Letters of the Latin alphabet have a zero in their upper byte.
        _ if n_first != n_second => n_second > n_first,
        _ => little_endian,
    };
    let units = bytes.chunks_exact(2).map(|pair| {
        let pair = [pair[0], pair[1]];
        if is_little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) }
    });
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        [b"UNICODE\0".to_vec(), text.encode_utf16().flat_map(to_bytes).collect()].concat()
    }

    #[test]
    fn a_comment_is_read_in_either_byte_order_whatever_the_file_says() {
        let text = "a café, 夕";
        for little_endian in [true, false] {
            assert_eq!(decode(&units(text, u16::to_le_bytes), little_endian).as_deref(), Some(text));
            assert_eq!(decode(&units(text, u16::to_be_bytes), little_endian).as_deref(), Some(text));
        }
        // Nothing in these tells the order, so the file does.
        assert_eq!(decode(&units("夕暮", u16::to_le_bytes), true).as_deref(), Some("夕暮"));
        assert_eq!(decode(&units("夕暮", u16::to_be_bytes), false).as_deref(), Some("夕暮"));
    }

    #[test]
    fn a_comment_may_be_plain_text_too() {
        assert_eq!(decode(b"ASCII\0\0\0a boat", true).as_deref(), Some("a boat"));
        assert_eq!(decode(b"{\"a\": 1}", true).as_deref(), Some("{\"a\": 1}"));
        assert_eq!(decode(b"\0\0\0\0\0\0\0\0", true), None);
        assert_eq!(decode(b"", true), None);
    }

    #[test]
    fn what_is_no_picture_has_no_texts() {
        for bytes in
            [&b""[..], b"\xff\xd8\xff", b"RIFF....WEBPVP8X", b"\xff\xd8\xff\xe1\xff\xffExif\0\0MM\0*"]
        {
            assert!(texts(bytes).is_empty());
        }
    }
}
