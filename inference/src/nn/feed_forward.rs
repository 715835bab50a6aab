//! The gated feed-forward layer of the U-Net's transformers.

use candle_core::{D, Tensor};

use crate::error::Result;
use crate::nn::activation::Activation;
use crate::nn::kernels::curves::gated;
use crate::nn::kernels::{serve, with_values};
use crate::nn::linear::Linear;
use crate::weights::Scope;

/// How much wider the hidden layer is.
const WIDENING: usize = 4;

/// Linear, gate by GELU, linear.
///
/// # Source
/// Shazeer 2020, arXiv:2002.05202 (GEGLU).
#[derive(Debug, Clone)]
pub struct FeedForward {
    /// Both halves in one: values, then gates.
    widen: Linear,
    narrow: Linear,
}

impl FeedForward {
    /// Reads `net.0.proj` and `net.2`.
    ///
    /// # Errors
    /// [`crate::Error::MissingTensor`], [`crate::Error::TensorShape`].
    pub fn load(scope: &Scope<'_>, channels: usize) -> Result<Self> {
        let hidden = channels * WIDENING;
        let widen = Linear::load(&scope.at("net.0.proj"), channels, 2 * hidden)?;
        let narrow = Linear::load(&scope.at("net.2"), hidden, channels)?;
        Ok(Self { widen, narrow })
    }

    /// Of `x` `(batch, tokens, channels)`, added to `residual` of that shape.
    ///
    /// # Errors
    /// Whatever candle says.
    pub fn forward_onto(&self, x: &Tensor, residual: &Tensor) -> Result<Tensor> {
        self.narrow.forward_onto(&gate(&self.widen.forward(x)?)?, residual)
    }
}

/// Values times GELU of gates: `(batch, tokens, 2 * hidden)` to `(batch, tokens, hidden)`.
fn gate(both: &Tensor) -> Result<Tensor> {
    let (batch, tokens, twice) = both.dims3()?;
    let hidden = twice / 2;
    if serve(both) {
        let mut out = vec![0.0; batch * tokens * hidden];
        with_values(both, |both| {
            gated(both, hidden, &mut out);
            Ok(())
        })?;
        return Ok(Tensor::from_vec(out, (batch, tokens, hidden), both.device())?);
    }
    let values = both.narrow(D::Minus1, 0, hidden)?;
    let gates = Activation::Gelu.forward(&both.narrow(D::Minus1, hidden, hidden)?)?;
    Ok((values * gates)?)
}
