//! Rows times weights with vectors, on any processor.

use super::super::lanes::{Lanes, for_each_level};
use super::super::packed::PANEL;
use super::super::shared::Shared;
use super::{Left, Product, SKIP, finish};

/// So many inputs of a panel are worked off before the next panel: 256 KB, which a second-level cache holds.
const MAX_DEPTH: usize = 2048;

for_each_level! {
    /// Some rows times some panels, with vectors.
    pub(super) fn block(
        product: &Product<'_>,
        rows: [usize; 2],
        panels: [usize; 2],
        out: &Shared<'_>,
    ) = block_with;
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

/// Adds to `sums` the product of `N_ROWS` rows, `stride` apart, with `N` vectors of `n_inputs` rows of weights,
/// `pitch` apart.
///
/// # Safety
/// `left` must be readable for `(N_ROWS - 1) * stride + n_inputs` numbers and `weights` for
/// `(n_inputs - 1) * pitch + N * L::WIDTH`; else as [`Lanes`] says.
#[inline(always)]
pub(in crate::nn::kernels) unsafe fn multiply<L: Lanes, const N_ROWS: usize, const N: usize>(
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
