//! Two-dimensional convolutions over channel-last maps.

use candle_core::Tensor;

use crate::error::Result;
use crate::weights::Scope;

/// The sizes of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvSizes {
    /// Channels that come in.
    pub inputs: usize,
    /// Channels that go out.
    pub outputs: usize,
    /// Side of the square window, in pixels; odd.
    pub window: usize,
    /// Distance of two windows, in pixels.
    pub stride: usize,
}

impl ConvSizes {
    /// A window with stride 1 that keeps height and width.
    pub fn same(inputs: usize, outputs: usize, window: usize) -> Self {
        Self { inputs, outputs, window, stride: 1 }
    }

    /// Zeros round the map, in pixels: half a window, so that only the stride shrinks the map.
    pub fn padding(self) -> usize {
        self.window / 2
    }

    /// Height or width of the result for that of the input.
    pub fn shrunk(self, side: usize) -> usize {
        (side + 2 * self.padding() - self.window) / self.stride + 1
    }
}

/// What a convolution does besides: each would be a pass over the whole map of its own.
#[derive(Debug, Clone, Copy, Default)]
pub struct Besides<'a> {
    /// The map is first stretched to this height and width, each pixel taken from its nearest.
    pub stretch: Option<(usize, usize)>,
    /// `(batch, outputs)`, added to every pixel of the result.
    pub shift: Option<&'a Tensor>,
    /// A map of the result's shape, added to it.
    pub residual: Option<&'a Tensor>,
}

/// A convolution with square windows, zeros round the map and a bias.
#[derive(Debug, Clone)]
pub struct Conv2d {
    sizes: ConvSizes,
    /// `(outputs, inputs, window, window)`
    weight: Tensor,
    /// `(outputs)`
    bias: Tensor,
}

impl Conv2d {
    /// Reads `weight` `(outputs, inputs, window, window)` and `bias` `(outputs)`.
    ///
    /// # Errors
    /// [`crate::Error::MissingTensor`], [`crate::Error::TensorShape`].
    pub fn load(scope: &Scope<'_>, sizes: ConvSizes) -> Result<Self> {
        let weight = scope.tensor("weight", &[sizes.outputs, sizes.inputs, sizes.window, sizes.window])?;
        let bias = scope.tensor("bias", &[sizes.outputs])?;
        Ok(Self { sizes, weight, bias })
    }

    /// `(batch, height, width, inputs)` to `(batch, height / stride, width / stride, outputs)`, rounded up.
    ///
    /// # Errors
    /// A candle error if the channels are others.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.forward_with(x, Besides::default())
    }

    /// [`Conv2d::forward`] and what comes [`Besides`].
    ///
    /// # Errors
    /// A candle error if shapes do not fit.
    pub fn forward_with(&self, x: &Tensor, besides: Besides<'_>) -> Result<Tensor> {
        let x = x.permute((0, 3, 1, 2))?;
        let x = match besides.stretch {
            Some((height, width)) => x.contiguous()?.upsample_nearest2d(height, width)?,
            None => x,
        };
        let y = x.contiguous()?.conv2d(&self.weight, self.sizes.padding(), self.sizes.stride, 1, 1)?;
        let mut y = y.permute((0, 2, 3, 1))?.contiguous()?.broadcast_add(&self.bias)?;
        if let Some(shift) = besides.shift {
            y = y.broadcast_add(&shift.unsqueeze(1)?.unsqueeze(1)?)?;
        }
        if let Some(residual) = besides.residual {
            y = (y + residual)?;
        }
        Ok(y)
    }
}
