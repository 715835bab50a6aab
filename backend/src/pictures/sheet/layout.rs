//! Where everything on a sheet stands.

use types::request::Grid;

use super::super::encode::MAX_SIDE;

/// Smallest and largest height of a line's letters, in pixels.
const TEXT: std::ops::RangeInclusive<u32> = 13..=32;

/// A place on the sheet, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// The measures of a sheet, in pixels. Blocks stand one below the other, or side by side if they are taller than wide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// Columns, rows and blocks.
    shape: [u32; 3],
    /// The size of every cell.
    cell: (u32, u32),
    /// Height of the letters.
    pub(super) text: u32,
    /// Width of the rows' labels, with the space behind them; 0 without rows.
    left: u32,
    /// Height of a block's label; 0 without blocks.
    head: u32,
    is_side_by_side: bool,
}

impl Layout {
    /// The layout for cells of this size, or of as much of it as a sheet has room for. `widest` is told the height of the
    /// letters and gives back the width of the widest label of a row, if there are rows.
    pub(super) fn new(grid: &Grid, (width, height): (u32, u32), widest: &dyn Fn(u32) -> Option<u32>) -> Self {
        let shrink = |side: u32, scale: f64| ((f64::from(side) * scale) as u32).max(1);
        let mut scale = 1.0;
        loop {
            let cell = (shrink(width, scale), shrink(height, scale));
            let layout = Self::of_cells(grid, cell, widest);
            let (sheet_width, sheet_height) = layout.size();
            let longest = sheet_width.max(sheet_height);
            if longest <= MAX_SIDE || cell == (1, 1) {
                return layout;
            }
            // Labels do not shrink as cells do, so it takes more than one step.
            scale *= (f64::from(MAX_SIDE) / f64::from(longest)).min(0.99);
        }
    }

    fn of_cells(grid: &Grid, cell: (u32, u32), widest: &dyn Fn(u32) -> Option<u32>) -> Self {
        let text = (cell.0.min(cell.1) / 14).clamp(*TEXT.start(), *TEXT.end());
        // A long label of a row is cut rather than pictures made smaller.
        let left = widest(text).map_or(0, |width| width.min((cell.0 / 2).max(text * 8)) + text / 2);
        let head = if grid.sheets.is_some() { text * 2 } else { 0 };
        let mut layout = Self { shape: grid.shape(), cell, text, left, head, is_side_by_side: false };
        let (width, height) = layout.block();
        layout.is_side_by_side = height > width;
        layout
    }

    /// Between two cells.
    fn gap(&self) -> u32 {
        self.text / 2
    }

    /// Around the sheet, and between two blocks.
    fn margin(&self) -> u32 {
        self.text
    }

    /// Height of the columns' labels.
    fn top(&self) -> u32 {
        self.text * 3 / 2
    }

    /// Size of a block, its labels included.
    fn block(&self) -> (u32, u32) {
        let [n_columns, n_rows, _] = self.shape;
        let along = |n: u32, side: u32| n * side + (n - 1) * self.gap();
        (self.left + along(n_columns, self.cell.0), self.head + self.top() + along(n_rows, self.cell.1))
    }

    /// Size of the whole sheet.
    pub(super) fn size(&self) -> (u32, u32) {
        let (width, height) = self.block();
        let all = |side: u32| self.shape[2] * (side + self.margin()) + self.margin();
        let one = |side: u32| side + 2 * self.margin();
        if self.is_side_by_side { (all(width), one(height)) } else { (one(width), all(height)) }
    }

    /// Upper left corner of a block.
    fn corner(&self, block: u32) -> (u32, u32) {
        let (width, height) = self.block();
        let margin = self.margin();
        if self.is_side_by_side {
            (margin + block * (width + margin), margin)
        } else {
            (margin, margin + block * (height + margin))
        }
    }

    /// The place of the cell in that column, row and block.
    pub(super) fn cell_of(&self, [column, row, block]: [u32; 3]) -> Rect {
        let (x, y) = self.corner(block);
        let (width, height) = self.cell;
        Rect {
            x: x + self.left + column * (width + self.gap()),
            y: y + self.head + self.top() + row * (height + self.gap()),
            width,
            height,
        }
    }

    /// The place of a column's label.
    pub(super) fn column_label(&self, block: u32, column: u32) -> Rect {
        let cell = self.cell_of([column, 0, block]);
        Rect { y: cell.y - self.top(), height: self.top(), ..cell }
    }

    /// The place of a row's label.
    pub(super) fn row_label(&self, block: u32, row: u32) -> Rect {
        let cell = self.cell_of([0, row, block]);
        Rect { x: cell.x - self.left, width: self.left.saturating_sub(self.text / 2), ..cell }
    }

    /// The place of a block's label.
    pub(super) fn block_label(&self, block: u32) -> Rect {
        let (x, y) = self.corner(block);
        Rect { x, y, width: self.block().0, height: self.head }
    }
}
