//! A picture as bytes.

use candle_core::{DType, Device, Tensor};

use crate::error::Result;
use crate::resize::{Curve, resize};

/// A picture: red, green and blue, row by row from the top left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rgb {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// `3 * width * height` bytes.
    pub pixels: Vec<u8>,
}

impl Rgb {
    /// From `(1, 3, height, width)` where black is −1 and white 1; what lies beyond is cut off.
    pub(super) fn from_decoded(decoded: &Tensor) -> Result<Self> {
        let (_, channels, height, width) = decoded.dims4()?;
        let rows =
            decoded.to_dtype(DType::F32)?.permute((0, 2, 3, 1))?.reshape((height * width, channels))?;
        let values: Vec<f32> = rows.flatten_all()?.to_vec1()?;
        // Rounds like numpy, and as late: halves first to 0..1.
        let byte = |value: f32| ((value * 0.5 + 0.5).clamp(0.0, 1.0) * 255.0).round_ties_even() as u8;
        let pixels = values.into_iter().map(byte).collect();
        Ok(Self { width: width as u32, height: height as u32, pixels })
    }

    /// As `(1, 3, height, width)` where black is −1 and white 1: what a VAE encodes.
    pub(super) fn to_tensor(&self, device: &Device) -> Result<Tensor> {
        let values: Vec<f32> = self.pixels.iter().map(|&byte| f32::from(byte) / 255.0 * 2.0 - 1.0).collect();
        let shape = (1, self.height as usize, self.width as usize, 3);
        Ok(Tensor::from_vec(values, shape, device)?.permute((0, 3, 1, 2))?.contiguous()?)
    }

    /// The picture at another size, sharp and without jagged edges (Lanczos); the same if it has that size.
    #[must_use]
    pub fn resized(&self, width: u32, height: u32) -> Self {
        let pixels = resize(&self.pixels, 3, (self.width, self.height), (width, height), Curve::Lanczos);
        Self { width, height, pixels }
    }
}
