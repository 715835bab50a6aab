//! Rows times weights with matrix tiles (AMX), from numbers that are split in two.

use super::super::lanes::{Lanes, for_each_level};
use super::super::packed::PANEL;
use super::super::shared::Shared;
use super::super::tiles::{LINES_PER_STEP, ROWS, Rows, STEP, Sums, Unit, split_all};
use super::{Left, Product, SKIP, finish};

/// So many steps of a panel are worked off by tiles before the next ones: 24 KB, which the first-level cache
/// holds beside the sums.
const TILE_STEPS: usize = 6;

/// Some rows times some panels, with matrix tiles.
pub(super) fn tile_block(
    product: &Product<'_>,
    unit: &Unit,
    rows: [usize; 2],
    panels: [usize; 2],
    out: &Shared<'_>,
) {
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
