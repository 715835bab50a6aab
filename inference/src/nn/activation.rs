//! The curves between the layers.

use candle_core::Tensor;

use crate::error::Result;
use crate::nn::kernels;

/// A function applied to every number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// The number itself.
    Identity,
    /// x · sigmoid(x), also called swish.
    Silu,
    /// x · Φ(x) with the exact normal distribution function.
    Gelu,
    /// x · sigmoid(1.702 x), as in OpenAI's CLIP.
    QuickGelu,
}

impl Activation {
    /// Applies it; the shape stays.
    ///
    /// # Errors
    /// Whatever candle says.
    pub fn forward(self, x: &Tensor) -> Result<Tensor> {
        if !kernels::serve(x) || self == Self::Identity {
            return self.plain(x);
        }
        let mut values = kernels::with_values(x, |values| Ok(values.to_vec()))?;
        kernels::curves::apply(self, &mut values);
        Ok(Tensor::from_vec(values, x.shape(), x.device())?)
    }

    /// In candle's operations.
    pub(crate) fn plain(self, x: &Tensor) -> Result<Tensor> {
        Ok(match self {
            Self::Identity => x.clone(),
            Self::Silu => x.silu()?,
            Self::Gelu => x.gelu_erf()?,
            Self::QuickGelu => (x * candle_nn::ops::sigmoid(&(x * 1.702)?)?)?,
        })
    }
}
