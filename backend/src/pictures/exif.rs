//! The smallest EXIF block that holds a text.

/// `UserComment` as text in UTF-16, behind the header that EXIF 2.3 (4.6.5) asks for.
///
/// Written by hand, since it is two directories with one entry each: a TIFF header, the first directory
/// pointing to the EXIF one, and that one holding the comment. Big-endian throughout, as the libraries that
/// the web UIs use write it.
pub(super) fn with_user_comment(text: &str) -> Vec<u8> {
    const LONG: u16 = 4;
    const UNDEFINED: u16 = 7;
    const EXIF_DIRECTORY: u16 = 0x8769;
    const USER_COMMENT: u16 = 0x9286;
    // Header 8 bytes; a directory with one entry is 2 + 12 + 4.
    const EXIF_DIRECTORY_AT: u32 = 8 + 18;
    const COMMENT_AT: u32 = EXIF_DIRECTORY_AT + 18;

    let mut comment = b"UNICODE\0".to_vec();
    comment.extend(text.encode_utf16().flat_map(u16::to_be_bytes));

    let mut exif = b"MM\0\x2a".to_vec();
    exif.extend(8_u32.to_be_bytes());
    let mut directory = |tag: u16, kind: u16, count: u32, value: u32| {
        exif.extend(1_u16.to_be_bytes());
        exif.extend(tag.to_be_bytes());
        exif.extend(kind.to_be_bytes());
        exif.extend(count.to_be_bytes());
        exif.extend(value.to_be_bytes());
        exif.extend(0_u32.to_be_bytes());
    };
    directory(EXIF_DIRECTORY, LONG, 1, EXIF_DIRECTORY_AT);
    directory(USER_COMMENT, UNDEFINED, comment.len() as u32, COMMENT_AT);
    exif.extend(comment);
    exif
}
