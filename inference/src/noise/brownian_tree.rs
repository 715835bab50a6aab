//! Brownian motion over noise levels.

use candle_core::{Device, Tensor};
use types::noise::NoiseSource;

use super::{NoiseGenerator, seed_sequence, together};
use crate::error::Result;

/// A Brownian motion whose time is the noise level: what is drawn for two stretches that overlap agrees where they do.
///
/// Solvers of stochastic equations that look ahead within a step need that, and with it more steps refine a picture
/// rather than change it. The motion is fixed by its seed and range alone, whatever is asked first. It is made by
/// halving the range down to a millionth, each middle drawn from a seed that belongs to its place.
///
/// Each question draws some 50 tensors on the CPU, which is little beside one call of a full-size network.
///
/// # Source
/// `BrownianTree` of torchsde 0.2.6 (Li et al. 2020, arXiv:2001.01328) by way of `BrownianTreeNoiseSampler`, which
/// k-diffusion, ComfyUI, the AUTOMATIC1111 web UI and diffusers have alike. Checked against it
/// (`tests/reference/brownian.json`).
#[derive(Debug, Clone)]
pub struct BrownianTree {
    /// One for each picture.
    motions: Vec<Motion>,
    device: Device,
}

/// The motion of one picture.
#[derive(Debug, Clone)]
struct Motion {
    source: NoiseSource,
    seed: u64,
    shape: Vec<usize>,
    /// The range, unrounded.
    range: (f64, f64),
    /// The motion from the lowest level to the highest.
    whole: Vec<f32>,
}

/// A stretch of the range.
struct Stretch {
    start: f64,
    end: f64,
    /// Its number among those of its depth, from the left.
    key: u64,
    depth: u64,
    /// How far the motion gets in it.
    increment: Vec<f32>,
}

impl BrownianTree {
    /// * `shape`: of the noise of one picture, of as many as there are seeds.
    /// * `range`: the lowest and the highest level.
    pub(super) fn new(
        source: NoiseSource,
        seeds: &[u64],
        shape: &[usize],
        device: &Device,
        range: (f64, f64),
    ) -> Result<Self> {
        let motions =
            seeds.iter().map(|&seed| Motion::new(source, seed, shape, range)).collect::<Result<_>>()?;
        Ok(Self { motions, device: device.clone() })
    }

    /// Standard normal noise for the stretch between two levels, above zero; beyond the range the motion stands still.
    ///
    /// # Errors
    /// [`crate::Error::Candle`] if the device refuses the tensor.
    pub fn noise(&self, sigma: f64, sigma_next: f64) -> Result<Tensor> {
        let of_one = |motion: &Motion| {
            let values = motion.noise(sigma, sigma_next)?;
            Ok(Tensor::from_vec(values, motion.shape.as_slice(), &self.device)?)
        };
        together(self.motions.iter().map(of_one).collect::<Result<_>>()?)
    }
}

impl Motion {
    fn new(source: NoiseSource, seed: u64, shape: &[usize], (lowest, highest): (f64, f64)) -> Result<Self> {
        // The levels are f32 in torch.
        let range = (f64::from(lowest as f32), f64::from(highest as f32));
        let mut motion = Self { source, seed, shape: shape.to_vec(), range, whole: Vec::new() };
        let deviation = (range.1 - range.0).sqrt() as f32;
        motion.whole = motion.draw(&[])?.iter().map(|x| x * deviation).collect();
        Ok(motion)
    }

    fn noise(&self, sigma: f64, sigma_next: f64) -> Result<Vec<f32>> {
        let (sigma, sigma_next) = (sigma as f32, sigma_next as f32);
        let (from, to) = (sigma.min(sigma_next), sigma.max(sigma_next));
        let within = |level: f32| rounded(f64::from(level).clamp(self.range.0, self.range.1));
        let mut sum = vec![0.0; self.whole.len()];
        let (start, end) = (rounded(self.range.0), rounded(self.range.1));
        if within(from) < within(to) {
            let top = Stretch { start, end, key: 0, depth: 0, increment: self.whole.clone() };
            self.add(top, within(from), within(to), &mut sum)?;
        }
        // Falling levels walk the motion backwards.
        let scale = (to - from).sqrt() * if sigma > sigma_next { -1.0 } else { 1.0 };
        Ok(sum.iter().map(|x| x / scale).collect())
    }

    /// Adds the motion from `from` to `to`, both within the stretch.
    fn add(&self, stretch: Stretch, from: f64, to: f64, sum: &mut [f32]) -> Result<()> {
        if from <= stretch.start && to >= stretch.end {
            for (sum, increment) in sum.iter_mut().zip(&stretch.increment) {
                *sum += increment;
            }
            return Ok(());
        }
        let (left, right) = self.halve(stretch)?;
        let middle = left.end;
        if from < middle {
            self.add(left, from, to.min(middle), sum)?;
        }
        if to > middle {
            self.add(right, from.max(middle), to, sum)?;
        }
        Ok(())
    }

    /// The middle of a motion whose ends are known is normal about the straight line between them.
    fn halve(&self, stretch: Stretch) -> Result<(Stretch, Stretch)> {
        let Stretch { start, end, key, depth, increment } = stretch;
        let middle = rounded(0.5 * (end + start));
        let inverse_length = 1.0 / (end - start);
        let (left_length, right_length) = (middle - start, end - middle);
        let deviation = (left_length * right_length * inverse_length).sqrt() as f32;
        let (left_length, inverse_length) = (left_length as f32, inverse_length as f32);
        let left: Vec<f32> = increment
            .iter()
            .zip(self.draw(&[key, depth])?)
            .map(|(whole, noise)| left_length * whole * inverse_length + deviation * noise)
            .collect();
        let right = increment.iter().zip(&left).map(|(whole, left)| whole - left).collect();
        let (key, depth) = (2 * key, depth + 1);
        Ok((
            Stretch { start, end: middle, key, depth, increment: left },
            Stretch { start: middle, end, key: key + 1, depth, increment: right },
        ))
    }

    /// Standard normal numbers that belong to a place in the tree.
    fn draw(&self, place: &[u64]) -> Result<Vec<f32>> {
        let seed = u64::from(seed_sequence::seed(self.seed, place));
        let noise = NoiseGenerator::new(self.source, seed).randn(self.shape.as_slice(), &Device::Cpu)?;
        Ok(noise.flatten_all()?.to_vec1()?)
    }
}

/// To six decimal places, as Python rounds.
fn rounded(level: f64) -> f64 {
    format!("{level:.6}").parse().unwrap_or(level)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> BrownianTree {
        let noise = NoiseGenerator::new(NoiseSource::Cpu, 3);
        noise.brownian_tree((1, 4, 4, 4), &Device::Cpu, 0.03, 14.6).unwrap()
    }

    fn numbers(x: &Tensor) -> Vec<f32> {
        x.flatten_all().unwrap().to_vec1().unwrap()
    }

    /// The motion itself, not scaled to deviation 1.
    fn increment(tree: &BrownianTree, from: f64, to: f64) -> Vec<f32> {
        let length = ((from - to).abs() as f32).sqrt();
        numbers(&tree.noise(from, to).unwrap()).iter().map(|x| x * length).collect()
    }

    #[test]
    fn two_stretches_together_move_as_far_as_the_whole() {
        let tree = tree();
        let (first, second) = (increment(&tree, 10.0, 4.5), increment(&tree, 4.5, 0.8));
        for ((whole, first), second) in increment(&tree, 10.0, 0.8).iter().zip(first).zip(second) {
            assert!((whole - first - second).abs() < 1e-4, "{whole} {first} {second}");
        }
    }

    #[test]
    fn the_noise_of_a_stretch_has_mean_0_and_deviation_1() {
        let noise = NoiseGenerator::new(NoiseSource::Cpu, 5);
        let tree = noise.brownian_tree((1, 4, 64, 64), &Device::Cpu, 0.03, 14.6).unwrap();
        let values = numbers(&tree.noise(7.0, 6.2).unwrap());
        let n = values.len() as f32;
        let mean = values.iter().sum::<f32>() / n;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / n;
        assert!(mean.abs() < 0.03, "{mean}");
        assert!((variance - 1.0).abs() < 0.05, "{variance}");
    }

    #[test]
    fn backwards_is_the_opposite_and_asking_again_gives_the_same() {
        let tree = tree();
        let down = increment(&tree, 3.0, 1.0);
        assert_eq!(down, increment(&tree, 3.0, 1.0));
        assert_eq!(down, increment(&tree, 1.0, 3.0).iter().map(|x| -x).collect::<Vec<_>>());
    }
}
