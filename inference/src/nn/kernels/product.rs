//! Rows times weights: the inner loop of linear layers and convolutions.
//!
//! A row of the left side need not lie in one piece. It is put together from *taps*, runs of channels at
//! fixed distances: one for a linear layer, nine for a 3x3 convolution over a map with a margin, whose
//! left side is then never written out.
//!
//! # Layout
//! * `tiled`: the sums of some rows and panels with matrix tiles
//! * `vectors`: the same with vectors
//! * here: what both share out among threads, and what is added to their sums
//!
//! # Source
//! Goto and van de Geijn 2008, doi:10.1145/1356052.1356053, for the blocks; Dukhan 2019, arXiv:1907.02129, for
//! convolution without im2col.

mod tiled;
mod vectors;

use rayon::prelude::*;

use self::tiled::tile_block;
use self::vectors::block;
pub(super) use self::vectors::multiply;
use super::packed::{Form, Packed};
use super::shared::Shared;
use super::tiles::with_tiles;

/// Rows that one task works off: a multiple of every tile's rows.
const TASK_ROWS: usize = 96;

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
    /// Numbers split by [`split_all`](super::tiles::split_all), for weights in [`Form::Split`]: high parts, low parts.
    /// Runs are filled up with zeros to a multiple of [`STEP`](super::tiles::STEP), and
    /// [`ROWS`](super::tiles::ROWS) rows more can be read.
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
