//! Inpainting with a network that was not trained for it: what is to stay is put back before every look.

use std::cell::Cell;

use candle_core::Tensor;

use crate::denoiser::Denoiser;
use crate::error::Result;
use crate::schedule::PredictionType;

/// A latent of which only a part is painted anew.
///
/// The network sees the part that stays with exactly the noise of the present level, and its estimate of that part
/// is replaced by what is known. Samplers work on each number apart from the others, so this, and [`Known::put_back`] at
/// the end, come to the same as putting the known part back after every step, as diffusers does, whatever the sampler.
///
/// # Source
/// Lugmayr et al. 2022, arXiv:2201.09865, without its resampling; the latent blending of diffusers'
/// `StableDiffusionInpaintPipeline` with a U-Net of 4 inputs.
#[derive(Debug)]
pub struct Inpainting<D> {
    denoiser: D,
    known: Known,
    has_begun: Cell<bool>,
}

/// The part that stays.
#[derive(Debug, Clone)]
pub struct Known {
    /// `(1, 1, height, width)`: 1 where it is painted anew, 0 where it stays.
    pub mask: Tensor,
    /// The latent of the picture, `(1, channels, height, width)`.
    pub latent: Tensor,
    /// Standard normal noise of the same shape.
    pub noise: Tensor,
}

impl Known {
    /// The latent that a run came to, with what is known put back: a last step that ends above zero, as with the last
    /// level of most training schedules, leaves noise in it.
    ///
    /// # Errors
    /// A candle error if shapes do not fit.
    pub fn put_back(&self, latent: &Tensor) -> Result<Tensor> {
        self.blend(latent, &self.latent)
    }

    /// `new` where it is painted anew, `old` elsewhere.
    fn blend(&self, new: &Tensor, old: &Tensor) -> Result<Tensor> {
        let mask = &self.mask;
        Ok((new.broadcast_mul(mask)? + old.broadcast_mul(&(1.0 - mask)?)?)?)
    }
}

impl<D: Denoiser> Inpainting<D> {
    /// `denoiser`, which paints where [`Known::mask`] says.
    pub fn new(denoiser: D, known: Known) -> Self {
        Self { denoiser, known, has_begun: Cell::new(false) }
    }
}

impl<D: Denoiser> Denoiser for Inpainting<D> {
    fn denoise(&self, x: &Tensor, sigma: f64, timestep: f64) -> Result<Tensor> {
        // The first look is at what the run begins with, which may be noise alone.
        let x = if self.has_begun.replace(true) {
            self.known.blend(x, &(&self.known.latent + (&self.known.noise * sigma)?)?)?
        } else {
            x.clone()
        };
        self.known.put_back(&self.denoiser.denoise(&x, sigma, timestep)?)
    }

    fn prediction(&self) -> PredictionType {
        self.denoiser.prediction()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use candle_core::Device;

    use super::*;

    /// Estimates 9 everywhere, and notes what it was shown.
    #[derive(Default)]
    struct Nine(RefCell<Vec<Vec<f32>>>);

    impl Denoiser for &Nine {
        fn denoise(&self, x: &Tensor, _: f64, _: f64) -> Result<Tensor> {
            self.0.borrow_mut().push(x.flatten_all()?.to_vec1()?);
            Ok(Tensor::full(9f32, x.shape(), x.device())?)
        }
    }

    #[test]
    fn what_stays_is_shown_with_the_noise_of_the_level_and_comes_out_as_it_was() {
        let tensor =
            |values: [f32; 2]| Tensor::from_vec(values.to_vec(), (1, 1, 1, 2), &Device::Cpu).unwrap();
        let known =
            Known { mask: tensor([1.0, 0.0]), latent: tensor([3.0, 4.0]), noise: tensor([0.5, -1.0]) };
        let nine = Nine::default();
        let inpainting = Inpainting::new(&nine, known);
        for sigma in [8.0, 2.0] {
            let clean = inpainting.denoise(&tensor([7.0, 7.0]), sigma, 0.0).unwrap();
            assert_eq!(clean.flatten_all().unwrap().to_vec1::<f32>().unwrap(), [9.0, 4.0]);
        }
        assert_eq!(*nine.0.borrow(), [[7.0, 7.0], [7.0, 2.0]]);
    }

    #[test]
    fn noise_that_the_last_step_left_in_what_stays_is_taken_out() {
        let tensor =
            |values: [f32; 2]| Tensor::from_vec(values.to_vec(), (1, 1, 1, 2), &Device::Cpu).unwrap();
        let known =
            Known { mask: tensor([1.0, 0.0]), latent: tensor([3.0, 4.0]), noise: tensor([0.5, -1.0]) };
        let found = known.put_back(&tensor([5.0, 4.1])).unwrap();
        assert_eq!(found.flatten_all().unwrap().to_vec1::<f32>().unwrap(), [5.0, 4.0]);
    }
}
