//! torch's generator for CUDA devices, computed without one.

use candle_core::{Device, Shape, Tensor};

use crate::error::Result;

/// torch's CUDA random generator: Philox 4x32-10, then Box-Muller.
///
/// On a card every number has a thread of its own, which runs Philox on (draw, number) and keeps the first of four
/// results. Cards with few threads reuse them for very large tensors (from about 100,000 numbers on, a latent of
/// 1280x1280 pixels); what they draw there differs from card to card, and is not imitated.
///
/// # Source
/// Salmon et al. 2011 (Philox); `ATen/native/cuda/DistributionTemplates.h` for how torch spends the numbers. Equal to
/// `modules/rng_philox.py` of the AUTOMATIC1111 web UI, which computes in double precision as well; a card rounds the
/// last bit or two another way.
#[derive(Debug, Clone)]
pub struct TorchCudaGenerator {
    key: [u32; 2],
    /// How many tensors were drawn.
    n_draws: u32,
}

impl TorchCudaGenerator {
    /// A generator at its start. All 64 bits of `seed` count.
    pub fn new(seed: u64) -> Self {
        Self { key: [seed as u32, (seed >> 32) as u32], n_draws: 0 }
    }

    /// Independent numbers with mean 0 and standard deviation 1, as f32 in any shape.
    ///
    /// # Errors
    /// [`crate::Error::Candle`] if the device refuses the tensor.
    pub fn randn(&mut self, shape: impl Into<Shape>, device: &Device) -> Result<Tensor> {
        let shape = shape.into();
        let values = (0..shape.elem_count())
            .map(|index| {
                let [x, y, ..] = philox([self.n_draws, 0, index as u32, 0], self.key);
                box_muller(x, y)
            })
            .collect();
        self.n_draws = self.n_draws.wrapping_add(1);
        Ok(Tensor::from_vec::<_, f32>(values, shape, device)?)
    }
}

/// Ten rounds of Philox 4x32.
fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
    // The golden ratio and √3 - 1, as fractions of 2^32.
    const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
    for _ in 0..10 {
        let (low_0, high_0) = product(counter[0], MULTIPLIERS[0]);
        let (low_1, high_1) = product(counter[2], MULTIPLIERS[1]);
        counter = [high_1 ^ counter[1] ^ key[0], low_1, high_0 ^ counter[3] ^ key[1], low_0];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counter
}

/// Lower and upper half of a product.
fn product(a: u32, b: u32) -> (u32, u32) {
    let product = u64::from(a) * u64::from(b);
    (product as u32, (product >> 32) as u32)
}

/// The first of the two normal numbers that Box-Muller makes of two random words.
fn box_muller(x: u32, y: u32) -> f32 {
    const TO_UNIT: f64 = 1.0 / 4_294_967_296.0;
    // curand multiplies by this f32, which is not quite 2π / 2^32.
    let to_angle = f64::from(2.328_306_4e-10_f32 * std::f32::consts::TAU);
    let u = f64::from(x) * TO_UNIT + TO_UNIT / 2.0;
    let v = f64::from(y) * to_angle + to_angle / 2.0;
    ((-2.0 * u.ln()).sqrt() * v.sin()) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The twelve numbers that the head of `rng_philox.py` shows for seed 0. What that file computes lies up to 2.7e-7
    /// beside them, as f32 knows 2π no better; so do these.
    #[test]
    fn seed_0_gives_the_published_numbers() {
        let published = [
            -0.924_662_59,
            -0.425_344_15,
            -2.643_845_7,
            0.145_183_88,
            -0.120_866_47,
            -0.579_725_64,
            -0.622_851_22,
            -0.328_387_09,
            -1.074_542_31,
            -0.363_144_07,
            -1.671_050_67,
            2.265_504_97,
        ];
        let noise = TorchCudaGenerator::new(0).randn((3, 4), &Device::Cpu).unwrap();
        let found: Vec<f32> = noise.flatten_all().unwrap().to_vec1().unwrap();
        for (found, published) in found.iter().zip(published) {
            assert!((f64::from(*found) - published).abs() < 3e-7, "{found} {published}");
        }
    }

    /// Known answer of the paper's authors (Random123, `kat_vectors`): all bits set.
    #[test]
    fn philox_gives_the_known_answer() {
        assert_eq!(
            philox([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
    }

    #[test]
    fn successive_draws_differ_and_begin_alike_in_every_size() {
        let mut generator = TorchCudaGenerator::new(7);
        let mut draw = |n: usize| generator.randn(n, &Device::Cpu).unwrap().to_vec1::<f32>().unwrap();
        let (first, second) = (draw(5), draw(5));
        assert_ne!(first, second);
        let large: Vec<f32> = TorchCudaGenerator::new(7).randn(100, &Device::Cpu).unwrap().to_vec1().unwrap();
        assert_eq!(large[..5], first);
    }

    #[test]
    fn all_64_bits_of_a_seed_count() {
        let draw =
            |seed| TorchCudaGenerator::new(seed).randn(4, &Device::Cpu).unwrap().to_vec1::<f32>().unwrap();
        assert_ne!(draw(1), draw(1 + (1 << 32)));
    }
}
