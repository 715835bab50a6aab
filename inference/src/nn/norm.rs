//! Normalisation over groups of channels and over single tokens.

use candle_core::Tensor;

use crate::error::{Error, Result};
use crate::nn::activation::Activation;
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

    /// Normalises `(batch, height, width, channels)` and applies `activation`; the shape stays.
    ///
    /// # Errors
    /// A candle error if the channels are others.
    pub fn forward(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        let (batch, height, width, channels) = x.dims4()?;
        // (batch, pixels, groups, channels of a group)
        let grouped = x.reshape((batch, height * width, self.n_groups, channels / self.n_groups))?;
        let centred = grouped.broadcast_sub(&grouped.mean_keepdim((1, 3))?)?;
        let variance = centred.sqr()?.mean_keepdim((1, 3))?;
        let normal = centred.broadcast_div(&(variance + self.epsilon)?.sqrt()?)?;
        let y = normal.reshape(x.shape())?.broadcast_mul(&self.scale)?.broadcast_add(&self.shift)?;
        activation.forward(&y)
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
        Ok(candle_nn::ops::layer_norm(&x.contiguous()?, &self.scale, &self.shift, self.epsilon as f32)?)
    }
}
