//! Seeded normal numbers, equal to torch's.
//!
//! A picture begins as noise, so the same picture on another machine needs the same noise.
//!
//! # Layout
//! * this file: [`NoiseGenerator`], which samplers and pipelines draw from
//! * [`TorchCpuGenerator`], [`TorchCudaGenerator`]: the two sources of numbers
//! * [`variation()`]: a noise between two others
//! * [`BrownianTree`]: noise that belongs together wherever one looks

mod brownian_tree;
mod cephes;
mod seed_sequence;
mod torch_cpu;
mod torch_cuda;
mod variation;

use candle_core::{Device, Shape, Tensor};
use types::noise::NoiseSource;

pub use self::brownian_tree::BrownianTree;
pub use self::torch_cpu::TorchCpuGenerator;
pub use self::torch_cuda::TorchCudaGenerator;
pub use self::variation::variation;
use crate::error::Result;

/// The noise of a picture, or of several that are made together: the start first, then whatever a sampler adds.
///
/// Successive draws go on where the last one ended, as with one `torch.Generator` for each picture in Python. A picture
/// has the noise that it would have alone.
#[derive(Debug, Clone)]
pub struct NoiseGenerator {
    source: NoiseSource,
    /// One for each picture.
    pictures: Vec<Numbers>,
    seeds: Vec<u64>,
}

#[derive(Debug, Clone)]
enum Numbers {
    // Boxed, as its state has 2.5 kB.
    Cpu(Box<TorchCpuGenerator>),
    Cuda(TorchCudaGenerator),
}

impl Numbers {
    fn new(source: NoiseSource, seed: u64) -> Self {
        match source {
            NoiseSource::Cpu => Self::Cpu(Box::new(TorchCpuGenerator::new(seed))),
            NoiseSource::Cuda => Self::Cuda(TorchCudaGenerator::new(seed)),
        }
    }

    fn randn(&mut self, shape: &[usize], device: &Device) -> Result<Tensor> {
        match self {
            Self::Cpu(generator) => generator.randn(shape, device),
            Self::Cuda(generator) => generator.randn(shape, device),
        }
    }
}

impl NoiseGenerator {
    /// A generator for one picture, at its start. Of `seed` only the lower 32 bits count with [`NoiseSource::Cpu`], as
    /// in torch.
    pub fn new(source: NoiseSource, seed: u64) -> Self {
        Self::batch(source, vec![seed])
    }

    /// A generator for as many pictures as there are seeds, each at its start.
    pub fn batch(source: NoiseSource, seeds: Vec<u64>) -> Self {
        let pictures = seeds.iter().map(|&seed| Numbers::new(source, seed)).collect();
        Self { source, pictures, seeds }
    }

    /// Independent numbers with mean 0 and standard deviation 1, as f32 in any shape; of several pictures, the shape's
    /// first side is their number.
    ///
    /// # Errors
    /// [`crate::Error::Candle`] if the device refuses the tensor.
    pub fn randn(&mut self, shape: impl Into<Shape>, device: &Device) -> Result<Tensor> {
        let shape = shape.into();
        let of_one = of_one(&shape, self.pictures.len())?;
        let drawn: Vec<Tensor> =
            self.pictures.iter_mut().map(|numbers| numbers.randn(&of_one, device)).collect::<Result<_>>()?;
        together(drawn)
    }

    /// Noise of its own for every stretch of noise levels from `sigma_min` to `sigma_max`, from the same source and
    /// seeds. What this generator drew before and will draw makes no difference to it.
    ///
    /// # Errors
    /// [`crate::Error::Candle`] if the device refuses the tensor.
    pub fn brownian_tree(
        &self,
        shape: impl Into<Shape>,
        device: &Device,
        sigma_min: f64,
        sigma_max: f64,
    ) -> Result<BrownianTree> {
        let of_one = of_one(&shape.into(), self.seeds.len())?;
        BrownianTree::new(self.source, &self.seeds, &of_one, device, (sigma_min, sigma_max))
    }
}

/// The shape of one picture's share in that of all.
fn of_one(shape: &Shape, n_pictures: usize) -> Result<Vec<usize>> {
    let sides = shape.dims();
    if n_pictures == 1 {
        return Ok(sides.to_vec());
    }
    match sides {
        [first, rest @ ..] if *first == n_pictures => Ok([&[1], rest].concat()),
        _ => {
            let sentence = format!("the noise of {n_pictures} pictures cannot have the shape {sides:?}");
            Err(candle_core::Error::Msg(sentence).into())
        }
    }
}

/// The shares of all pictures as one tensor.
fn together(mut shares: Vec<Tensor>) -> Result<Tensor> {
    if shares.len() == 1 {
        return Ok(shares.remove(0));
    }
    Ok(Tensor::cat(&shares, 0)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(x: &Tensor) -> Vec<f32> {
        x.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn every_picture_of_a_batch_has_the_noise_that_it_would_have_alone() {
        for source in [NoiseSource::Cpu, NoiseSource::Cuda] {
            let mut batch = NoiseGenerator::batch(source, vec![3, 9]);
            let together: Vec<Tensor> =
                (0..2).map(|_| batch.randn((2, 4, 3, 5), &Device::Cpu).unwrap()).collect();
            let tree = batch.brownian_tree((2, 4, 3, 5), &Device::Cpu, 0.1, 9.0).unwrap();
            for (i, seed) in [3, 9].into_iter().enumerate() {
                let mut alone = NoiseGenerator::new(source, seed);
                for drawn in &together {
                    let expected = alone.randn((1, 4, 3, 5), &Device::Cpu).unwrap();
                    assert_eq!(numbers(&drawn.get(i).unwrap()), numbers(&expected));
                }
                let expected = alone.brownian_tree((1, 4, 3, 5), &Device::Cpu, 0.1, 9.0).unwrap();
                let found = tree.noise(5.0, 2.0).unwrap().get(i).unwrap();
                assert_eq!(numbers(&found), numbers(&expected.noise(5.0, 2.0).unwrap()));
            }
        }
    }

    #[test]
    fn noise_for_another_number_of_pictures_is_refused() {
        let error =
            NoiseGenerator::batch(NoiseSource::Cpu, vec![1, 2]).randn((3, 4), &Device::Cpu).unwrap_err();
        assert_eq!(error.to_string(), "the noise of 2 pictures cannot have the shape [3, 4]");
    }
}
