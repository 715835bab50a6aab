//! The residual block of U-Net and VAE.

use candle_core::Tensor;

use crate::error::Result;
use crate::nn::conv::{Besides, Conv2d, ConvSizes};
use crate::nn::linear::Linear;
use crate::nn::norm::GroupNorm;
use crate::weights::Scope;

/// The sizes of a residual block.
#[derive(Debug, Clone, Copy)]
pub struct ResnetSizes {
    /// Channels that come in.
    pub inputs: usize,
    /// Channels that go out.
    pub outputs: usize,
    /// Length of the time embedding; `None` in a VAE, which knows no time.
    pub time: Option<usize>,
    /// Groups of both normalisations.
    pub n_groups: usize,
    /// Added to the variances.
    pub epsilon: f64,
}

/// Twice norm, `SiLU` and 3x3 convolution, with the time in the middle and a way round.
#[derive(Debug, Clone)]
pub struct ResnetBlock {
    norm1: GroupNorm,
    conv1: Conv2d,
    time: Option<Linear>,
    norm2: GroupNorm,
    conv2: Conv2d,
    /// The way round, where the number of channels changes.
    shortcut: Option<Linear>,
}

impl ResnetBlock {
    /// Reads `norm1`, `conv1`, `time_emb_proj`, `norm2`, `conv2` and `conv_shortcut`.
    ///
    /// # Errors
    /// [`crate::Error::MissingTensor`], [`crate::Error::TensorShape`].
    pub fn load(scope: &Scope<'_>, sizes: ResnetSizes) -> Result<Self> {
        let ResnetSizes { inputs, outputs, time, n_groups, epsilon } = sizes;
        let changes = inputs != outputs;
        Ok(Self {
            norm1: GroupNorm::load(&scope.at("norm1"), inputs, n_groups, epsilon)?,
            conv1: Conv2d::load(&scope.at("conv1"), ConvSizes::same(inputs, outputs, 3))?,
            time: time.map(|time| Linear::load(&scope.at("time_emb_proj"), time, outputs)).transpose()?,
            norm2: GroupNorm::load(&scope.at("norm2"), outputs, n_groups, epsilon)?,
            conv2: Conv2d::load(&scope.at("conv2"), ConvSizes::same(outputs, outputs, 3))?,
            shortcut: changes
                .then(|| Linear::load(&scope.at("conv_shortcut"), inputs, outputs))
                .transpose()?,
        })
    }

    /// * `x`: `(batch, height, width, inputs)`
    /// * `time`: `(batch, time)`, already through its `SiLU`
    ///
    /// Returns `(batch, height, width, outputs)`.
    ///
    /// # Errors
    /// Whatever candle says.
    pub fn forward(&self, x: &Tensor, time: Option<&Tensor>) -> Result<Tensor> {
        let shift = match (&self.time, time) {
            (Some(projection), Some(time)) => Some(projection.forward(time)?),
            _ => None,
        };
        let besides = Besides { norm: Some(&self.norm1), shift: shift.as_ref(), ..Besides::default() };
        let hidden = self.conv1.forward_with(x, besides)?;
        let round = self.shortcut.as_ref().map(|shortcut| shortcut.forward(x)).transpose()?;
        let residual = Some(round.as_ref().unwrap_or(x));
        let besides = Besides { norm: Some(&self.norm2), residual, ..Besides::default() };
        self.conv2.forward_with(&hidden, besides)
    }
}
