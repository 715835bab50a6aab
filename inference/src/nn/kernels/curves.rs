//! Activations, several numbers at a time.

use rayon::prelude::*;

use super::lanes::{Lanes, for_each_level, multiply_add};
use crate::nn::activation::Activation;

/// Numbers that one task works off.
const TASK: usize = 1 << 14;

/// e^x, to 2 units in the last place for x between −87 and 88; beyond it stays at the ends of that range.
///
/// x = n ln 2 + r with |r| ≤ ln 2 / 2; e^r is a polynomial, and 2^n is made from bits.
#[inline(always)]
pub fn exp<L: Lanes>(x: f32) -> f32 {
    // ln 2 in two parts, of which the first is short enough that n times it is exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    // Adding this number leaves no room for a fraction: n is then in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let rounded = multiply_add::<L>(x, std::f32::consts::LOG2_E, ROUND);
    let n = rounded - ROUND;
    let r = multiply_add::<L>(n, -LN_2_LOW, multiply_add::<L>(n, -LN_2_HIGH, x));
    // Cephes' coefficients for e^r on that interval.
    let mut y = 1.987_569_2e-4;
    for coefficient in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        y = multiply_add::<L>(y, r, coefficient);
    }
    let y = multiply_add::<L>(y, r * r, r) + 1.0;
    y * f32::from_bits(rounded.to_bits().wrapping_add(127) << 23)
}

/// 1 / (1 + e^−x).
#[inline(always)]
pub fn sigmoid<L: Lanes>(x: f32) -> f32 {
    1.0 / (1.0 + exp::<L>(-x))
}

/// x Φ(x), with the error function of Abramowitz and Stegun 7.1.26, whose error is below 1.5e-7.
#[inline(always)]
pub fn gelu<L: Lanes>(x: f32) -> f32 {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / multiply_add::<L>(0.327_591_1, z, 1.0);
    let mut y = 1.061_405_4;
    for coefficient in [-1.453_152, 1.421_413_7, -0.284_496_72, 0.254_829_6] {
        y = multiply_add::<L>(y, t, coefficient);
    }
    // The part of the distribution beyond |x|.
    let tail = 0.5 * y * t * exp::<L>(-z * z);
    x.max(0.0) - x.abs() * tail
}

/// Applies an activation to every number.
pub fn apply(activation: Activation, values: &mut [f32]) {
    values.par_chunks_mut(TASK).for_each(|values| match activation {
        Activation::Identity => {}
        Activation::Silu => silu(values),
        Activation::Gelu => gelu_all(values),
        Activation::QuickGelu => quick_gelu(values),
    });
}

/// values · gelu(gates) for rows of `2 * width` numbers, values first; into rows of `width`.
pub fn gated(rows: &[f32], width: usize, out: &mut [f32]) {
    let n_rows = TASK.div_ceil(width.max(1));
    out.par_chunks_mut(n_rows * width).zip(rows.par_chunks(n_rows * 2 * width)).for_each(|(out, rows)| {
        gated_rows(rows, width, out);
    });
}

for_each_level! {
    /// x · sigmoid(x)
    pub(super) fn silu(values: &mut [f32]) = silu_with;
}
for_each_level! {
    fn gelu_all(values: &mut [f32]) = gelu_with;
}
for_each_level! {
    fn quick_gelu(values: &mut [f32]) = quick_gelu_with;
}
for_each_level! {
    fn gated_rows(rows: &[f32], width: usize, out: &mut [f32]) = gated_with;
}

#[inline(always)]
unsafe fn silu_with<L: Lanes>(values: &mut [f32]) {
    for value in values {
        *value *= sigmoid::<L>(*value);
    }
}

#[inline(always)]
unsafe fn gelu_with<L: Lanes>(values: &mut [f32]) {
    for value in values {
        *value = gelu::<L>(*value);
    }
}

#[inline(always)]
unsafe fn quick_gelu_with<L: Lanes>(values: &mut [f32]) {
    for value in values {
        *value *= sigmoid::<L>(1.702 * *value);
    }
}

#[inline(always)]
unsafe fn gated_with<L: Lanes>(rows: &[f32], width: usize, out: &mut [f32]) {
    for (row, out) in rows.chunks_exact(2 * width).zip(out.chunks_exact_mut(width)) {
        let (values, gates) = row.split_at(width);
        for ((out, &value), &gate) in out.iter_mut().zip(values).zip(gates) {
            *out = value * gelu::<L>(gate);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::lanes::Plain;
    use super::*;

    #[test]
    fn the_exponential_is_right_to_a_few_units_in_the_last_place() {
        for i in -8700..8800 {
            let x = i as f32 / 100.0 + 0.003;
            let relative = f64::from(exp::<Plain>(x)) / f64::from(x).exp() - 1.0;
            assert!(relative.abs() < 3e-7, "{x}: {relative:e}");
        }
        assert!(exp::<Plain>(f32::NEG_INFINITY) < 1e-37);
    }

    #[test]
    fn activations_are_candles() {
        let device = &candle_core::Device::Cpu;
        let values: Vec<f32> = (-2000..2000).map(|i| i as f32 / 100.0).collect();
        let tensor = candle_core::Tensor::new(values.as_slice(), device).unwrap();
        for activation in [Activation::Identity, Activation::Silu, Activation::Gelu, Activation::QuickGelu] {
            let mut found = values.clone();
            apply(activation, &mut found);
            let expected: Vec<f32> = activation.plain(&tensor).unwrap().to_vec1().unwrap();
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-6, "{activation:?}: {found} {expected}");
            }
        }
    }
}
