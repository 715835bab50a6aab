//! The smallest EXIF block that holds a picture's settings.

/// What stands before the request in `MakerNote`, so that nobody takes it for a camera's.
pub(crate) const DARKROOM_NOTE: &[u8] = b"darkroom\0";

/// `UserComment` as text in UTF-16, behind the header that EXIF 2.3 (4.6.5) asks for, and `MakerNote` with `origin` as
/// JSON in UTF-8 behind [`DARKROOM_NOTE`].
///
/// Written by hand, since it is two directories with three entries: a TIFF header, the first directory pointing to the
/// EXIF one, and that one holding note and comment. Big-endian throughout, as the libraries that the web UIs use write it.
pub(super) fn with_settings(comment: &str, origin: &str) -> Vec<u8> {
    const LONG: u16 = 4;
    const UNDEFINED: u16 = 7;
    const EXIF_DIRECTORY: u16 = 0x8769;
    const MAKER_NOTE: u16 = 0x927c;
    const USER_COMMENT: u16 = 0x9286;
    // Header 8 bytes; a directory is a count of 2, 12 for each entry, and 4 that say that no other follows.
    const EXIF_DIRECTORY_AT: u32 = 8 + 18;
    const NOTE_AT: u32 = EXIF_DIRECTORY_AT + 30;

    let note = [DARKROOM_NOTE, origin.as_bytes()].concat();
    let comment: Vec<u8> =
        b"UNICODE\0".iter().copied().chain(comment.encode_utf16().flat_map(u16::to_be_bytes)).collect();
    // Values begin at even places.
    let comment_at = (NOTE_AT + note.len() as u32).next_multiple_of(2);

    let mut exif = b"MM\0\x2a".to_vec();
    exif.extend(8_u32.to_be_bytes());
    let mut directory = |entries: &[(u16, u16, u32, u32)]| {
        exif.extend((entries.len() as u16).to_be_bytes());
        // In the order of their tags.
        for (tag, kind, count, value) in entries {
            exif.extend(tag.to_be_bytes());
            exif.extend(kind.to_be_bytes());
            exif.extend(count.to_be_bytes());
            exif.extend(value.to_be_bytes());
        }
        exif.extend(0_u32.to_be_bytes());
    };
    directory(&[(EXIF_DIRECTORY, LONG, 1, EXIF_DIRECTORY_AT)]);
    directory(&[
        (MAKER_NOTE, UNDEFINED, note.len() as u32, NOTE_AT),
        (USER_COMMENT, UNDEFINED, comment.len() as u32, comment_at),
    ]);
    exif.extend(note);
    exif.resize(comment_at as usize, 0);
    exif.extend(comment);
    exif
}
