//! Normalisation over groups of channels and over single tokens.

use candle_core::Tensor;

use crate::error::{Error, Result};
use crate::nn::activation::Activation;
use crate::nn::kernels::norm::{Affine, Groups, layer_norm};
use crate::nn::kernels::{serve, with_values};
use crate::weights::Scope;

/// Mean 0 and variance 1 within each group of channels of a map, then a scale and a shift per channel.
#[derive(Debug, Clone)]
pub struct GroupNorm {
    n_groups: usize,
    epsilon: f64,
    scale: Tensor,
    shift: Tensor,
}

impl GroupNorm {
    /// Reads `weight` and `bias`, both `(channels)`.
    ///
    /// # Errors
    /// [`Error::MissingTensor`], [`Error::TensorShape`]; a candle error if the groups do not divide the
    /// channels (configs are checked before).
    pub fn load(scope: &Scope<'_>, channels: usize, n_groups: usize, epsilon: f64) -> Result<Self> {
        if n_groups == 0 || !channels.is_multiple_of(n_groups) {
            let message = format!("{channels} channels cannot be cut into {n_groups} groups");
            return Err(Error::Candle(candle_core::Error::Msg(message)));
        }
        let scale = scope.tensor("weight", &[channels])?;
        let shift = scope.tensor("bias", &[channels])?;
        Ok(Self { n_groups, epsilon, scale, shift })
    }

    /// Normalises `(batch, height, width, channels)`; the shape stays.
    ///
    /// # Errors
    /// A candle error if the channels are others.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if serve(x) { self.with_kernels(x, false) } else { self.with_candle(x) }
    }

    /// [`GroupNorm::forward`] and `SiLU`.
    ///
    /// # Errors
    /// As [`GroupNorm::forward`].
    pub fn forward_silu(&self, x: &Tensor) -> Result<Tensor> {
        if serve(x) { self.with_kernels(x, true) } else { Activation::Silu.forward(&self.with_candle(x)?) }
    }

    /// What it does to each channel of each picture in `x` `(batch, pixels, channels)`.
    pub(super) fn measure(&self, x: &[f32], batch: usize, silu: bool) -> Result<Affine> {
        with_values(&self.scale, |scale| {
            with_values(&self.shift, |shift| {
                let groups = Groups { n_groups: self.n_groups, epsilon: self.epsilon, scale, shift, silu };
                Ok(Affine::of_groups(x, batch, &groups))
            })
        })
    }

    fn with_kernels(&self, x: &Tensor, silu: bool) -> Result<Tensor> {
        let batch = x.dim(0)?;
        let out = with_values(x, |values| {
            let mut out = vec![0.0; values.len()];
            self.measure(values, batch, silu)?.apply_to_all(values, &mut out);
            Ok(out)
        })?;
        Ok(Tensor::from_vec(out, x.shape(), x.device())?)
    }

    /// In the precision of scale and shift, whatever that of `x`: sums of squares leave the range of f16.
    fn with_candle(&self, x: &Tensor) -> Result<Tensor> {
        let dtype = x.dtype();
        let x = &x.to_dtype(self.scale.dtype())?;
        let (batch, height, width, channels) = x.dims4()?;
        // (batch, pixels, groups, channels of a group)
        let grouped = x.reshape((batch, height * width, self.n_groups, channels / self.n_groups))?;
        let centred = grouped.broadcast_sub(&grouped.mean_keepdim((1, 3))?)?;
        let variance = centred.sqr()?.mean_keepdim((1, 3))?;
        let normal = centred.broadcast_div(&(variance + self.epsilon)?.sqrt()?)?;
        let y = normal.reshape(x.shape())?.broadcast_mul(&self.scale)?.broadcast_add(&self.shift)?;
        Ok(y.to_dtype(dtype)?)
    }
}

/// Mean 0 and variance 1 within each token, then a scale and a shift per channel.
#[derive(Debug, Clone)]
pub struct LayerNorm {
    epsilon: f64,
    scale: Tensor,
    shift: Tensor,
}

impl LayerNorm {
    /// Reads `weight` and `bias`, both `(channels)`.
    ///
    /// # Errors
    /// [`Error::MissingTensor`], [`Error::TensorShape`].
    pub fn load(scope: &Scope<'_>, channels: usize, epsilon: f64) -> Result<Self> {
        let scale = scope.tensor("weight", &[channels])?;
        let shift = scope.tensor("bias", &[channels])?;
        Ok(Self { epsilon, scale, shift })
    }

    /// Normalises the last dimension; the shape stays.
    ///
    /// # Errors
    /// A candle error if the last dimension is another.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if serve(x) { self.with_kernels(x) } else { self.with_candle(x) }
    }

    fn with_kernels(&self, x: &Tensor) -> Result<Tensor> {
        let mut out = vec![0.0; x.elem_count()];
        with_values(x, |values| {
            with_values(&self.scale, |scale| {
                with_values(&self.shift, |shift| {
                    layer_norm(values, scale, shift, self.epsilon as f32, &mut out);
                    Ok(())
                })
            })
        })?;
        Ok(Tensor::from_vec(out, x.shape(), x.device())?)
    }

    fn with_candle(&self, x: &Tensor) -> Result<Tensor> {
        let wide = x.to_dtype(self.scale.dtype())?.contiguous()?;
        let y = candle_nn::ops::layer_norm(&wide, &self.scale, &self.shift, self.epsilon as f32)?;
        Ok(y.to_dtype(x.dtype())?)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;
    use crate::nn::kernels::tests::{assert_close, assert_within, numbers};

    impl GroupNorm {
        /// One with any scale and shift.
        pub(crate) fn for_test(channels: usize, n_groups: usize) -> Self {
            let tensor =
                |seed: u32| Tensor::from_vec(numbers(channels, seed), channels, &Device::Cpu).unwrap();
            Self { n_groups, epsilon: 1e-5, scale: tensor(8), shift: tensor(9) }
        }
    }

    #[test]
    fn group_norm_is_right_even_far_from_zero() {
        for (batch, height, width, channels, groups) in
            [(2, 5, 7, 24, 4), (1, 16, 33, 320, 32), (1, 1, 1, 8, 2)]
        {
            let norm = GroupNorm::for_test(channels, groups);
            let values = numbers(batch * height * width * channels, 1);
            let x = Tensor::from_vec(values, (batch, height, width, channels), &Device::Cpu).unwrap();
            let x = (x + 10.0).unwrap();
            // In f64, because sums of many numbers far from zero are not precise in f32.
            let precise = |x: &Tensor| x.to_dtype(DType::F64).unwrap();
            let reference =
                GroupNorm { scale: precise(&norm.scale), shift: precise(&norm.shift), ..norm.clone() };
            let expected = reference.with_candle(&precise(&x)).unwrap().to_dtype(DType::F32).unwrap();
            // One factor and one addend per channel, as in torch: ten deviations from zero cost a digit.
            assert_within(5e-5, &norm.forward(&x).unwrap(), &expected);
            assert_within(5e-5, &norm.forward_silu(&x).unwrap(), &expected.silu().unwrap());
        }
    }

    #[test]
    fn layer_norm_is_what_candle_computes() {
        for (tokens, channels) in [(1, 5), (77, 24), (200, 320)] {
            let tensor =
                |seed: u32| Tensor::from_vec(numbers(channels, seed), channels, &Device::Cpu).unwrap();
            let norm = LayerNorm { epsilon: 1e-5, scale: tensor(8), shift: tensor(9) };
            let x = numbers(tokens * channels, 1);
            let x = Tensor::from_vec(x, (1, tokens, channels), &Device::Cpu).unwrap();
            assert_close(&norm.forward(&x).unwrap(), &norm.with_candle(&x).unwrap());
        }
    }
}
