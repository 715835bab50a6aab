//! Pictures at another size.

/// The curve by which the pixels around a place are weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Curve {
    /// Lanczos' with three lobes.
    Lanczos,
    /// Two cubic pieces, with −0.5 for the slope that they share, as Pillow has them.
    Bicubic,
}

impl Curve {
    /// How far it reaches to either side, in pixels of the smaller picture.
    fn reach(self) -> f64 {
        match self {
            Self::Lanczos => 3.0,
            Self::Bicubic => 2.0,
        }
    }

    fn at(self, x: f64) -> f64 {
        match self {
            Self::Lanczos => lanczos(x),
            Self::Bicubic => bicubic(x),
        }
    }
}

/// Weights are whole numbers of so many bits behind the point.
const BITS: u32 = 22;

/// Resizes `pixels` (row by row, `channels` bytes each), one side after the other.
///
/// # Source
/// The curve is widened where the picture shrinks, its edges are cut off and weights brought to a sum of 1. Byte for byte
/// `Image.resize(…, LANCZOS)` and `Image.resize(…, BICUBIC)` of Pillow, which diffusers and transformers resize with,
/// roundings included.
pub(crate) fn resize(
    pixels: &[u8],
    channels: usize,
    from: (u32, u32),
    to: (u32, u32),
    curve: Curve,
) -> Vec<u8> {
    if from == to {
        return pixels.to_vec();
    }
    let (from_width, from_height) = (from.0 as usize, from.1 as usize);
    let (columns, rows) = (taps(from_width, to.0 as usize, curve), taps(from_height, to.1 as usize, curve));
    if is_down_first(from, to) {
        let low = down(pixels, from_width * channels, &rows);
        return across(&low, from_width, channels, &columns);
    }
    let narrow = across(pixels, from_width, channels, &columns);
    down(&narrow, columns.len() * channels, &rows)
}

/// Which side is resized first shows, as bytes between the two are cut off at black and white. Pillow 13 begins with the
/// height where that leaves it less to do: the rule is what it was seen to do at some 700 sizes.
fn is_down_first((from_width, from_height): (u32, u32), (width, height): (u32, u32)) -> bool {
    let fewer_rows = i64::from(from_height) - i64::from(height);
    let fewer_columns = i64::from(from_width) - i64::from(width);
    fewer_rows > 0 && fewer_rows > 2 * fewer_columns
}

/// At another width.
fn across(pixels: &[u8], width: usize, channels: usize, columns: &[Tap]) -> Vec<u8> {
    let rows = pixels.chunks_exact(width * channels);
    let mut resized = Vec::with_capacity(rows.len() * columns.len() * channels);
    for row in rows {
        for tap in columns {
            resized.extend((0..channels).map(|channel| tap.sum(row, channel, channels)));
        }
    }
    resized
}

/// At another height; a row has `line` bytes.
fn down(pixels: &[u8], line: usize, rows: &[Tap]) -> Vec<u8> {
    let mut resized = Vec::with_capacity(rows.len() * line);
    for tap in rows {
        resized.extend((0..line).map(|i| tap.sum(pixels, i, line)));
    }
    resized
}

/// What one place of the result is made of, along one side.
struct Tap {
    first: usize,
    weights: Vec<i64>,
}

impl Tap {
    /// Of every `distance`-th byte from `offset` on.
    fn sum(&self, bytes: &[u8], offset: usize, distance: usize) -> u8 {
        let places = bytes[self.first * distance + offset..].iter().step_by(distance);
        let sum: i64 = self.weights.iter().zip(places).map(|(&weight, &byte)| weight * i64::from(byte)).sum();
        ((sum + (1 << (BITS - 1))) >> BITS).clamp(0, 255) as u8
    }
}

fn taps(from: usize, to: usize, curve: Curve) -> Vec<Tap> {
    let scale = from as f64 / to as f64;
    // A smaller picture takes in more places, so that none is passed over.
    let stretch = scale.max(1.0);
    let reach = curve.reach() * stretch;
    (0..to)
        .map(|i| {
            let centre = (i as f64 + 0.5) * scale;
            let first = (centre - reach + 0.5).max(0.0) as usize;
            let end = ((centre + reach + 0.5) as usize).min(from);
            let weights: Vec<f64> =
                (first..end).map(|place| curve.at((place as f64 - centre + 0.5) / stretch)).collect();
            let sum: f64 = weights.iter().sum();
            let whole = |weight: f64| (weight / sum * f64::from(1 << BITS)).round() as i64;
            Tap { first, weights: weights.into_iter().map(whole).collect() }
        })
        .collect()
}

fn lanczos(x: f64) -> f64 {
    let sinc = |x: f64| {
        let angle = std::f64::consts::PI * x;
        if angle.abs() < 1e-12 { 1.0 } else { angle.sin() / angle }
    };
    let reach = Curve::Lanczos.reach();
    if x.abs() < reach { sinc(x) * sinc(x / reach) } else { 0.0 }
}

/// Keys 1981, with a = −0.5.
fn bicubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_picture_stays_plain_at_every_size() {
        for to in [(1, 1), (5, 3), (31, 17), (8, 8)] {
            for curve in [Curve::Lanczos, Curve::Bicubic] {
                let resized = resize(&[200; 7 * 4 * 3], 3, (7, 4), to, curve);
                assert_eq!(resized, vec![200; (to.0 * to.1 * 3) as usize]);
            }
        }
    }

    #[test]
    fn channels_and_sides_are_not_mixed_up() {
        // Left red, right blue.
        let picture = [[255, 0, 0], [255, 0, 0], [0, 0, 255], [0, 0, 255]].concat().repeat(2);
        let wide = resize(&picture, 3, (4, 2), (8, 6), Curve::Lanczos);
        assert_eq!(wide.len(), 8 * 6 * 3);
        for row in wide.chunks_exact(24) {
            assert!(row[0] > 240 && row[2] < 15, "{row:?}");
            assert!(row[21] < 15 && row[23] > 240, "{row:?}");
        }
    }

    /// Made with `Image.fromarray(…, "L").resize((w, h), LANCZOS)` of Pillow 13, and the same with `BICUBIC`.
    #[test]
    fn pillow_resizes_alike() {
        let picture: Vec<u8> = (0..6 * 5).map(|i| ((i * 37 + i * i * 11) % 256) as u8).collect();
        for (curve, to, expected) in PILLOW {
            let found = resize(&picture, 1, (6, 5), to, curve);
            assert_eq!(found, expected, "{curve:?} {to:?}");
        }
    }

    const PILLOW: [(Curve, (u32, u32), &[u8]); 6] = [
        (Curve::Lanczos, (9, 7), &UP),
        (Curve::Lanczos, (3, 2), &DOWN),
        (Curve::Bicubic, (9, 7), &UP_BICUBIC),
        (Curve::Bicubic, (3, 2), &DOWN_BICUBIC),
        (Curve::Lanczos, (7, 3), &LOW),
        (Curve::Bicubic, (7, 3), &LOW_BICUBIC),
    ];
    const UP: [u8; 63] = [
        0, 17, 58, 88, 185, 192, 64, 120, 223, 46, 25, 58, 167, 221, 192, 151, 169, 201, 179, 80, 41, 198,
        243, 186, 165, 195, 228, 255, 140, 20, 84, 196, 197, 86, 144, 241, 190, 132, 20, 0, 141, 255, 215,
        113, 54, 83, 89, 94, 96, 119, 172, 239, 128, 7, 49, 70, 153, 232, 124, 48, 165, 150, 83,
    ];
    const DOWN: [u8; 6] = [72, 161, 177, 101, 145, 150];
    const UP_BICUBIC: [u8; 63] = [
        0, 16, 58, 99, 174, 197, 71, 128, 214, 53, 35, 55, 171, 210, 197, 147, 171, 205, 156, 81, 45, 192,
        221, 197, 169, 190, 216, 249, 137, 33, 97, 177, 202, 89, 148, 233, 175, 117, 42, 14, 142, 255, 218,
        128, 52, 93, 92, 92, 91, 128, 175, 232, 131, 18, 47, 80, 141, 216, 129, 55, 172, 142, 81,
    ];
    const LOW: [u8; 21] =
        [43, 28, 130, 218, 160, 127, 220, 209, 68, 56, 195, 216, 145, 173, 88, 97, 111, 118, 184, 185, 37];
    const LOW_BICUBIC: [u8; 21] =
        [43, 31, 126, 202, 174, 128, 212, 199, 61, 76, 181, 207, 145, 174, 89, 96, 114, 128, 173, 191, 44];
    const DOWN_BICUBIC: [u8; 6] = [74, 165, 172, 103, 143, 146];
}
