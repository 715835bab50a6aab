//! Convolutions of channel-last maps as products of rows and weights.
//!
//! The input is copied once, with a margin of zeros, and on the way normalised and stretched if that is
//! wanted. A row of the product is then a window of that copy: pixels lie at a constant distance, and so
//! do the window's pixels from its first one. Rows between two lines and two pictures are windows of
//! nothing, and skipped.

use rayon::prelude::*;

use super::norm::Affine;
use super::packed::{Form, Packed};
use super::product::{Left, Product, SKIP};
use super::shared::Shared;
use super::tiles::{ROWS, STEP, split_all};

/// The copy has at most so many numbers at a time: 64 MB.
const MAX_COPY: usize = 1 << 24;

/// A map that is convolved.
#[derive(Clone, Copy)]
pub struct Map<'a> {
    /// `(batch, height, width, channels)`
    pub values: &'a [f32],
    /// Pictures.
    pub batch: usize,
    /// Pixels.
    pub height: usize,
    /// Pixels.
    pub width: usize,
    /// Channels.
    pub channels: usize,
    /// Height and width that it is stretched to first, each pixel taken from its nearest.
    pub stretch: (usize, usize),
    /// How it is normalised first.
    pub normal: Option<&'a Affine>,
}

/// The window.
#[derive(Clone, Copy)]
pub struct Window<'a> {
    /// Side of the square, in pixels; odd.
    pub side: usize,
    /// Distance of two windows, in pixels.
    pub stride: usize,
    /// Zeros above and on the left of the map, in pixels; half a window where the stride is 1.
    pub margin: usize,
    /// `(side * side * channels, outputs)`, line by line, then pixel by pixel.
    pub weights: &'a Packed,
    /// `(outputs)`
    pub bias: &'a [f32],
    /// `(batch, outputs)`, added to every pixel of a picture.
    pub shift: Option<&'a [f32]>,
    /// Added to the result.
    pub residual: Option<&'a [f32]>,
}

/// Convolves into `out` `(batch, height, width, outputs)`. `size` is that height and width: zeros go on below and
/// on the right as far as the last window needs them.
pub fn convolve(map: &Map<'_>, window: &Window<'_>, size: (usize, usize), out: &mut [f32]) {
    if window.stride == 1 { by_lines(map, window, out) } else { by_windows(map, window, size, out) }
}

/// A line of the copy: a line of a picture, or zeros.
type Line = Option<(usize, usize)>;

/// Stride 1: no window is written out.
fn by_lines(map: &Map<'_>, window: &Window<'_>, out: &mut [f32]) {
    let (height, width) = map.stretch;
    let margin = window.side / 2;
    let outputs = window.weights.outputs();
    let picture = height * width * outputs;
    let line = (width + margin) * map.channels;
    let whole = map.batch * (height + margin) * line;
    if whole <= MAX_COPY {
        let mut lines: Vec<Line> = Vec::new();
        for image in 0..map.batch {
            lines.extend(std::iter::repeat_n(None, margin));
            lines.extend((0..height).map(|y| Some((image, y))));
        }
        lines.extend(std::iter::repeat_n(None, margin));
        let starts: Vec<usize> = (0..map.batch).map(|image| image * (height + margin)).collect();
        band(map, window, &lines, &starts, height, window.shift, window.residual, out);
        return;
    }
    let at_once = (MAX_COPY / line).saturating_sub(2 * margin).clamp(1, height);
    for image in 0..map.batch {
        for first in (0..height).step_by(at_once) {
            let last = (first + at_once).min(height);
            let lines: Vec<Line> = (0..last - first + 2 * margin)
                .map(|i| (first + i).checked_sub(margin).filter(|&y| y < height).map(|y| (image, y)))
                .collect();
            let part = image * picture + first * width * outputs..image * picture + last * width * outputs;
            let shift = window.shift.map(|shift| &shift[image * outputs..(image + 1) * outputs]);
            let residual = window.residual.map(|residual| &residual[part.clone()]);
            band(map, window, &lines, &[0], last - first, shift, residual, &mut out[part]);
        }
    }
}

/// Convolves what is on `lines`. Results begin on the lines `starts`, `height` lines from each.
#[expect(clippy::too_many_arguments, reason = "the parts of a map and of a window that belong to a band")]
fn band(
    map: &Map<'_>,
    window: &Window<'_>,
    lines: &[Line],
    starts: &[usize],
    height: usize,
    shift: Option<&[f32]>,
    residual: Option<&[f32]>,
    out: &mut [f32],
) {
    let width = map.stretch.1;
    let margin = window.side / 2;
    let pitch = width + margin;
    let copy = match window.weights.form() {
        Form::Numbers => Copy::numbers(map, lines, margin),
        Form::Split => Copy::split(map, lines, margin),
    };
    let stride = copy.stride;
    let taps: Vec<usize> =
        (0..window.side).flat_map(|y| (0..window.side).map(move |x| (y * pitch + x) * stride)).collect();
    let n_rows = starts.last().map_or(0, |start| (start + height - 1) * pitch + width);
    let mut rows = vec![SKIP; n_rows];
    let mut target = 0;
    for start in starts {
        for y in 0..height {
            for row in &mut rows[(start + y) * pitch..][..width] {
                *row = target;
                target += 1;
            }
        }
    }
    let product = Product {
        left: copy.left(),
        stride,
        n_rows,
        taps: &taps,
        channels: map.channels,
        weights: window.weights,
        rows: Some(&rows),
        bias: Some(window.bias),
        shift: shift.map(|shift| (shift, height * width)),
        residual,
    };
    product.compute(out);
}

/// Lines with zeros between them.
struct Copy {
    numbers: Vec<f32>,
    high: Vec<u16>,
    low: Vec<u16>,
    /// Distance of two pixels.
    stride: usize,
}

impl Copy {
    fn numbers(map: &Map<'_>, lines: &[Line], margin: usize) -> Self {
        let stride = map.channels;
        let pitch = map.stretch.1 + margin;
        // The last window looks over the end of its line as well.
        let mut numbers = vec![0.0; (lines.len() * pitch + margin) * stride];
        numbers.par_chunks_mut(pitch * stride).zip(lines).for_each(|(copy, line)| {
            if let Some((image, y)) = *line {
                copy_line(map, image, y, &mut copy[margin * stride..]);
            }
        });
        Self { numbers, high: Vec::new(), low: Vec::new(), stride }
    }

    /// Two halves take the room of one number, but channels are filled up.
    fn split(map: &Map<'_>, lines: &[Line], margin: usize) -> Self {
        let stride = map.channels.next_multiple_of(STEP);
        let width = map.stretch.1;
        let pitch = width + margin;
        // And the last tile over the end of the rows.
        let mut high = vec![0u16; (lines.len() * pitch + margin + ROWS) * stride];
        let mut low = vec![0u16; high.len()];
        let halves = high.par_chunks_mut(pitch * stride).zip(low.par_chunks_mut(pitch * stride));
        halves.zip(lines).for_each_init(
            || vec![0.0; width * map.channels],
            |line_of_numbers, ((high, low), line)| {
                let Some((image, y)) = *line else { return };
                copy_line(map, image, y, line_of_numbers);
                let halves =
                    high[margin * stride..].chunks_mut(stride).zip(low[margin * stride..].chunks_mut(stride));
                for (pixel, (high, low)) in line_of_numbers.chunks_exact(map.channels).zip(halves) {
                    split_all(pixel, high, low);
                }
            },
        );
        Self { numbers: Vec::new(), high, low, stride }
    }

    fn left(&self) -> Left<'_> {
        if self.high.is_empty() { Left::Numbers(&self.numbers) } else { Left::Split(&self.high, &self.low) }
    }
}

/// A line of the stretched and normalised map.
fn copy_line(map: &Map<'_>, image: usize, y: usize, copy: &mut [f32]) {
    let (height, width) = map.stretch;
    let channels = map.channels;
    let from_y = y * map.height / height;
    let line = &map.values[(image * map.height + from_y) * map.width * channels..][..map.width * channels];
    let copy = &mut copy[..width * channels];
    if width == map.width {
        match map.normal {
            Some(normal) => normal.apply(image, line, copy),
            None => copy.copy_from_slice(line),
        }
        return;
    }
    for (x, pixel) in copy.chunks_exact_mut(channels).enumerate() {
        let from = &line[x * map.width / width * channels..][..channels];
        match map.normal {
            Some(normal) => normal.apply(image, from, pixel),
            None => pixel.copy_from_slice(from),
        }
    }
}

/// Any stride: the windows are written out, one after the other. Nothing is stretched or normalised.
fn by_windows(map: &Map<'_>, window: &Window<'_>, (height, width): (usize, usize), out: &mut [f32]) {
    let margin = window.margin;
    let outputs = window.weights.outputs();
    let size = window.side * window.side * map.channels;
    for image in 0..map.batch {
        let mut windows = vec![0.0; height * width * size];
        let shared = Shared::new(&mut windows);
        (0..height).into_par_iter().for_each(|y| {
            // SAFETY: each line of windows is written once.
            let line = unsafe { shared.part(y * width * size, width * size) };
            for (i, pixel) in line.chunks_exact_mut(map.channels).enumerate() {
                let (x, tap) = (i / (window.side * window.side), i % (window.side * window.side));
                let from_y = (y * window.stride + tap / window.side).checked_sub(margin);
                let from_x = (x * window.stride + tap % window.side).checked_sub(margin);
                if let (Some(from_y), Some(from_x)) = (from_y, from_x)
                    && from_y < map.height
                    && from_x < map.width
                {
                    let from = ((image * map.height + from_y) * map.width + from_x) * map.channels;
                    pixel.copy_from_slice(&map.values[from..from + map.channels]);
                }
            }
        });
        let part = image * height * width * outputs..(image + 1) * height * width * outputs;
        let product = Product {
            left: Left::Numbers(&windows),
            stride: size,
            n_rows: height * width,
            taps: &[0],
            channels: size,
            weights: window.weights,
            rows: None,
            bias: Some(window.bias),
            shift: window.shift.map(|shift| (&shift[image * outputs..(image + 1) * outputs], height * width)),
            residual: window.residual.map(|residual| &residual[part.clone()]),
        };
        product.compute(&mut out[part]);
    }
}
