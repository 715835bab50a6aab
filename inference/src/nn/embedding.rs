//! A timestep as a vector.

use candle_core::{Device, Tensor};

use crate::error::Result;
use crate::nn::activation::Activation;
use crate::nn::linear::Linear;
use crate::weights::Scope;

/// Waves of falling frequency at a timestep.
///
/// # Source
/// Ho et al. 2020, arXiv:2006.11239, after Vaswani et al. 2017; the two settings are the ones of diffusers'
/// `Timesteps`.
#[derive(Debug, Clone, Copy)]
pub struct Waves {
    /// Length of the vector; even.
    pub channels: usize,
    /// Cosines before sines.
    pub flip_sin_to_cos: bool,
    /// Taken off the number of frequencies where they are spaced.
    pub freq_shift: f64,
}

impl Waves {
    /// `(batch, channels)` for one timestep per picture. Computed in f32, as the networks were trained:
    /// at timestep 999 the rounding is not to be neglected.
    ///
    /// # Errors
    /// Whatever candle says.
    pub fn at(self, timesteps: &[f64], device: &Device) -> Result<Tensor> {
        let half = self.channels / 2;
        let spacing = half as f32 - self.freq_shift as f32;
        let mut values = Vec::with_capacity(timesteps.len() * self.channels);
        for &timestep in timesteps {
            let angles = (0..half).map(|i| {
                let exponent = -(10_000f64.ln() as f32) * i as f32 / spacing;
                f64::from(timestep as f32 * exponent.exp())
            });
            let sines = angles.clone().map(|angle| angle.sin() as f32);
            let cosines = angles.map(|angle| angle.cos() as f32);
            if self.flip_sin_to_cos {
                values.extend(cosines.chain(sines));
            } else {
                values.extend(sines.chain(cosines));
            }
        }
        Ok(Tensor::from_vec(values, (timesteps.len(), self.channels), device)?)
    }
}

/// A guidance scale as a vector of `channels`, for networks that were distilled to follow it: waves of
/// 1000 (scale − 1), sines first.
///
/// # Errors
/// Whatever candle says.
///
/// # Source
/// Meng et al. 2023, arXiv:2210.03142; `get_guidance_scale_embedding` of diffusers' pipelines.
pub fn guidance_waves(scale: f64, channels: usize, device: &Device) -> Result<Tensor> {
    let waves = Waves { channels, flip_sin_to_cos: false, freq_shift: 1.0 };
    waves.at(&[f64::from((scale - 1.0) as f32 * 1000.0)], device)
}

/// Two linear layers that turn [`Waves`] into what the residual blocks listen to.
#[derive(Debug, Clone)]
pub struct TimeEmbedding {
    linear_1: Linear,
    linear_2: Linear,
    /// From a second vector, which is added to the waves.
    beside: Option<Linear>,
}

impl TimeEmbedding {
    /// Reads `linear_1`, `linear_2` and, where a second vector of `beside` channels comes in, `cond_proj`.
    ///
    /// # Errors
    /// [`crate::Error::MissingTensor`], [`crate::Error::TensorShape`].
    pub fn load(scope: &Scope<'_>, waves: usize, channels: usize, beside: Option<usize>) -> Result<Self> {
        Ok(Self {
            linear_1: Linear::load(&scope.at("linear_1"), waves, channels)?,
            linear_2: Linear::load(&scope.at("linear_2"), channels, channels)?,
            beside: beside.map(|beside| Linear::load(&scope.at("cond_proj"), beside, waves)).transpose()?,
        })
    }

    /// `(batch, waves)`, and `(batch, beside)` if there is such a vector, to `(batch, channels)`.
    ///
    /// # Errors
    /// Whatever candle says.
    pub fn forward(&self, waves: &Tensor, beside: Option<&Tensor>) -> Result<Tensor> {
        let hidden = match (&self.beside, beside) {
            (Some(projection), Some(beside)) => {
                self.linear_1.forward(&projection.forward_onto(beside, waves)?)?
            }
            _ => self.linear_1.forward(waves)?,
        };
        self.linear_2.forward(&Activation::Silu.forward(&hidden)?)
    }
}
