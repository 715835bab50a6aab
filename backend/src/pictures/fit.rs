//! A picture in a frame of another shape.

use image::imageops::{FilterType, crop_imm, resize};
use image::{ImageBuffer, Pixel};

/// How a picture is brought to a size of another shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It is stretched.
    Stretch,
    /// It covers the frame, and what is beyond it is cut off, on both sides alike.
    Crop,
    /// It lies within the frame, in its middle, and its edges are drawn out over the rest.
    Extend,
}

/// The picture at another size.
pub(crate) fn fitted<P: Pixel<Subpixel = u8> + 'static>(
    picture: &Picture<P>,
    (width, height): (u32, u32),
    fit: Fit,
) -> Picture<P> {
    let (from_width, from_height) = picture.dimensions();
    if (from_width, from_height) == (width, height) {
        return picture.clone();
    }
    let is_wider = u64::from(from_width) * u64::from(height) > u64::from(width) * u64::from(from_height);
    match (fit, is_wider) {
        (Fit::Stretch, _) => resized(picture, width, height),
        // Cut before it is resized: a long thin picture would become a large one in between.
        (Fit::Crop, true) => {
            let kept = scaled(width, from_height, height).min(from_width);
            let middle = crop_imm(picture, (from_width - kept) / 2, 0, kept, from_height).to_image();
            resized(&middle, width, height)
        }
        (Fit::Crop, false) => {
            let kept = scaled(height, from_width, width).min(from_height);
            let middle = crop_imm(picture, 0, (from_height - kept) / 2, from_width, kept).to_image();
            resized(&middle, width, height)
        }
        (Fit::Extend, true) => {
            let inner = resized(picture, width, scaled(from_height, width, from_width).min(height));
            extended(&inner, width, height)
        }
        (Fit::Extend, false) => {
            let inner = resized(picture, scaled(from_width, height, from_height).min(width), height);
            extended(&inner, width, height)
        }
    }
}

type Picture<P> = ImageBuffer<P, Vec<u8>>;

fn resized<P: Pixel<Subpixel = u8> + 'static>(picture: &Picture<P>, width: u32, height: u32) -> Picture<P> {
    resize(picture, width, height, FilterType::Lanczos3)
}

/// The picture in the middle of a larger one, whose other pixels are each like the nearest of it.
fn extended<P: Pixel<Subpixel = u8> + 'static>(inner: &Picture<P>, width: u32, height: u32) -> Picture<P> {
    let (left, top) = ((width - inner.width()) / 2, (height - inner.height()) / 2);
    let within = |at: u32, margin: u32, side: u32| at.saturating_sub(margin).min(side - 1);
    ImageBuffer::from_fn(width, height, |x, y| {
        *inner.get_pixel(within(x, left, inner.width()), within(y, top, inner.height()))
    })
}

/// `side` times `to` by `from`, at least 1.
fn scaled(side: u32, to: u32, from: u32) -> u32 {
    let exact = u64::from(side) * u64::from(to) / u64::from(from.max(1));
    u32::try_from(exact.max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma};

    use super::*;

    /// Left black, middle grey, right white, each a third.
    fn thirds(width: u32, height: u32) -> GrayImage {
        GrayImage::from_fn(width, height, |x, _| Luma([[0, 100, 255][(x * 3 / width) as usize]]))
    }

    fn row(picture: &GrayImage) -> Vec<u8> {
        (0..picture.width()).map(|x| picture.get_pixel(x, picture.height() / 2)[0]).collect()
    }

    #[test]
    fn a_picture_of_the_frames_size_stays_as_it_is() {
        for fit in [Fit::Stretch, Fit::Crop, Fit::Extend] {
            assert_eq!(fitted(&thirds(30, 10), (30, 10), fit), thirds(30, 10));
        }
    }

    #[test]
    fn stretching_keeps_all_of_it() {
        let row = row(&fitted(&thirds(30, 10), (60, 60), Fit::Stretch));
        assert_eq!((row[0], row[30], row[59]), (0, 100, 255));
    }

    #[test]
    fn cropping_keeps_the_middle_and_its_shape() {
        let square = fitted(&thirds(30, 10), (20, 20), Fit::Crop);
        assert_eq!(square.dimensions(), (20, 20));
        // Nothing but the middle third is left, with what the curve takes from its neighbours.
        assert!(row(&square)[4..16].iter().all(|value| value.abs_diff(100) < 3), "{:?}", row(&square));
        let tall = fitted(&thirds(30, 10), (15, 60), Fit::Crop);
        assert_eq!(tall.dimensions(), (15, 60));
    }

    #[test]
    fn extending_keeps_all_of_it_and_draws_its_edges_out() {
        let wide = fitted(&thirds(30, 10), (80, 10), Fit::Extend);
        let row = row(&wide);
        assert_eq!(row[25..55], self::row(&thirds(30, 10)), "it lies in the middle");
        assert!(row[..25].iter().all(|&value| value == 0) && row[55..].iter().all(|&value| value == 255));
        let tall = fitted(&thirds(30, 10), (30, 40), Fit::Extend);
        assert!((0..40).all(|y| *tall.get_pixel(15, y) == Luma([100])));
    }

    #[test]
    fn the_thinnest_picture_still_has_a_pixel_a_side() {
        let line = GrayImage::from_pixel(400, 1, Luma([7]));
        for fit in [Fit::Stretch, Fit::Crop, Fit::Extend] {
            let framed = fitted(&line, (16, 16), fit);
            assert!(framed.pixels().all(|pixel| *pixel == Luma([7])), "{fit:?}");
        }
    }
}
