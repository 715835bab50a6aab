//! Classifier-free guidance: a prediction pushed away from the negative prompt.

use candle_core::Tensor;

use crate::denoiser::Network;
use crate::error::Result;

/// A text-conditioned network with its text and guidance, so that it is a [`Network`] of the latent alone.
///
/// Both predictions come from one call with twice the batch, the negative one first, as in diffusers.
///
/// # Source
/// Ho and Salimans 2022, arXiv:2207.12598, equation 6, with `scale` = 1 + w: at 1 the guided prediction is the
/// plain one. Guidance of predictions equals guidance of clean estimates, which are linear in them.
#[derive(Debug)]
pub struct Guided<F> {
    network: F,
    context: Tensor,
    scale: f64,
}

impl<F: Fn(&Tensor, f64, &Tensor) -> Result<Tensor>> Guided<F> {
    /// * `network`: predicts from latent `(batch, channels, height, width)`, timestep, and context of the
    ///   same batch.
    /// * `positive`, `negative`: encoded prompts, `(batch, tokens, width)`.
    /// * `scale`: how far to push. At 1 and below there is nothing to push: `negative` is not used, and the
    ///   network runs once instead of twice.
    ///
    /// # Errors
    /// [`crate::Error::Candle`] if the two contexts differ in shape.
    pub fn new(network: F, positive: &Tensor, negative: &Tensor, scale: f64) -> Result<Self> {
        let context =
            if is_guided(scale) { Tensor::cat(&[negative, positive], 0)? } else { positive.clone() };
        Ok(Self { network, context, scale })
    }
}

impl<F: Fn(&Tensor, f64, &Tensor) -> Result<Tensor>> Network for Guided<F> {
    fn predict(&self, x: &Tensor, timestep: f64) -> Result<Tensor> {
        if !is_guided(self.scale) {
            return (self.network)(x, timestep, &self.context);
        }
        let twice = Tensor::cat(&[x, x], 0)?;
        let predictions = (self.network)(&twice, timestep, &self.context)?.chunk(2, 0)?;
        let (negative, positive) = (&predictions[0], &predictions[1]);
        Ok((negative + ((positive - negative)? * self.scale)?)?)
    }
}

/// Whether a guidance scale needs the negative prompt at all.
pub fn is_guided(scale: f64) -> bool {
    scale > 1.0
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use candle_core::Device;

    use super::*;

    /// Predicts its context, and notes the batch.
    fn predict(scale: f64) -> (Vec<f32>, usize) {
        let batch = Cell::new(0);
        let positive = Tensor::new(&[[3.0f32, 5.0]], &Device::Cpu).unwrap();
        let negative = Tensor::new(&[[1.0f32, 1.0]], &Device::Cpu).unwrap();
        let network = |x: &Tensor, _: f64, context: &Tensor| {
            batch.set(x.dim(0)?);
            Ok(context.clone())
        };
        let guided = Guided::new(network, &positive, &negative, scale).unwrap();
        let found = guided.predict(&positive.zeros_like().unwrap(), 0.0).unwrap();
        (found.flatten_all().unwrap().to_vec1().unwrap(), batch.get())
    }

    #[test]
    fn guidance_goes_from_the_negative_through_the_positive_prediction() {
        assert_eq!(predict(2.5), (vec![6.0, 11.0], 2));
    }

    #[test]
    fn without_guidance_the_network_runs_once_and_sees_no_negative_prompt() {
        assert_eq!(predict(1.0), (vec![3.0, 5.0], 1));
        assert_eq!(predict(0.0), (vec![3.0, 5.0], 1));
    }
}
