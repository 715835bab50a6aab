//! Whether a stored PNG is still what was written, without unpacking it.

use flate2::Crc;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Whether these bytes are a PNG from its signature to its end, with every chunk's checksum right. Takes a millisecond for a
/// few megabytes, where unpacking takes fifty.
///
/// # Source
/// Portable Network Graphics (third edition), 5.3.
pub(crate) fn is_whole_png(bytes: &[u8]) -> bool {
    let Some(mut rest) = bytes.strip_prefix(SIGNATURE) else { return false };
    // Length, then kind and data, which are summed up together, then the sum.
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        let Some((summed, after)) = after.split_at_checked(length.saturating_add(4)) else { return false };
        let Some((sum, after)) = after.split_first_chunk::<4>() else { return false };
        let mut crc = Crc::new();
        crc.update(summed);
        if crc.sum() != u32::from_be_bytes(*sum) {
            return false;
        }
        if summed.starts_with(b"IEND") {
            return after.is_empty();
        }
        rest = after;
    }
    false
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn a_png_is_whole_until_a_byte_of_it_is_changed_or_missing() {
        let mut png = Cursor::new(Vec::new());
        image::RgbImage::new(20, 10).write_to(&mut png, image::ImageFormat::Png).unwrap();
        let png = png.into_inner();
        assert!(is_whole_png(&png));
        for at in 0..png.len() {
            let mut changed = png.clone();
            changed[at] ^= 1;
            assert!(!is_whole_png(&changed), "byte {at}");
            assert!(!is_whole_png(&png[..at]), "the first {at} bytes");
        }
        assert!(!is_whole_png(&[&png[..], b"more"].concat()));
    }
}
