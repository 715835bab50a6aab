//! The surroundings of a mask, blurred into the part that it covers.

use super::mask::Mask;
use super::rgb::Rgb;

/// Deviations of the blurs in pixels, the widest at the bottom, and how often each is laid over what is below it.
const LAYERS: [(f32, u32); 5] = [(256.0, 1), (64.0, 1), (16.0, 2), (4.0, 4), (2.0, 2)];

/// Red, green and blue times the share of what covers, from 0 to 255, and that share, from 0 to 1.
type Covering = [f32; 4];

/// The picture, whose colours outside the mask grow into it: near its edge from close by, in its middle from far away.
/// Where the mask is black the picture stays to the byte. A mask that is white all over leaves black.
///
/// # Source
/// `fill` in the AUTOMATIC1111 web UI's `modules/masking.py`, on numbers that are not rounded in between.
pub(super) fn fill(picture: &Rgb, mask: &Mask) -> Rgb {
    let (width, height) = (picture.width as usize, picture.height as usize);
    let stays: Vec<Covering> = picture
        .pixels
        .as_chunks::<3>()
        .0
        .iter()
        .zip(&mask.pixels)
        .map(|(&[red, green, blue], &anew)| {
            let share = f32::from(255 - anew) / 255.0;
            [f32::from(red) * share, f32::from(green) * share, f32::from(blue) * share, share]
        })
        .collect();
    let mut filled = vec![[0.0; 4]; stays.len()];
    for (deviation, n_times) in LAYERS {
        let blurred = blur(&stays, (width, height), deviation);
        for _ in 0..n_times {
            lay_over(&mut filled, &blurred);
        }
    }
    lay_over(&mut filled, &stays);
    let pixels = filled.iter().flat_map(|&[red, green, blue, share]| {
        [red, green, blue]
            .map(|colour| if share > 0.0 { (colour / share).round().clamp(0.0, 255.0) as u8 } else { 0 })
    });
    Rgb { pixels: pixels.collect(), ..*picture }
}

fn lay_over(below: &mut [Covering], above: &[Covering]) {
    for (below, above) in below.iter_mut().zip(above) {
        let rest = 1.0 - above[3];
        for (below, above) in below.iter_mut().zip(above) {
            *below = above + *below * rest;
        }
    }
}

/// Blurs in both directions; edges go on as they are.
fn blur(pixels: &[Covering], (width, height): (usize, usize), deviation: f32) -> Vec<Covering> {
    let curve = BoxCurve::of(deviation);
    let across = transposed(&curve.over_rows(pixels, width), width);
    transposed(&curve.over_rows(&across, height), height)
}

fn transposed(pixels: &[Covering], width: usize) -> Vec<Covering> {
    let height = pixels.len() / width;
    (0..pixels.len()).map(|i| pixels[i % height * width + i / height]).collect()
}

/// A box whose two outermost places count in part, so that it has any deviation. Three times over it is as good as a
/// Gaussian curve, and takes the same time however wide it is.
///
/// # Source
/// Gwosdek et al. 2011, "Theoretical foundations of Gaussian convolution by extended box filtering", as in Pillow.
struct BoxCurve {
    /// Whole places to either side of the middle.
    reach: usize,
    /// How much the place beyond those counts, 0 to 1.
    outermost: f32,
}

impl BoxCurve {
    const N_TIMES: u8 = 3;

    /// The one that has this deviation if it is taken [`Self::N_TIMES`] times.
    fn of(deviation: f32) -> Self {
        let variance = deviation.powi(2) / f32::from(Self::N_TIMES);
        let reach = (((12.0 * variance + 1.0).sqrt() - 1.0) / 2.0).floor();
        let outermost = (2.0 * reach + 1.0) * (reach * (reach + 1.0) - 3.0 * variance)
            / (6.0 * (variance - (reach + 1.0).powi(2)));
        Self { reach: reach as usize, outermost }
    }

    fn over_rows(&self, pixels: &[Covering], width: usize) -> Vec<Covering> {
        let mut blurred = pixels.to_vec();
        let mut before = vec![[0.0; 4]; width];
        for row in blurred.chunks_exact_mut(width) {
            for _ in 0..Self::N_TIMES {
                before.copy_from_slice(row);
                self.over_row(&before, row);
            }
        }
        blurred
    }

    /// One sum goes along the row: what comes in is added, what falls out is taken off.
    fn over_row(&self, before: &[Covering], after: &mut [Covering]) {
        let last = before.len() - 1;
        let (reach, outermost) = (self.reach, self.outermost);
        let weight = 1.0 / (2.0 * (reach as f32 + outermost) + 1.0);
        for channel in 0..4 {
            let at = |i: usize| before[i.min(last)][channel];
            // Of 64 bits, so that rounding leaves no trace along a long row.
            let mut sum =
                f64::from(at(0)) * reach as f64 + (0..=reach).map(|i| f64::from(at(i))).sum::<f64>();
            for (i, after) in after.iter_mut().enumerate() {
                let outside = at(i.saturating_sub(reach + 1)) + at(i + reach + 1);
                after[channel] = (sum as f32 + outermost * outside) * weight;
                sum += f64::from(at(i + reach + 1)) - f64::from(at(i.saturating_sub(reach)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32, colour: impl Fn(u32, u32) -> [u8; 3]) -> Rgb {
        let places = (0..width * height).map(|i| (i % width, i / width));
        Rgb { width, height, pixels: places.flat_map(|(x, y)| colour(x, y)).collect() }
    }

    fn mask(width: u32, height: u32, is_new: impl Fn(u32, u32) -> bool) -> Mask {
        let places = (0..width * height).map(|i| (i % width, i / width));
        Mask { width, height, pixels: places.map(|(x, y)| if is_new(x, y) { 255 } else { 0 }).collect() }
    }

    fn at(picture: &Rgb, x: u32, y: u32) -> [u8; 3] {
        picture.pixels.as_chunks::<3>().0[(y * picture.width + x) as usize]
    }

    #[test]
    fn what_the_mask_leaves_stays_to_the_byte_and_what_it_covers_is_gone() {
        let before = picture(40, 30, |x, y| [(x * 6) as u8, (y * 8) as u8, 90]);
        let square = mask(40, 30, |x, y| (12..24).contains(&x) && (9..20).contains(&y));
        let after = fill(&before, &square);
        for (x, y) in (0..40).flat_map(|x| (0..30).map(move |y| (x, y))) {
            if square.pixels[(y * 40 + x) as usize] == 0 {
                assert_eq!(at(&after, x, y), at(&before, x, y));
            }
        }
        let marked =
            picture(40, 30, |x, y| if (14..22).contains(&x) { [255, 0, 0] } else { at(&before, x, y) });
        let covers_mark = mask(40, 30, |x, _| (12..24).contains(&x));
        assert_eq!(
            fill(&marked, &covers_mark),
            fill(&before, &covers_mark),
            "nothing of what is covered is seen"
        );
    }

    #[test]
    fn surroundings_of_one_colour_fill_the_mask_with_it() {
        let before =
            picture(64, 48, |x, y| if (20..44).contains(&x) && y < 30 { [9, 9, 9] } else { [200, 60, 10] });
        let after = fill(&before, &mask(64, 48, |x, y| (20..44).contains(&x) && y < 30));
        assert_eq!(after, picture(64, 48, |_, _| [200, 60, 10]));
    }

    #[test]
    fn between_two_colours_the_nearer_one_prevails() {
        let before = picture(90, 8, |x, _| if x < 45 { [250, 0, 0] } else { [0, 0, 250] });
        let after = fill(&before, &mask(90, 8, |x, _| (30..60).contains(&x)));
        let reds: Vec<u8> = (30..60).map(|x| at(&after, x, 4)[0]).collect();
        assert!(reds.is_sorted_by(|a, b| a >= b), "{reds:?}");
        assert!(reds[0] > 240 && (110..140).contains(&reds[15]) && reds[29] < 10, "{reds:?}");
    }

    /// What Pillow's filters make of it, by the steps of the source.
    #[test]
    fn the_colours_are_those_of_the_source() {
        let before = picture(48, 36, |x, y| [(x * 5) as u8, (y * 7) as u8, (255 - x * 3 - y) as u8]);
        let after = fill(&before, &mask(48, 36, |x, y| (14..34).contains(&x) && (10..28).contains(&y)));
        for (x, y, expected) in [
            (14, 10, [66, 64, 205]),
            (15, 19, [60, 133, 200]),
            (24, 12, [121, 60, 173]),
            (24, 19, [120, 129, 163]),
            (33, 27, [166, 194, 126]),
            (30, 22, [163, 159, 134]),
        ] {
            let found = at(&after, x, y);
            // The source rounds to whole numbers after every blur and every layer.
            let is_near = found
                .iter()
                .zip(&expected)
                .all(|(found, expected): (&u8, &u8)| found.abs_diff(*expected) <= 3);
            assert!(is_near, "at {x}, {y}: {found:?} instead of {expected:?}");
        }
    }

    #[test]
    fn a_mask_over_everything_leaves_black() {
        let before = picture(16, 8, |x, y| [x as u8, y as u8, 200]);
        assert!(fill(&before, &mask(16, 8, |_, _| true)).pixels.iter().all(|&byte| byte == 0));
    }
}
