//! Two-dimensional convolutions over channel-last maps.

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};

use crate::error::Result;
use crate::nn::kernels::conv::{Map, Window, convolve};
use crate::nn::kernels::packed::{self, Packed};
use crate::nn::kernels::{with_optional, with_values};
use crate::nn::norm::GroupNorm;
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
    /// Where the zeros are that the first and the last window look at.
    pub padding: Padding,
}

/// Where a map is continued with zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// Half a window on every side, so that only the stride shrinks the map.
    Around,
    /// One row and column less above and on the left. Only for strides above 1: diffusers' VAE encoder halves
    /// its maps that way.
    After,
}

impl ConvSizes {
    /// A window with stride 1 that keeps height and width.
    pub fn same(inputs: usize, outputs: usize, window: usize) -> Self {
        Self { inputs, outputs, window, stride: 1, padding: Padding::Around }
    }

    /// Zeros above and on the left, then zeros below and on the right, in pixels.
    pub fn margins(self) -> (usize, usize) {
        let half = self.window / 2;
        match self.padding {
            Padding::Around => (half, half),
            Padding::After => (half.saturating_sub(1), half),
        }
    }

    /// Height or width of the result for that of the input.
    pub fn shrunk(self, side: usize) -> usize {
        let (before, after) = self.margins();
        (side + before + after - self.window) / self.stride + 1
    }
}

/// What a convolution does besides: each would be a pass over the whole map of its own.
#[derive(Debug, Clone, Copy, Default)]
pub struct Besides<'a> {
    /// The map is first normalised, and `SiLU` applied.
    pub norm: Option<&'a GroupNorm>,
    /// The map is then stretched to this height and width, each pixel taken from its nearest. Only where the
    /// stride is 1.
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
    form: Form,
}

#[derive(Debug, Clone)]
enum Form {
    /// For the kernels: `(window * window * inputs, outputs)`, and `(outputs)`.
    Packed { weight: Arc<Packed>, bias: Arc<[f32]> },
    /// For candle: `(outputs, inputs, window, window)`, and `(outputs)`.
    Plain { weight: Tensor, bias: Tensor },
}

impl Form {
    fn to_dtype(&self, dtype: DType) -> Result<Self> {
        Ok(match self {
            Self::Packed { .. } => self.clone(),
            Self::Plain { weight, bias } => {
                Self::Plain { weight: weight.to_dtype(dtype)?, bias: bias.to_dtype(dtype)? }
            }
        })
    }
}

impl Conv2d {
    /// Reads `weight` `(outputs, inputs, window, window)` and `bias` `(outputs)`.
    ///
    /// # Errors
    /// [`crate::Error::MissingTensor`], [`crate::Error::TensorShape`].
    pub fn load(scope: &Scope<'_>, sizes: ConvSizes) -> Result<Self> {
        let shape = [sizes.outputs, sizes.inputs, sizes.window, sizes.window];
        let form = scope.with_values("weight", &shape, |weight| {
            let bias = scope.values("bias", &[sizes.outputs])?;
            if scope.is_for_kernels() {
                return Ok(packed(weight, bias, sizes, None));
            }
            plain(weight, bias, sizes, scope.device())?.to_dtype(scope.precision().dtype())
        })?;
        Ok(Self { sizes, form })
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
        match &self.form {
            Form::Packed { weight, bias } => self.with_kernels(x, besides, weight, bias),
            Form::Plain { weight, bias } => self.with_candle(x, besides, weight, bias),
        }
    }

    fn with_kernels(
        &self,
        x: &Tensor,
        besides: Besides<'_>,
        weights: &Packed,
        bias: &[f32],
    ) -> Result<Tensor> {
        let (batch, height, width, channels) = x.dims4()?;
        let stretch = besides.stretch.unwrap_or((height, width));
        let ConvSizes { window: side, stride, outputs, .. } = self.sizes;
        let (margin, _) = self.sizes.margins();
        let shape = (batch, self.sizes.shrunk(stretch.0), self.sizes.shrunk(stretch.1), outputs);
        let mut out = vec![0.0; shape.0 * shape.1 * shape.2 * shape.3];
        // Strided windows are copied as they are.
        let normal = besides.norm.filter(|_| stride > 1).map(|norm| norm.forward_silu(x)).transpose()?;
        let (x, norm) = (normal.as_ref().unwrap_or(x), besides.norm.filter(|_| stride == 1));
        with_values(x, |values| {
            let normal = norm.map(|norm| norm.measure(values, batch, true)).transpose()?;
            let map = Map { values, batch, height, width, channels, stretch, normal: normal.as_ref() };
            with_optional(besides.shift, |shift| {
                with_optional(besides.residual, |residual| {
                    let window = Window { side, stride, margin, weights, bias, shift, residual };
                    convolve(&map, &window, (shape.1, shape.2), &mut out);
                    Ok(())
                })
            })
        })?;
        Ok(Tensor::from_vec(out, shape, x.device())?)
    }

    fn with_candle(
        &self,
        x: &Tensor,
        besides: Besides<'_>,
        weight: &Tensor,
        bias: &Tensor,
    ) -> Result<Tensor> {
        let x = match besides.norm {
            Some(norm) => norm.forward_silu(x)?,
            None => x.clone(),
        };
        let x = x.permute((0, 3, 1, 2))?;
        let x = match besides.stretch {
            Some((height, width)) => x.contiguous()?.upsample_nearest2d(height, width)?,
            None => x,
        };
        let (before, after) = self.sizes.margins();
        let x = x.pad_with_zeros(2, before, after)?.pad_with_zeros(3, before, after)?;
        let y = x.contiguous()?.conv2d(weight, 0, self.sizes.stride, 1, 1)?;
        let mut y = y.permute((0, 2, 3, 1))?.contiguous()?.broadcast_add(bias)?;
        if let Some(shift) = besides.shift {
            y = y.broadcast_add(&shift.unsqueeze(1)?.unsqueeze(1)?)?;
        }
        if let Some(residual) = besides.residual {
            y = (y + residual)?;
        }
        Ok(y)
    }
}

/// In the form that is fastest, or in a given one.
fn packed(weight: &[f32], bias: Vec<f32>, sizes: ConvSizes, form: Option<packed::Form>) -> Form {
    let ConvSizes { inputs, outputs, window, .. } = sizes;
    // Strided windows are written out, so they are one run.
    let (n_taps, channels) =
        if sizes.stride == 1 { (window * window, inputs) } else { (1, window * window * inputs) };
    let value = |input: usize, output: usize| {
        let (tap, channel) = (input / inputs, input % inputs);
        weight[(output * inputs + channel) * window * window + tap]
    };
    let weight = match form {
        None => Packed::new(n_taps, channels, outputs, value),
        Some(form) => Packed::in_form(form, n_taps, channels, outputs, value),
    };
    Form::Packed { weight: Arc::new(weight), bias: bias.into() }
}

fn plain(weight: &[f32], bias: Vec<f32>, sizes: ConvSizes, device: &Device) -> Result<Form> {
    let ConvSizes { inputs, outputs, window, .. } = sizes;
    let weight = Tensor::from_slice(weight, (outputs, inputs, window, window), device)?;
    Ok(Form::Plain { weight, bias: Tensor::from_vec(bias, outputs, device)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::kernels::tests::{assert_within, forms, numbers};

    /// Computes in every form, and compares with candle.
    fn check(sizes: ConvSizes, x: &Tensor, besides: Besides<'_>) {
        let ConvSizes { inputs, outputs, window, .. } = sizes;
        let (weight, bias) = (numbers(outputs * inputs * window * window, 1), numbers(outputs, 2));
        let compute = |form: Form| Conv2d { sizes, form }.forward_with(x, besides).unwrap();
        let expected = compute(plain(&weight, bias.clone(), sizes, &Device::Cpu).unwrap());
        for (form, tolerance) in forms() {
            assert_within(tolerance, &compute(packed(&weight, bias.clone(), sizes, Some(form))), &expected);
        }
    }

    fn map(batch: usize, height: usize, width: usize, channels: usize, seed: u32) -> Tensor {
        let values = numbers(batch * height * width * channels, seed);
        Tensor::from_vec(values, (batch, height, width, channels), &Device::Cpu).unwrap()
    }

    #[test]
    fn the_kernels_compute_what_candle_computes() {
        for (window, stride) in [(3, 1), (3, 2), (5, 1), (1, 1)] {
            for (batch, height, width, inputs, outputs) in
                [(2, 5, 7, 3, 40), (1, 16, 16, 64, 3), (2, 1, 1, 8, 8), (1, 9, 30, 40, 70)]
            {
                let sizes = ConvSizes { stride, ..ConvSizes::same(inputs, outputs, window) };
                check(sizes, &map(batch, height, width, inputs, 3), Besides::default());
            }
        }
    }

    #[test]
    fn zeros_after_the_map_alone_are_what_candle_makes_of_them() {
        let sizes = ConvSizes { stride: 2, padding: Padding::After, ..ConvSizes::same(6, 10, 3) };
        for (height, width) in [(8, 8), (7, 9), (2, 2)] {
            assert_eq!(sizes.shrunk(height), height / 2);
            check(sizes, &map(2, height, width, 6, 3), Besides::default());
        }
    }

    #[test]
    fn what_comes_besides_is_what_candle_does_one_after_the_other() {
        let norm = GroupNorm::for_test(24, 4);
        let (x, residual) = (map(2, 5, 6, 24, 3), map(2, 9, 12, 33, 4));
        let shift = Tensor::from_vec(numbers(2 * 33, 5), (2, 33), &Device::Cpu).unwrap();
        let besides = Besides {
            norm: Some(&norm),
            stretch: Some((9, 12)),
            shift: Some(&shift),
            residual: Some(&residual),
        };
        check(ConvSizes::same(24, 33, 3), &x, besides);
    }

    #[test]
    fn a_map_too_large_to_copy_at_once_is_convolved_in_bands() {
        check(ConvSizes::same(200, 2, 3), &map(1, 300, 300, 200, 3), Besides::default());
    }
}
