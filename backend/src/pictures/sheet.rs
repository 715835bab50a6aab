//! The sheet of a grid: its cells side by side, and beside them what they differ in.

mod layout;
mod lettering;

use image::imageops::{FilterType, replace, resize};
use image::{Rgb, RgbImage};
use types::request::{Grid, GridAxis};

use self::layout::{Layout, Rect};
use self::lettering::Lettering;
use super::PictureError;

/// The site's background.
const GROUND: Rgb<u8> = Rgb([0x0f, 0x0d, 0x0c]);
/// Where a cell's picture is missing.
const BLANK: Rgb<u8> = Rgb([0x1d, 0x19, 0x17]);

/// A sheet whose labels are written and whose pictures are put in one by one.
pub struct Sheet {
    image: RgbImage,
    layout: Layout,
}

impl Sheet {
    /// A sheet without pictures for a grid of pictures of this size. The columns' labels stand above, the rows' at the
    /// left, and each block has its own over it. It is so much smaller that no side has more than 8192 pixels.
    ///
    /// # Errors
    /// The program's own font cannot be read.
    pub fn new(grid: &Grid, size: (u32, u32)) -> Result<Self, PictureError> {
        let labels = |axis: &Option<GridAxis>| axis.as_ref().map(GridAxis::labels).unwrap_or_default();
        let (columns, rows, blocks) = (grid.columns.labels(), labels(&grid.rows), labels(&grid.sheets));
        let lettering = Lettering::new()?;
        let widest = |text: u32| rows.iter().map(|label| lettering.width(label, text)).max();
        let layout = Layout::new(grid, size, &widest);
        let (width, height) = layout.size();
        let mut image = RgbImage::from_pixel(width, height, GROUND);
        for block in 0..grid.shape()[2] {
            for (at, label) in columns.iter().enumerate() {
                lettering.write(&mut image, label, layout.column_label(block, at as u32), layout.text);
            }
            for (at, label) in rows.iter().enumerate() {
                lettering.write(&mut image, label, layout.row_label(block, at as u32), layout.text);
            }
            if let Some(label) = blocks.get(block as usize) {
                lettering.write(&mut image, label, layout.block_label(block), layout.text);
            }
        }
        for index in 0..grid.n_cells() {
            let Rect { x, y, width, height } = layout.cell_of(grid.place_of(index));
            replace(&mut image, &RgbImage::from_pixel(width, height, BLANK), i64::from(x), i64::from(y));
        }
        Ok(Self { image, layout })
    }

    /// Puts the picture of cell `index` in its place.
    pub fn place(&mut self, grid: &Grid, index: u32, picture: &RgbImage) {
        let Rect { x, y, width, height } = self.layout.cell_of(grid.place_of(index));
        let at = (i64::from(x), i64::from(y));
        if picture.dimensions() == (width, height) {
            replace(&mut self.image, picture, at.0, at.1);
        } else {
            let smaller = resize(picture, width, height, FilterType::CatmullRom);
            replace(&mut self.image, &smaller, at.0, at.1);
        }
    }

    /// The finished sheet.
    pub fn into_image(self) -> RgbImage {
        self.image
    }
}

#[cfg(test)]
#[path = "sheet_tests.rs"]
mod tests;
