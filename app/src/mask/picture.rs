//! A mask as a picture: white is painted anew, black stays.

/// Makes of a mask's pixels, four bytes each (red, green, blue, opacity), what is drawn over the picture: one
/// colour, the more opaque the brighter the mask is there. What is transparent in the mask stays.
///
/// Brightness is luma of Rec. 601, by which pictures are made grey when a mask is read.
pub fn tint(rgba: &mut [u8], colour: [u8; 3]) {
    for pixel in rgba.chunks_exact_mut(4) {
        let [red, green, blue, opacity] = [pixel[0], pixel[1], pixel[2], pixel[3]].map(u32::from);
        let luma = (red * 299 + green * 587 + blue * 114 + 500) / 1000;
        pixel[..3].copy_from_slice(&colour);
        // Both are at most 255, and so is their product over 255.
        pixel[3] = ((luma * opacity + 127) / 255) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_is_drawn_in_full_black_and_transparent_not_at_all() {
        let mut pixels = [255, 255, 255, 255, 0, 0, 0, 255, 255, 255, 255, 0, 128, 128, 128, 255];
        tint(&mut pixels, [1, 2, 3]);
        assert_eq!(pixels, [1, 2, 3, 255, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 128]);
    }

    #[test]
    fn a_colour_counts_by_its_brightness() {
        let mut pixels = [255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255];
        tint(&mut pixels, [0, 0, 0]);
        assert_eq!([pixels[3], pixels[7], pixels[11]], [76, 150, 29]);
    }
}
