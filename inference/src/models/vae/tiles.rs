//! Large pictures in overlapping tiles, so that memory does not grow with the picture.

use candle_core::{Device, Tensor};

use crate::error::Result;

/// How pictures are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tiles {
    /// Side of a tile, in places of the latent; a multiple of 4.
    pub(super) side: usize,
    /// Pixels for one place of the latent.
    pub(super) shrink: usize,
}

/// Which way a tile goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// From latent to picture.
    Decode,
    /// From picture to latent.
    Encode,
}

impl Tiles {
    /// Computes tile by tile. Tiles overlap by a quarter, over which one goes over into the next in a straight line.
    ///
    /// Each tile is normalised by its own means, so the result is not the one of the whole; the wide overlap is what
    /// hides it.
    ///
    /// # Source
    /// `tiled_decode` and `_tiled_encode` of diffusers' `AutoencoderKL`.
    pub(super) fn compute(
        self,
        way: Way,
        x: &Tensor,
        compute: impl Fn(&Tensor) -> Result<Tensor>,
    ) -> Result<Tensor> {
        let (from, to) = match way {
            Way::Decode => (self.side, self.side * self.shrink),
            Way::Encode => (self.side * self.shrink, self.side),
        };
        let (stride, overlap) = (from / 4 * 3, to / 4);
        let (_, _, height, width) = x.dims4()?;
        let mut above: Vec<Tensor> = Vec::new();
        let mut lines = Vec::new();
        for y in (0..height).step_by(stride) {
            let mut row: Vec<Tensor> = Vec::new();
            for x0 in (0..width).step_by(stride) {
                let part = x.narrow(2, y, from.min(height - y))?.narrow(3, x0, from.min(width - x0))?;
                let mut tile = compute(&part.contiguous()?)?;
                if let Some(before) = above.get(row.len()) {
                    tile = blend(before, &tile, 2, overlap)?;
                }
                if let Some(before) = row.last() {
                    tile = blend(before, &tile, 3, overlap)?;
                }
                row.push(tile);
            }
            let keep = to - overlap;
            let kept: Vec<Tensor> = row
                .iter()
                .map(|tile| tile.narrow(2, 0, keep.min(tile.dim(2)?))?.narrow(3, 0, keep.min(tile.dim(3)?)))
                .collect::<candle_core::Result<_>>()?;
            lines.push(Tensor::cat(&kept, 3)?);
            above = row;
        }
        Ok(Tensor::cat(&lines, 2)?)
    }
}

/// `tile`, whose first `overlap` places along a side come out of the last ones of `before`.
fn blend(before: &Tensor, tile: &Tensor, side: usize, overlap: usize) -> Result<Tensor> {
    let (n_before, n) = (before.dim(side)?, tile.dim(side)?);
    let overlap = overlap.min(n_before).min(n);
    let share = ramp(overlap, side, tile.device())?;
    let old = before.narrow(side, n_before - overlap, overlap)?.broadcast_mul(&(1.0 - &share)?)?;
    let new = tile.narrow(side, 0, overlap)?.broadcast_mul(&share)?;
    let rest = tile.narrow(side, overlap, n - overlap)?;
    Ok(Tensor::cat(&[&(old + new)?, &rest], side)?)
}

/// From 0 up, along one of the last two dimensions of four.
fn ramp(n: usize, side: usize, device: &Device) -> Result<Tensor> {
    let values: Vec<f32> = (0..n).map(|i| i as f32 / n as f32).collect();
    let shape = if side == 2 { (1, 1, n, 1) } else { (1, 1, 1, n) };
    Ok(Tensor::from_vec(values, shape, device)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(height: usize, width: usize) -> Tensor {
        let n = height * width;
        Tensor::arange(0f32, n as f32, &Device::Cpu).unwrap().reshape((1, 1, height, width)).unwrap()
    }

    fn doubled(x: &Tensor) -> Result<Tensor> {
        let (_, _, height, width) = x.dims4()?;
        Ok(x.upsample_nearest2d(2 * height, 2 * width)?)
    }

    #[test]
    fn what_is_computed_place_by_place_is_the_same_in_tiles() {
        let tiles = Tiles { side: 8, shrink: 2 };
        for (height, width) in [(8, 8), (13, 30), (6, 9), (24, 7)] {
            let x = map(height, width);
            let found = tiles.compute(Way::Decode, &x, doubled).unwrap();
            let expected = doubled(&x).unwrap();
            assert_eq!(found.dims(), expected.dims());
            let error = (found - expected).unwrap().abs().unwrap().max_all().unwrap();
            assert!(error.to_scalar::<f32>().unwrap() < 1e-3);
        }
    }

    #[test]
    fn no_tile_is_larger_than_it_may_be() {
        let tiles = Tiles { side: 8, shrink: 2 };
        tiles
            .compute(Way::Encode, &map(40, 50), |part| {
                assert!(part.dim(2)? <= 16 && part.dim(3)? <= 16, "{part:?}");
                Ok(part.avg_pool2d(2)?)
            })
            .unwrap();
    }

    #[test]
    fn one_tile_goes_over_into_the_next_in_a_straight_line() {
        // The first tile is 0, the second 1: what is between them rises evenly.
        let tiles = Tiles { side: 8, shrink: 1 };
        let is_second = std::cell::Cell::new(false);
        let found = tiles
            .compute(Way::Decode, &map(8, 14), |part| {
                let value = f32::from(u8::from(is_second.replace(true)));
                Ok(Tensor::full(value, part.shape(), part.device())?)
            })
            .unwrap();
        let row: Vec<f32> = found.get_on_dim(2, 0).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        assert_eq!(row[..9], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 1.0]);
    }
}
