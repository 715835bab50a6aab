//! From a network to an estimate of the clean latent.
//!
//! Samplers work in k-diffusion's terms: a latent is `clean + σ · noise`, and a denoiser maps it and σ to
//! its estimate of `clean`. Networks are trained in other terms: on latents scaled to a constant deviation
//! of 1, `(clean + σ · noise) / √(σ² + 1)`, and to predict noise or velocity. The wrappers here translate.
//!
//! # Source
//! `DiscreteEpsDDPMDenoiser` and `DiscreteVDDPMDenoiser` in k-diffusion's `external.py`; the scalings are
//! `c_in`, `c_skip` and `c_out` of Karras et al. 2022, arXiv:2206.00364, table 1.

use candle_core::Tensor;

use crate::error::Result;
use crate::schedule::PredictionType;

/// Estimates the clean latent.
pub trait Denoiser {
    /// The estimate for a noisy latent, shaped like it.
    ///
    /// * `x`: latent with added noise, `(batch, channels, height, width)`.
    /// * `sigma`: standard deviation of that noise, above zero.
    /// * `timestep`: the training timestep that stands for `sigma`.
    ///
    /// # Errors
    /// Whatever the network says.
    fn denoise(&self, x: &Tensor, sigma: f64, timestep: f64) -> Result<Tensor>;

    /// What the network predicts, for the one sampler that combines predictions rather than estimates
    /// ([`pndm`](crate::samplers::pndm())). A wrapper hands on what it wraps.
    fn prediction(&self) -> PredictionType {
        PredictionType::Epsilon
    }
}

impl<D: Denoiser + ?Sized> Denoiser for Box<D> {
    fn denoise(&self, x: &Tensor, sigma: f64, timestep: f64) -> Result<Tensor> {
        (**self).denoise(x, sigma, timestep)
    }

    fn prediction(&self) -> PredictionType {
        (**self).prediction()
    }
}

/// A trained network: what it predicts from a latent scaled to deviation 1 and a training timestep.
///
/// Any function of that form is one.
pub trait Network {
    /// The prediction, shaped like `x`.
    ///
    /// # Errors
    /// Whatever goes wrong in the network.
    fn predict(&self, x: &Tensor, timestep: f64) -> Result<Tensor>;
}

impl<F: Fn(&Tensor, f64) -> Result<Tensor>> Network for F {
    fn predict(&self, x: &Tensor, timestep: f64) -> Result<Tensor> {
        self(x, timestep)
    }
}

/// A network that predicts the noise: `clean = x - σ · prediction`.
#[derive(Debug)]
pub struct EpsilonDenoiser<N>(pub N);

impl<N: Network> Denoiser for EpsilonDenoiser<N> {
    fn denoise(&self, x: &Tensor, sigma: f64, timestep: f64) -> Result<Tensor> {
        let epsilon = self.0.predict(&scaled_input(x, sigma)?, timestep)?;
        Ok((x - (epsilon * sigma)?)?)
    }
}

/// A network that predicts the velocity: `clean = x / (σ² + 1) - prediction · σ / √(σ² + 1)`.
#[derive(Debug)]
pub struct VDenoiser<N>(pub N);

impl<N: Network> Denoiser for VDenoiser<N> {
    fn denoise(&self, x: &Tensor, sigma: f64, timestep: f64) -> Result<Tensor> {
        let velocity = self.0.predict(&scaled_input(x, sigma)?, timestep)?;
        let variance = sigma * sigma + 1.0;
        let skip = (x / variance)?;
        Ok((skip - (velocity * (sigma / variance.sqrt()))?)?)
    }

    fn prediction(&self) -> PredictionType {
        PredictionType::VPrediction
    }
}

/// A network that predicts the clean latent itself.
#[derive(Debug)]
pub struct SampleDenoiser<N>(pub N);

impl<N: Network> Denoiser for SampleDenoiser<N> {
    fn denoise(&self, x: &Tensor, sigma: f64, timestep: f64) -> Result<Tensor> {
        self.0.predict(&scaled_input(x, sigma)?, timestep)
    }

    fn prediction(&self) -> PredictionType {
        PredictionType::Sample
    }
}

/// The wrapper that a model's config asks for.
pub fn denoiser<'a>(prediction: PredictionType, network: impl Network + 'a) -> Box<dyn Denoiser + 'a> {
    match prediction {
        PredictionType::Epsilon => Box::new(EpsilonDenoiser(network)),
        PredictionType::VPrediction => Box::new(VDenoiser(network)),
        PredictionType::Sample => Box::new(SampleDenoiser(network)),
    }
}

/// The latent as the network was trained to see it.
fn scaled_input(x: &Tensor, sigma: f64) -> Result<Tensor> {
    Ok((x / (sigma * sigma + 1.0).sqrt())?)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    const CLEAN: [f64; 3] = [0.5, -1.25, 2.0];
    const NOISE: [f64; 3] = [1.5, -0.25, -0.75];
    const SIGMA: f64 = 2.5;

    fn tensor(values: [f64; 3]) -> Tensor {
        Tensor::new(&values.map(|v| v as f32), &Device::Cpu).unwrap()
    }

    fn noisy() -> Tensor {
        tensor(std::array::from_fn(|i| CLEAN[i] + SIGMA * NOISE[i]))
    }

    fn assert_clean(denoiser: &dyn Denoiser) {
        let found: Vec<f32> = denoiser.denoise(&noisy(), SIGMA, 400.0).unwrap().to_vec1().unwrap();
        for (found, clean) in found.iter().zip(CLEAN) {
            assert!((f64::from(*found) - clean).abs() < 1e-6, "{found} {clean}");
        }
    }

    #[test]
    fn a_network_that_knows_the_noise_finds_the_clean_latent() {
        assert_clean(&EpsilonDenoiser(|_: &Tensor, _: f64| Ok(tensor(NOISE))));
    }

    #[test]
    fn a_network_that_knows_the_velocity_finds_the_clean_latent() {
        // α = 1 / √(σ² + 1) of the signal and σ α of the noise make a latent of deviation 1.
        let alpha = 1.0 / (SIGMA * SIGMA + 1.0).sqrt();
        let velocity = std::array::from_fn(|i| alpha * NOISE[i] - SIGMA * alpha * CLEAN[i]);
        assert_clean(&VDenoiser(move |_: &Tensor, _: f64| Ok(tensor(velocity))));
    }

    #[test]
    fn a_network_that_knows_the_clean_latent_is_believed() {
        assert_clean(&SampleDenoiser(|_: &Tensor, _: f64| Ok(tensor(CLEAN))));
    }

    #[test]
    fn a_denoiser_says_what_its_network_predicts() {
        for prediction in [PredictionType::Epsilon, PredictionType::VPrediction, PredictionType::Sample] {
            let made = denoiser(prediction, |x: &Tensor, _: f64| Ok(x.clone()));
            assert_eq!(made.prediction(), prediction);
        }
    }

    #[test]
    fn the_network_sees_a_scaled_latent_and_the_timestep() {
        let network = |x: &Tensor, timestep: f64| {
            let expected = (noisy() / (SIGMA * SIGMA + 1.0).sqrt())?;
            assert_eq!(x.to_vec1::<f32>()?, expected.to_vec1::<f32>()?);
            assert!((timestep - 400.0).abs() < 1e-9);
            Ok(x.clone())
        };
        denoiser(PredictionType::Epsilon, network).denoise(&noisy(), SIGMA, 400.0).unwrap();
    }
}
