//! Group and layer normalisation.

use rayon::prelude::*;

use super::curves::sigmoid;
use super::lanes::{Lanes, for_each_level, multiply_add};

/// Pixels whose sums are made at once; the parts are then put together in f64.
const PART: usize = 64;

/// What normalisation does to each channel of each picture: a factor and an addend.
#[derive(Debug, Clone)]
pub struct Affine {
    channels: usize,
    /// `(batch, channels)`
    factors: Vec<f32>,
    /// `(batch, channels)`
    addends: Vec<f32>,
    silu: bool,
}

/// The settings of a group normalisation.
#[derive(Debug, Clone, Copy)]
pub struct Groups<'a> {
    /// Number of groups, which divides the channels.
    pub n_groups: usize,
    /// Added to the variance.
    pub epsilon: f64,
    /// Scale of each channel.
    pub scale: &'a [f32],
    /// Shift of each channel.
    pub shift: &'a [f32],
    /// Whether `SiLU` comes after.
    pub silu: bool,
}

impl Affine {
    /// Measures `x` `(batch, pixels, channels)`.
    ///
    /// # Source
    /// Chan et al. 1979, Stanford report STAN-CS-79-773, for putting variances of parts together: the difference of two large
    /// sums would lose what it is about.
    pub fn of_groups(x: &[f32], batch: usize, groups: &Groups<'_>) -> Self {
        let channels = groups.scale.len();
        let picture = x.len() / batch.max(1);
        let mut affine = Self { channels, factors: Vec::new(), addends: Vec::new(), silu: groups.silu };
        for x in x.chunks_exact(picture.max(1)) {
            let parts: Vec<Vec<f32>> = x
                .par_chunks(PART * channels)
                .map(|part| {
                    let mut moments = vec![0.0; 2 * channels];
                    measure(part, &mut moments);
                    moments
                })
                .collect();
            let n_pixels = x.len() / channels;
            let sizes: Vec<f64> = (0..parts.len()).map(|i| PART.min(n_pixels - i * PART) as f64).collect();
            let per_group = channels / groups.n_groups;
            for group in 0..groups.n_groups {
                let members = group * per_group..(group + 1) * per_group;
                let n = (n_pixels * per_group) as f64;
                let total: f64 = parts
                    .iter()
                    .zip(&sizes)
                    .map(|(part, size)| size * members.clone().map(|c| f64::from(part[c])).sum::<f64>())
                    .sum();
                let mean = total / n;
                let squares: f64 = parts
                    .iter()
                    .zip(&sizes)
                    .map(|(part, size)| {
                        members
                            .clone()
                            .map(|c| {
                                f64::from(part[channels + c]) + size * (f64::from(part[c]) - mean).powi(2)
                            })
                            .sum::<f64>()
                    })
                    .sum();
                let inverse = 1.0 / (squares / n + groups.epsilon).sqrt();
                for channel in members {
                    let factor = inverse * f64::from(groups.scale[channel]);
                    affine.factors.push(factor as f32);
                    affine.addends.push((f64::from(groups.shift[channel]) - mean * factor) as f32);
                }
            }
        }
        affine
    }

    /// Normalises pixels of one picture into `out`.
    pub fn apply(&self, picture: usize, pixels: &[f32], out: &mut [f32]) {
        let channels = picture * self.channels..(picture + 1) * self.channels;
        let (factors, addends) = (&self.factors[channels.clone()], &self.addends[channels]);
        if self.silu {
            scale_with_silu(pixels, factors, addends, out);
        } else {
            scale(pixels, factors, addends, out);
        }
    }
}

impl Affine {
    /// Normalises all pixels of all pictures.
    pub fn apply_to_all(&self, x: &[f32], out: &mut [f32]) {
        let batch = self.factors.len() / self.channels;
        let picture = x.len() / batch.max(1);
        let part = PART * self.channels;
        for (i, (x, out)) in x.chunks_exact(picture).zip(out.chunks_exact_mut(picture)).enumerate() {
            out.par_chunks_mut(part).zip(x.par_chunks(part)).for_each(|(out, x)| self.apply(i, x, out));
        }
    }
}

/// Normalises every row of `scale.len()` numbers, then scales and shifts it, into `out`.
pub fn layer_norm(x: &[f32], scale: &[f32], shift: &[f32], epsilon: f32, out: &mut [f32]) {
    let part = PART * scale.len();
    out.par_chunks_mut(part).zip(x.par_chunks(part)).for_each(|(out, x)| rows(x, scale, shift, epsilon, out));
}

for_each_level! {
    /// Mean and sum of squared distances from it, for each channel of some pixels; `moments` holds first the
    /// ones, then the others.
    fn measure(pixels: &[f32], moments: &mut [f32]) = measure_with;
}
for_each_level! {
    fn scale(pixels: &[f32], factors: &[f32], addends: &[f32], out: &mut [f32]) = scale_with;
}
for_each_level! {
    fn scale_with_silu(pixels: &[f32], factors: &[f32], addends: &[f32], out: &mut [f32]) = scale_silu_with;
}
for_each_level! {
    fn rows(x: &[f32], scale: &[f32], shift: &[f32], epsilon: f32, out: &mut [f32]) = rows_with;
}

#[inline(always)]
unsafe fn measure_with<L: Lanes>(pixels: &[f32], moments: &mut [f32]) {
    let channels = moments.len() / 2;
    let (means, squares) = moments.split_at_mut(channels);
    for pixel in pixels.chunks_exact(channels) {
        for (mean, value) in means.iter_mut().zip(pixel) {
            *mean += value;
        }
    }
    let share = 1.0 / (pixels.len() / channels) as f32;
    for mean in means.iter_mut() {
        *mean *= share;
    }
    for pixel in pixels.chunks_exact(channels) {
        for ((square, mean), value) in squares.iter_mut().zip(&*means).zip(pixel) {
            let distance = value - mean;
            *square = multiply_add::<L>(distance, distance, *square);
        }
    }
}

#[inline(always)]
unsafe fn scale_with<L: Lanes>(pixels: &[f32], factors: &[f32], addends: &[f32], out: &mut [f32]) {
    for (pixel, out) in pixels.chunks_exact(factors.len()).zip(out.chunks_exact_mut(factors.len())) {
        for (((out, value), factor), addend) in out.iter_mut().zip(pixel).zip(factors).zip(addends) {
            *out = multiply_add::<L>(*value, *factor, *addend);
        }
    }
}

#[inline(always)]
unsafe fn scale_silu_with<L: Lanes>(pixels: &[f32], factors: &[f32], addends: &[f32], out: &mut [f32]) {
    for (pixel, out) in pixels.chunks_exact(factors.len()).zip(out.chunks_exact_mut(factors.len())) {
        for (((out, value), factor), addend) in out.iter_mut().zip(pixel).zip(factors).zip(addends) {
            let normal = multiply_add::<L>(*value, *factor, *addend);
            *out = normal * sigmoid::<L>(normal);
        }
    }
}

#[inline(always)]
unsafe fn rows_with<L: Lanes>(x: &[f32], scale: &[f32], shift: &[f32], epsilon: f32, out: &mut [f32]) {
    let n = scale.len();
    for (row, out) in x.chunks_exact(n).zip(out.chunks_exact_mut(n)) {
        let mean = sum::<L>(row, 0.0, false) / n as f32;
        let variance = sum::<L>(row, mean, true) / n as f32;
        let inverse = 1.0 / (variance + epsilon).sqrt();
        for (((out, value), scale), shift) in out.iter_mut().zip(row).zip(scale).zip(shift) {
            *out = multiply_add::<L>((value - mean) * inverse, *scale, *shift);
        }
    }
}

/// Sum of the values less `from`, or of their squares, in sixteen parts.
#[inline(always)]
fn sum<L: Lanes>(values: &[f32], from: f32, squared: bool) -> f32 {
    let mut parts = [0.0f32; 16];
    let (sixteens, rest) = values.as_chunks::<16>();
    for sixteen in sixteens {
        for (part, value) in parts.iter_mut().zip(sixteen) {
            let distance = value - from;
            *part = if squared { multiply_add::<L>(distance, distance, *part) } else { *part + distance };
        }
    }
    for (part, value) in parts.iter_mut().zip(rest) {
        let distance = value - from;
        *part += if squared { distance * distance } else { distance };
    }
    parts.iter().sum()
}
