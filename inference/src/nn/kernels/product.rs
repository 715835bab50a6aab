//! Rows times weights: the inner loop of linear layers and convolutions.
//!
//! A row of the left side need not lie in one piece. It is put together from *taps*, runs of channels at
//! fixed distances: one for a linear layer, nine for a 3x3 convolution over a map with a margin, whose
//! left side is then never written out.
//!
//! # Source
//! Goto and van de Geijn 2008, doi:10.1145/1356052.1356053, for the blocks; Dukhan 2019, arXiv:1907.02129, for
//! convolution without im2col.

use rayon::prelude::*;

use super::lanes::{Lanes, for_each_level};
use super::packed::{Form, PANEL, Packed};
use super::shared::Shared;
use super::tiles::{LINES_PER_STEP, ROWS, Rows, STEP, Sums, Unit, split_all, with_tiles};

/// So many inputs of a panel are worked off before the next panel: 256 KB, which a second-level cache holds.
const MAX_DEPTH: usize = 2048;

/// Rows that one task works off: a multiple of every tile's rows.
const TASK_ROWS: usize = 96;

/// So many steps of a panel are worked off by tiles before the next ones: 24 KB, which the first-level cache
/// holds beside the sums.
const TILE_STEPS: usize = 6;

/// What is multiplied, and what comes with it.
pub struct Product<'a> {
    /// What rows are put together from.
    pub left: Left<'a>,
    /// Distance of two rows in `left`.
    pub stride: usize,
    /// Number of rows.
    pub n_rows: usize,
    /// Where the runs of a row begin, from the row's own start.
    pub taps: &'a [usize],
    /// Length of each run, without filling.
    pub channels: usize,
    /// The right side, with `taps.len()` taps of `channels`.
    pub weights: &'a Packed,
    /// The row of the result that each row becomes; [`SKIP`] for those that nobody wants. `None` keeps them.
    pub rows: Option<&'a [u32]>,
    /// Added to each row.
    pub bias: Option<&'a [f32]>,
    /// One more bias for each picture, and how many rows of the result a picture has.
    pub shift: Option<(&'a [f32], usize)>,
    /// Added to the result.
    pub residual: Option<&'a [f32]>,
}

/// The left side.
#[derive(Clone, Copy)]
pub enum Left<'a> {
    /// Numbers. Weights in [`Form::Split`] take them only if there is one tap.
    Numbers(&'a [f32]),
    /// Numbers split by [`split_all`], for weights in [`Form::Split`]: high parts, low parts. Runs are filled up
    /// with zeros to a multiple of [`STEP`], and [`ROWS`] rows more can be read.
    Split(&'a [u16], &'a [u16]),
}

/// A row that nobody wants.
pub const SKIP: u32 = u32::MAX;

impl Product<'_> {
    /// Computes the product into `out`, rows of as many numbers as the weights have outputs.
    pub fn compute(&self, out: &mut [f32]) {
        let outputs = self.weights.outputs();
        assert_eq!(self.weights.inputs(), self.taps.len() * self.channels, "taps and weights fit");
        let reach = self.taps.iter().max().map_or(0, |tap| tap + self.channels);
        let length = match (self.left, self.weights.form()) {
            (Left::Numbers(numbers), Form::Numbers) => numbers.len(),
            (Left::Numbers(numbers), Form::Split) => {
                assert_eq!(self.taps, [0], "one tap");
                numbers.len()
            }
            (Left::Split(high, low), Form::Split) => high.len().min(low.len()),
            (Left::Split(..), Form::Numbers) => panic!("split rows are for split weights"),
        };
        assert!(
            self.n_rows == 0 || (self.n_rows - 1) * self.stride + reach <= length,
            "rows lie inside the left side"
        );
        let n_out = out.len() / outputs.max(1);
        match self.rows {
            Some(rows) => {
                assert!(
                    rows.len() == self.n_rows
                        && rows.iter().all(|&row| row == SKIP || (row as usize) < n_out)
                );
            }
            None => assert_eq!(n_out, self.n_rows, "the result has a row for each"),
        }
        assert!(self.bias.is_none_or(|bias| bias.len() == outputs));
        assert!(self.residual.is_none_or(|residual| residual.len() == out.len()));
        assert!(
            self.shift.is_none_or(|(shift, rows)| rows > 0 && shift.len() >= n_out.div_ceil(rows) * outputs)
        );

        let n_row_tasks = self.n_rows.div_ceil(TASK_ROWS);
        // Few rows are no work for many threads, so panels are shared out as well.
        let panels_per_task = (self.weights.n_panels() * n_row_tasks / 16).clamp(1, self.weights.n_panels());
        let n_panel_tasks = self.weights.n_panels().div_ceil(panels_per_task);
        let out = Shared::new(out);
        (0..n_row_tasks * n_panel_tasks).into_par_iter().for_each(|task| {
            let first_row = task / n_panel_tasks * TASK_ROWS;
            let first_panel = task % n_panel_tasks * panels_per_task;
            let last_row = (first_row + TASK_ROWS).min(self.n_rows);
            let last_panel = (first_panel + panels_per_task).min(self.weights.n_panels());
            let (rows, panels) = ([first_row, last_row], [first_panel, last_panel]);
            match self.weights.form() {
                Form::Numbers => block(self, rows, panels, &out),
                Form::Split => with_tiles(|unit| tile_block(self, unit, rows, panels, &out)),
            }
        });
    }
}

/// Some rows times some panels, with matrix tiles.
fn tile_block(product: &Product<'_>, unit: &Unit, rows: [usize; 2], panels: [usize; 2], out: &Shared<'_>) {
    let n_rows = rows[1] - rows[0];
    let n_tiles = n_rows.div_ceil(ROWS);
    let filled = product.channels.next_multiple_of(STEP);
    let (mut high, mut low) = (Vec::new(), Vec::new());
    let (left, first) = match product.left {
        Left::Split(high, low) => (Rows { high, low, stride: product.stride }, rows[0]),
        Left::Numbers(numbers) => {
            high.resize(n_tiles * ROWS * filled, 0);
            low.resize(high.len(), 0);
            for (i, (high, low)) in
                high.chunks_exact_mut(filled).zip(low.chunks_exact_mut(filled)).take(n_rows).enumerate()
            {
                let row = &numbers[(rows[0] + i) * product.stride..][..product.channels];
                split_all(row, high, low);
            }
            (Rows { high: &high, low: &low, stride: filled }, 0)
        }
    };
    let steps: Vec<usize> =
        product.taps.iter().flat_map(|tap| (0..filled).step_by(STEP).map(move |start| tap + start)).collect();
    let mut sums = vec![Sums([[0.0; PANEL]; ROWS]); n_tiles];
    for panel in panels[0]..panels[1] {
        sums.fill(Sums([[0.0; PANEL]; ROWS]));
        let lines = product.weights.lines(panel).chunks(TILE_STEPS * LINES_PER_STEP);
        for (steps, lines) in steps.chunks(TILE_STEPS).zip(lines) {
            for (tile, sums) in sums.iter_mut().enumerate() {
                unit.multiply(left, first + tile * ROWS, steps, lines, sums);
            }
        }
        let width = PANEL.min(product.weights.outputs() - panel * PANEL);
        finish_rows(product, rows, panel * PANEL, width, &sums, out);
    }
}

for_each_level! {
    /// What comes after the sums of some rows and a panel are made.
    fn finish_rows(
        product: &Product<'_>,
        rows: [usize; 2],
        column: usize,
        width: usize,
        sums: &[Sums],
        out: &Shared<'_>,
    ) = finish_rows_with;
}

#[inline(always)]
#[expect(clippy::extra_unused_type_parameters, reason = "it tells for which instructions this is compiled")]
unsafe fn finish_rows_with<L: Lanes>(
    product: &Product<'_>,
    rows: [usize; 2],
    column: usize,
    width: usize,
    sums: &[Sums],
    out: &Shared<'_>,
) {
    let all = sums.iter().flat_map(|sums| &sums.0);
    for (row, sums) in (rows[0]..rows[1]).zip(all) {
        let target = product.rows.map_or(row as u32, |rows| rows[row]);
        if target != SKIP {
            let target = target as usize;
            // SAFETY: no other task has these rows and panels.
            let out = unsafe { out.part(target * product.weights.outputs() + column, width) };
            finish(product, [true, true], target, column, &sums[..width], out);
        }
    }
}

for_each_level! {
    /// Some rows times some panels, with vectors.
    fn block(product: &Product<'_>, rows: [usize; 2], panels: [usize; 2], out: &Shared<'_>) = block_with;
}

/// A piece of a tap, so that a panel's share of it stays in the cache.
#[derive(Clone, Copy)]
struct Piece {
    /// Where it begins, from the row's start.
    offset: usize,
    /// Its first input.
    input: usize,
    channels: usize,
}

#[inline(always)]
unsafe fn block_with<L: Lanes>(
    product: &Product<'_>,
    rows: [usize; 2],
    panels: [usize; 2],
    out: &Shared<'_>,
) {
    let mut pieces = Vec::new();
    for (i, &tap) in product.taps.iter().enumerate() {
        for start in (0..product.channels).step_by(MAX_DEPTH) {
            let channels = MAX_DEPTH.min(product.channels - start);
            pieces.push(Piece { offset: tap + start, input: i * product.channels + start, channels });
        }
    }
    let mut start = 0;
    while start < pieces.len() {
        let mut end = start + 1;
        let mut depth = pieces[start].channels;
        while end < pieces.len() && depth + pieces[end].channels <= MAX_DEPTH {
            depth += pieces[end].channels;
            end += 1;
        }
        let (is_first, is_last) = (start == 0, end == pieces.len());
        for panel in panels[0]..panels[1] {
            let weights = product.weights.panel(panel);
            let weights = &weights[pieces[start].input * PANEL..];
            let width = PANEL.min(product.weights.outputs() - panel * PANEL);
            let place = Place {
                pieces: &pieces[start..end],
                weights,
                column: panel * PANEL,
                width,
                is_first,
                is_last,
            };
            let mut row = rows[0];
            while row < rows[1] {
                // SAFETY: the caller is compiled with the level's instructions, rows lie inside the left side
                // as `compute` asserts, and no other task has these rows and panels.
                row += unsafe { tiles::<L>(product, &place, row, rows[1] - row, out) };
            }
        }
        start = end;
    }
}

/// Some inputs of a panel.
struct Place<'a> {
    pieces: &'a [Piece],
    weights: &'a [f32],
    /// First output.
    column: usize,
    /// Outputs that are not filling.
    width: usize,
    is_first: bool,
    is_last: bool,
}

/// The largest tile that fits; returns its rows.
#[inline(always)]
unsafe fn tiles<L: Lanes>(
    product: &Product<'_>,
    place: &Place<'_>,
    row: usize,
    n_rows: usize,
    out: &Shared<'_>,
) -> usize {
    macro_rules! tile {
        ($rows:literal) => {{
            // SAFETY: as the caller says.
            unsafe { tile::<L, $rows>(product, place, row, out) };
            $rows
        }};
    }
    match n_rows.min(L::ROWS) {
        12.. => tile!(12),
        8..=11 => tile!(8),
        6..=7 => tile!(6),
        4..=5 => tile!(4),
        2..=3 => tile!(2),
        _ => tile!(1),
    }
}

#[inline(always)]
unsafe fn tile<L: Lanes, const N_ROWS: usize>(
    product: &Product<'_>,
    place: &Place<'_>,
    row: usize,
    out: &Shared<'_>,
) {
    // Two vectors at a time: a whole panel in AVX-512, half of one elsewhere.
    for first in (0..place.width).step_by(2 * L::WIDTH) {
        // SAFETY: as the caller says; a panel is filled up, so two vectors can always be read.
        unsafe {
            if place.width - first > L::WIDTH {
                half_tile::<L, N_ROWS, 2>(product, place, row, first, out);
            } else {
                half_tile::<L, N_ROWS, 1>(product, place, row, first, out);
            }
        }
    }
}

/// `N_ROWS` rows times `N` vectors of a panel's outputs.
#[inline(always)]
unsafe fn half_tile<L: Lanes, const N_ROWS: usize, const N: usize>(
    product: &Product<'_>,
    place: &Place<'_>,
    row: usize,
    first: usize,
    out: &Shared<'_>,
) {
    let Left::Numbers(left) = product.left else { return };
    // SAFETY: as the callers say.
    unsafe {
        let mut sums = [[L::splat(0.0); N]; N_ROWS];
        let mut weights = place.weights.as_ptr().add(first);
        let start = left.as_ptr().add(row * product.stride);
        for piece in place.pieces {
            multiply::<L, N_ROWS, N>(
                start.add(piece.offset),
                product.stride,
                piece.channels,
                weights,
                PANEL,
                &mut sums,
            );
            weights = weights.add(piece.channels * PANEL);
        }
        let columns = (place.width - first).min(N * L::WIDTH);
        let column = place.column + first;
        for (i, sums) in sums.iter().enumerate() {
            let target = product.rows.map_or((row + i) as u32, |rows| rows[row + i]);
            if target == SKIP {
                continue;
            }
            let mut numbers = [0.0f32; PANEL];
            for (vector, sum) in sums.iter().enumerate() {
                sum.store(numbers.as_mut_ptr().add(vector * L::WIDTH));
            }
            let target = target as usize;
            let start = target * product.weights.outputs() + column;
            let ends = [place.is_first, place.is_last];
            finish(product, ends, target, column, &numbers[..columns], out.part(start, columns));
        }
    }
}

/// Adds the sums of one row to what is there, at the first inputs with the bias, and at the last ones with all
/// that comes besides.
#[inline(always)]
fn finish(
    product: &Product<'_>,
    [is_first, is_last]: [bool; 2],
    target: usize,
    column: usize,
    sums: &[f32],
    out: &mut [f32],
) {
    let n = sums.len();
    let outputs = product.weights.outputs();
    if is_first {
        out.copy_from_slice(sums);
        if let Some(bias) = product.bias {
            add(out, &bias[column..column + n]);
        }
    } else {
        add(out, sums);
    }
    if is_last {
        if let Some((shift, rows)) = product.shift {
            let start = target / rows * outputs + column;
            add(out, &shift[start..start + n]);
        }
        if let Some(residual) = product.residual {
            let start = target * outputs + column;
            add(out, &residual[start..start + n]);
        }
    }
}

#[inline(always)]
fn add(to: &mut [f32], what: &[f32]) {
    for (to, what) in to.iter_mut().zip(what) {
        *to += what;
    }
}

/// Adds to `sums` the product of `N_ROWS` rows, `stride` apart, with `N` vectors of `n_inputs` rows of weights,
/// `pitch` apart.
///
/// # Safety
/// `left` must be readable for `(N_ROWS - 1) * stride + n_inputs` numbers and `weights` for
/// `(n_inputs - 1) * pitch + N * L::WIDTH`; else as [`Lanes`] says.
#[inline(always)]
pub(super) unsafe fn multiply<L: Lanes, const N_ROWS: usize, const N: usize>(
    left: *const f32,
    stride: usize,
    n_inputs: usize,
    weights: *const f32,
    pitch: usize,
    sums: &mut [[L; N]; N_ROWS],
) {
    let mut block = *sums;
    for input in 0..n_inputs {
        // SAFETY: as the caller says.
        unsafe {
            let row = weights.add(input * pitch);
            let mut right = [L::splat(0.0); N];
            for (vector, right) in right.iter_mut().enumerate() {
                *right = L::load(row.add(vector * L::WIDTH));
            }
            for (i, sums) in block.iter_mut().enumerate() {
                let factor = L::splat(*left.add(i * stride + input));
                for (sum, right) in sums.iter_mut().zip(right) {
                    *sum = factor.multiply_add(right, *sum);
                }
            }
        }
    }
    *sums = block;
}
