//! Linear layers, and convolutions of one pixel, which are the same on channel-last maps.

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};

use crate::error::Result;
use crate::nn::kernels::packed::Packed;
use crate::nn::kernels::product::{Left, Product};
use crate::nn::kernels::{with_optional, with_values};
use crate::weights::Scope;

/// y = x W + b over the last dimension.
#[derive(Debug, Clone)]
pub struct Linear {
    inputs: usize,
    outputs: usize,
    form: Form,
}

/// A matrix `(inputs, outputs)` and a bias `(outputs)`.
#[derive(Debug, Clone)]
enum Form {
    /// For the kernels.
    Packed { weight: Arc<Packed>, bias: Option<Arc<[f32]>> },
    /// For candle.
    Plain { weight: Tensor, bias: Option<Tensor> },
}

impl Form {
    fn to_dtype(&self, dtype: DType) -> Result<Self> {
        Ok(match self {
            Self::Packed { .. } => self.clone(),
            Self::Plain { weight, bias } => Self::Plain {
                weight: weight.to_dtype(dtype)?,
                bias: bias.as_ref().map(|bias| bias.to_dtype(dtype)).transpose()?,
            },
        })
    }
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
        let form = scope.with_values("weight", stored, |weight| {
            let bias = scope.has("bias").then(|| scope.values("bias", &[outputs])).transpose()?;
            if scope.is_for_kernels() {
                let value = |input: usize, output: usize| weight[output * inputs + input];
                return Ok(packed(Packed::new(1, inputs, outputs, value), bias));
            }
            plain(weight, bias, inputs, outputs, scope.device())?.to_dtype(scope.precision().dtype())
        })?;
        Ok(Self { inputs, outputs, form })
    }

    /// `(…, inputs)` to `(…, outputs)`.
    ///
    /// # Errors
    /// A candle error if the last dimension is another.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.compute(x, None)
    }

    /// [`Linear::forward`] plus `residual`, which has the result's shape.
    ///
    /// # Errors
    /// As [`Linear::forward`].
    pub fn forward_onto(&self, x: &Tensor, residual: &Tensor) -> Result<Tensor> {
        self.compute(x, Some(residual))
    }

    fn compute(&self, x: &Tensor, residual: Option<&Tensor>) -> Result<Tensor> {
        let mut shape = x.dims().to_vec();
        let n_rows = x.elem_count() / self.inputs;
        if let Some(last) = shape.last_mut() {
            *last = self.outputs;
        }
        match &self.form {
            Form::Packed { weight, bias } => {
                let mut out = vec![0.0; n_rows * self.outputs];
                with_values(x, |left| {
                    with_optional(residual, |residual| {
                        let product = Product {
                            left: Left::Numbers(left),
                            stride: self.inputs,
                            n_rows,
                            taps: &[0],
                            channels: self.inputs,
                            weights: weight,
                            rows: None,
                            bias: bias.as_deref(),
                            shift: None,
                            residual,
                        };
                        product.compute(&mut out);
                        Ok(())
                    })
                })?;
                Ok(Tensor::from_vec(out, shape, x.device())?)
            }
            Form::Plain { weight, bias } => {
                let y = x.reshape((n_rows, self.inputs))?.matmul(weight)?;
                let y = if let Some(bias) = bias { y.broadcast_add(bias)? } else { y };
                let y = y.reshape(shape)?;
                Ok(if let Some(residual) = residual { (y + residual)? } else { y })
            }
        }
    }
}

fn packed(weight: Packed, bias: Option<Vec<f32>>) -> Form {
    Form::Packed { weight: Arc::new(weight), bias: bias.map(Arc::from) }
}

fn plain(
    weight: &[f32],
    bias: Option<Vec<f32>>,
    inputs: usize,
    outputs: usize,
    device: &Device,
) -> Result<Form> {
    let weight = Tensor::from_slice(weight, (outputs, inputs), device)?.t()?.contiguous()?;
    let bias = bias.map(|bias| Tensor::from_vec(bias, outputs, device)).transpose()?;
    Ok(Form::Plain { weight, bias })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::kernels::tests::{assert_within, forms, numbers};

    #[test]
    fn the_kernels_compute_what_candle_computes() {
        for (rows, inputs, outputs) in [(1, 7, 5), (13, 320, 32), (77, 24, 96), (200, 33, 70), (5, 5000, 40)]
        {
            let (weight, bias) = (numbers(outputs * inputs, 1), numbers(outputs, 2));
            let x = Tensor::from_vec(numbers(rows * inputs, 3), (1, rows, inputs), &Device::Cpu).unwrap();
            let residual =
                Tensor::from_vec(numbers(rows * outputs, 4), (1, rows, outputs), &Device::Cpu).unwrap();
            let compute = |form: Form| Linear { inputs, outputs, form }.forward_onto(&x, &residual).unwrap();
            let expected =
                compute(plain(&weight, Some(bias.clone()), inputs, outputs, &Device::Cpu).unwrap());
            for (form, tolerance) in forms() {
                let value = |input: usize, output: usize| weight[output * inputs + input];
                let weight = Packed::in_form(form, 1, inputs, outputs, value);
                assert_within(tolerance, &compute(packed(weight, Some(bias.clone()))), &expected);
            }
        }
    }
}
