//! torch's generator for CPUs.
//!
//! `torch.randn(shape, generator=torch.Generator("cpu").manual_seed(seed))`, bit for bit as torch gives it on x86
//! processors with AVX2 (what nearly every reference picture was made on). No system library takes part, so the
//! numbers are the same on every machine and stay so.

use candle_core::{Device, Shape, Tensor};

use super::cephes;
use crate::error::Result;

/// torch's CPU random generator: Mersenne Twister, then Box-Muller.
///
/// Successive draws go on where the last one ended, as with one `torch.Generator` in Python.
///
/// # Source
/// Matsumoto and Nishimura 1998 (MT19937); `ATen/native/cpu/DistributionTemplates.h` for the order in
/// which torch spends the numbers. Checked against torch bit for bit (`tests/reference/noise.json`).
#[derive(Debug, Clone)]
pub struct TorchCpuGenerator {
    engine: MersenneTwister,
    /// Box-Muller makes numbers in pairs; the second of a pair drawn alone waits here for the next.
    spare: Option<f64>,
}

impl TorchCpuGenerator {
    /// A generator at its start. As in torch only the lower 32 bits of `seed` count.
    pub fn new(seed: u64) -> Self {
        Self { engine: MersenneTwister::new(seed as u32), spare: None }
    }

    /// Independent numbers with mean 0 and standard deviation 1, as f32 in any shape.
    ///
    /// Fewer than 16 numbers come from another formula than 16 and more, as in torch: the first numbers
    /// of a small tensor are not those of a large one.
    ///
    /// # Errors
    /// [`crate::Error::Candle`] if the device refuses the tensor.
    pub fn randn(&mut self, shape: impl Into<Shape>, device: &Device) -> Result<Tensor> {
        let shape = shape.into();
        let n_elements = shape.elem_count();
        let values = if n_elements < BLOCK {
            (0..n_elements).map(|_| self.next_normal() as f32).collect()
        } else {
            self.normal_blocks(n_elements)
        };
        Ok(Tensor::from_vec(values, shape, device)?)
    }

    /// All uniform numbers first, then Box-Muller in blocks of 16.
    fn normal_blocks(&mut self, n_elements: usize) -> Vec<f32> {
        let mut values: Vec<f32> = (0..n_elements).map(|_| self.engine.next_uniform_f32()).collect();
        for block in values.as_chunks_mut().0 {
            box_muller(block);
        }
        // What does not fill a block is drawn anew together with the end of the last block.
        if !n_elements.is_multiple_of(BLOCK)
            && let Some(tail) = values.last_chunk_mut()
        {
            tail.fill_with(|| self.engine.next_uniform_f32());
            box_muller(tail);
        }
        values
    }

    /// One number in double precision.
    fn next_normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let angle = std::f64::consts::TAU * self.engine.next_uniform_f64();
        let radius = (-2.0 * (-self.engine.next_uniform_f64()).ln_1p()).sqrt();
        self.spare = Some(radius * angle.sin());
        radius * angle.cos()
    }
}

/// How many numbers torch transforms at once.
const BLOCK: usize = 16;

/// Turns 16 numbers uniform in [0, 1) into normal ones: the first half gives radii, the second angles.
fn box_muller(block: &mut [f32; BLOCK]) {
    let (first, second) = block.split_at_mut(BLOCK / 2);
    for (radius, angle) in first.iter_mut().zip(second) {
        // 1 - u lies in (0, 1], where the logarithm is finite.
        let r = (-2.0 * cephes::ln(1.0 - *radius)).sqrt();
        let (sin, cos) = cephes::sin_cos(std::f32::consts::TAU * *angle);
        *radius = r * cos;
        *angle = r * sin;
    }
}

/// MT19937 with 32-bit seeds.
#[derive(Debug, Clone)]
struct MersenneTwister {
    state: [u32; Self::N],
    next: usize,
}

impl MersenneTwister {
    const N: usize = 624;
    const M: usize = 397;

    fn new(seed: u32) -> Self {
        let mut state = [seed; Self::N];
        for j in 1..Self::N {
            let previous = state[j - 1];
            state[j] = 1_812_433_253_u32.wrapping_mul(previous ^ (previous >> 30)).wrapping_add(j as u32);
        }
        Self { state, next: Self::N }
    }

    fn next_u32(&mut self) -> u32 {
        if self.next == Self::N {
            self.twist();
        }
        let mut y = self.state[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    fn twist(&mut self) {
        for k in 0..Self::N {
            let y = (self.state[k] & 0x8000_0000) | (self.state[(k + 1) % Self::N] & 0x7fff_ffff);
            let odd = if y & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[k] = self.state[(k + Self::M) % Self::N] ^ (y >> 1) ^ odd;
        }
        self.next = 0;
    }

    /// Uniform in [0, 1): the lower 24 bits of one draw.
    fn next_uniform_f32(&mut self) -> f32 {
        (self.next_u32() & 0x00ff_ffff) as f32 / 16_777_216.0
    }

    /// Uniform in [0, 1): the lower 53 bits of two draws, the first one above.
    fn next_uniform_f64(&mut self) -> f64 {
        let high = u64::from(self.next_u32());
        let low = u64::from(self.next_u32());
        (((high << 32) | low) & ((1 << 53) - 1)) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(generator: &mut TorchCpuGenerator, n: usize) -> Vec<f32> {
        generator.randn(n, &Device::Cpu).unwrap().to_vec1().unwrap()
    }

    /// These values are a promise to everyone who wrote a seed down: never change them.
    #[test]
    fn the_same_seed_gives_the_same_noise_for_ever() {
        let noise = draw(&mut TorchCpuGenerator::new(7), 1024);
        assert_eq!(noise[..4].iter().map(|x| x.to_bits()).collect::<Vec<_>>(), FIRST_FOUR_OF_SEED_7);
        assert_eq!(checksum(&noise), CHECKSUM_OF_SEED_7);
    }

    const FIRST_FOUR_OF_SEED_7: [u32; 4] = [0xbf51_f456, 0x3eca_902b, 0x3f66_1ede, 0xbfb1_b738];
    const CHECKSUM_OF_SEED_7: u64 = 0xd661_957b_e81d_4a00;

    /// FNV-1a over the numbers' bits.
    fn checksum(values: &[f32]) -> u64 {
        values
            .iter()
            .flat_map(|value| value.to_bits().to_le_bytes())
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }

    #[test]
    fn small_draws_keep_the_second_number_of_a_pair_for_the_next_draw() {
        let together = draw(&mut TorchCpuGenerator::new(3), 4);
        let mut generator = TorchCpuGenerator::new(3);
        let apart: Vec<f32> = (0..4).flat_map(|_| draw(&mut generator, 1)).collect();
        assert_eq!(apart, together);
    }

    #[test]
    fn noise_has_mean_0_and_deviation_1() {
        let noise = draw(&mut TorchCpuGenerator::new(11), 1 << 16);
        let n = noise.len() as f64;
        let mean = noise.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
        let variance = noise.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n;
        assert!(mean.abs() < 0.01, "{mean}");
        assert!((variance - 1.0).abs() < 0.02, "{variance}");
    }

    #[test]
    fn no_draw_is_infinite_even_where_the_uniform_number_is_0() {
        let mut block = [0.0; BLOCK];
        box_muller(&mut block);
        assert!(block.iter().all(|x| *x == 0.0), "{block:?}");
    }
}
