//! The pooled output: one vector for a whole text.

use candle_core::Tensor;

use super::config::ProjectionConfig;
use crate::error::Result;
use crate::nn::linear::Linear;
use crate::weights::Scope;

/// What transformers' configs said for the end token before they said it rightly.
const LEGACY_END: usize = 2;

/// A linear layer on the state at a text's end.
#[derive(Debug, Clone)]
pub struct Projection {
    end: usize,
    linear: Linear,
}

impl Projection {
    /// Reads `weight`, `(projected width, width)`.
    ///
    /// # Errors
    /// [`crate::Error::MissingTensor`], [`crate::Error::TensorShape`].
    pub fn load(scope: &Scope<'_>, width: usize, config: ProjectionConfig) -> Result<Self> {
        Ok(Self { end: config.end, linear: Linear::load(scope, width, config.width)? })
    }

    /// Normalised last states `(texts, tokens, width)` of `texts` to `(texts, projected width)`.
    ///
    /// # Errors
    /// Whatever candle says.
    pub fn pool(&self, states: &Tensor, texts: &[Vec<u32>]) -> Result<Tensor> {
        let ends: Vec<Tensor> = texts
            .iter()
            .enumerate()
            .map(|(i, text)| states.narrow(0, i, 1)?.narrow(1, self.end_of(text), 1)?.squeeze(1))
            .collect::<candle_core::Result<_>>()?;
        self.linear.forward(&Tensor::cat(&ends, 0)?)
    }

    /// The first end token; as in transformers the first token of all if there is none.
    fn end_of(&self, text: &[u32]) -> usize {
        let end =
            if self.end == LEGACY_END { text.iter().copied().max() } else { u32::try_from(self.end).ok() };
        text.iter().position(|&id| Some(id) == end).unwrap_or(0)
    }
}
