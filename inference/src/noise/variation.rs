//! A noise between two others.

use candle_core::Tensor;

use crate::error::{Error, Result};

/// Goes from one noise some of the way to another, along the arc between them: all of it still looks like noise.
///
/// * `noise`, `other`: `(batch, channels, height, width)`, f32, both drawn afresh from their seeds.
/// * `strength`: 0 gives `noise`, 1 gives `other`.
///
/// Returns a tensor shaped like `noise`, on its device.
///
/// # Errors
/// [`Error::Candle`] if the two differ in shape or have not four dimensions.
///
/// # Source
/// `slerp` in `modules/rng.py` of the AUTOMATIC1111 web UI, which takes each column of each channel for a vector of its
/// own. Checked against its numbers (`tests/reference/variation.json`).
pub fn variation(noise: &Tensor, other: &Tensor, strength: f64) -> Result<Tensor> {
    let (_, _, height, width) = noise.dims4()?;
    if noise.dims() != other.dims() {
        return Err(Error::Candle(candle_core::Error::ShapeMismatchBinaryOp {
            lhs: noise.shape().clone(),
            rhs: other.shape().clone(),
            op: "variation",
        }));
    }
    let low: Vec<f32> = noise.flatten_all()?.to_vec1()?;
    let high: Vec<f32> = other.flatten_all()?.to_vec1()?;
    // Where each column begins; its numbers lie `width` apart.
    let columns: Vec<usize> = (0..low.len() / (height * width).max(1))
        .flat_map(|plane| (0..width).map(move |column| plane * height * width + column))
        .collect();
    let dots: Vec<f64> = columns
        .iter()
        .map(|&begin| {
            let rows = (0..height).map(|row| begin + row * width);
            let sum = |f: &dyn Fn(usize) -> f32| rows.clone().map(|i| f64::from(f(i))).sum::<f64>();
            let (low_square, high_square) = (sum(&|i| low[i] * low[i]), sum(&|i| high[i] * high[i]));
            sum(&|i| low[i] * high[i]) / (low_square * high_square).sqrt()
        })
        .collect();
    // Nearly one and the same: the arc is a point, and the web UI's straight line gives it.
    if dots.iter().sum::<f64>() / dots.len() as f64 > 0.9995 {
        return Ok(((noise * strength)? + (other * (1.0 - strength))?)?);
    }
    let mut values = low;
    for (&begin, &dot) in columns.iter().zip(&dots) {
        let angle = dot.acos();
        let share = |part: f64| ((part * angle).sin() / angle.sin()) as f32;
        let (of_low, of_high) = (share(1.0 - strength), share(strength));
        for row in 0..height {
            let i = begin + row * width;
            values[i] = of_low * values[i] + of_high * high[i];
        }
    }
    Ok(Tensor::from_vec(values, noise.shape(), noise.device())?)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use types::noise::NoiseSource;

    use super::*;
    use crate::noise::NoiseGenerator;

    fn draw(seed: u64) -> Tensor {
        NoiseGenerator::new(NoiseSource::Cpu, seed).randn((1, 4, 16, 16), &Device::Cpu).unwrap()
    }

    fn numbers(x: &Tensor) -> Vec<f32> {
        x.flatten_all().unwrap().to_vec1().unwrap()
    }

    fn distance(a: &Tensor, b: &Tensor) -> f32 {
        numbers(a).iter().zip(numbers(b)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn strength_0_is_the_noise_and_strength_1_the_other() {
        let (noise, other) = (draw(1), draw(2));
        assert!(distance(&variation(&noise, &other, 0.0).unwrap(), &noise) < 1e-6);
        assert!(distance(&variation(&noise, &other, 1.0).unwrap(), &other) < 1e-6);
    }

    #[test]
    fn the_way_between_is_noise_of_deviation_1() {
        let halfway = numbers(&variation(&draw(1), &draw(2), 0.5).unwrap());
        let variance = halfway.iter().map(|x| x * x).sum::<f32>() / halfway.len() as f32;
        assert!((variance - 1.0).abs() < 0.1, "{variance}");
    }

    #[test]
    fn a_noise_varied_with_itself_stays() {
        let noise = draw(1);
        assert!(distance(&variation(&noise, &noise, 0.3).unwrap(), &noise) < 1e-6);
    }

    #[test]
    fn noises_of_two_shapes_are_refused() {
        let small = NoiseGenerator::new(NoiseSource::Cpu, 1).randn((1, 4, 8, 16), &Device::Cpu).unwrap();
        assert!(variation(&draw(1), &small, 0.5).is_err());
    }
}
