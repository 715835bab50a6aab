//! The curves between the layers.

use candle_core::Tensor;

use crate::error::Result;

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
        Ok(match self {
            Self::Identity => x.clone(),
            Self::Silu => x.silu()?,
            Self::Gelu => x.gelu_erf()?,
            Self::QuickGelu => (x * candle_nn::ops::sigmoid(&(x * 1.702)?)?)?,
        })
    }
}
