//! Linear layers, and convolutions of one pixel, which are the same on channel-last maps.

use candle_core::Tensor;

use crate::error::Result;
use crate::weights::Scope;

/// y = x W + b over the last dimension.
#[derive(Debug, Clone)]
pub struct Linear {
    /// `(inputs, outputs)`
    weight: Tensor,
    /// `(outputs)`
    bias: Option<Tensor>,
}

impl Linear {
    /// Reads `weight`, stored as `(outputs, inputs)` or as a convolution's `(outputs, inputs, 1, 1)`, and
    /// `bias` if it is there.
    ///
    /// # Errors
    /// [`crate::Error::MissingTensor`], [`crate::Error::TensorShape`].
    pub fn load(scope: &Scope<'_>, inputs: usize, outputs: usize) -> Result<Self> {
        let is_convolution = scope.shape("weight").is_some_and(|shape| shape.len() == 4);
        let stored: &[usize] = if is_convolution { &[outputs, inputs, 1, 1] } else { &[outputs, inputs] };
        let weight = scope.tensor("weight", stored)?.reshape((outputs, inputs))?.t()?.contiguous()?;
        let bias = scope.has("bias").then(|| scope.tensor("bias", &[outputs])).transpose()?;
        Ok(Self { weight, bias })
    }

    /// `(…, inputs)` to `(…, outputs)`.
    ///
    /// # Errors
    /// A candle error if the last dimension is another.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (inputs, outputs) = self.weight.dims2()?;
        let mut shape = x.dims().to_vec();
        let rows = x.elem_count() / inputs;
        if let Some(last) = shape.last_mut() {
            *last = outputs;
        }
        let y = x.reshape((rows, inputs))?.matmul(&self.weight)?;
        let y = if let Some(bias) = &self.bias { y.broadcast_add(bias)? } else { y };
        Ok(y.reshape(shape)?)
    }

    /// [`Linear::forward`] plus `residual`, which has the result's shape.
    ///
    /// # Errors
    /// As [`Linear::forward`].
    pub fn forward_onto(&self, x: &Tensor, residual: &Tensor) -> Result<Tensor> {
        Ok((self.forward(x)? + residual)?)
    }
}
