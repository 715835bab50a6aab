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

/// The noise of one picture: the start first, then whatever a sampler adds.
///
/// Successive draws go on where the last one ended, as with one `torch.Generator` in Python.
#[derive(Debug, Clone)]
pub struct NoiseGenerator {
    source: NoiseSource,
    seed: u64,
    numbers: Numbers,
}

#[derive(Debug, Clone)]
enum Numbers {
    // Boxed, as its state has 2.5 kB.
    Cpu(Box<TorchCpuGenerator>),
    Cuda(TorchCudaGenerator),
}

impl NoiseGenerator {
    /// A generator at its start. Of `seed` only the lower 32 bits count with [`NoiseSource::Cpu`], as in torch.
    pub fn new(source: NoiseSource, seed: u64) -> Self {
        let numbers = match source {
            NoiseSource::Cpu => Numbers::Cpu(Box::new(TorchCpuGenerator::new(seed))),
            NoiseSource::Cuda => Numbers::Cuda(TorchCudaGenerator::new(seed)),
        };
        Self { source, seed, numbers }
    }

    /// Independent numbers with mean 0 and standard deviation 1, as f32 in any shape.
    ///
    /// # Errors
    /// [`crate::Error::Candle`] if the device refuses the tensor.
    pub fn randn(&mut self, shape: impl Into<Shape>, device: &Device) -> Result<Tensor> {
        match &mut self.numbers {
            Numbers::Cpu(generator) => generator.randn(shape, device),
            Numbers::Cuda(generator) => generator.randn(shape, device),
        }
    }

    /// Noise of its own for every stretch of noise levels from `sigma_min` to `sigma_max`, from the same source and
    /// seed. What this generator drew before and will draw makes no difference to it.
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
        BrownianTree::new(self.source, self.seed, shape.into(), device, sigma_min, sigma_max)
    }
}
