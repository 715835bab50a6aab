//! What the kernels' tests share.

use candle_core::{DType, Tensor};

use super::packed::Form;
use super::tiles;

/// Numbers between −1 and 1 that look random and are the same every time.
pub(crate) fn numbers(n: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9).wrapping_add(1);
    (0..n)
        .map(|_| {
            // Marsaglia's xorshift.
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (f64::from(state) / f64::from(u32::MAX) * 2.0 - 1.0) as f32
        })
        .collect()
}

/// The ways of packing that this processor can use, and how far each may be from candle.
pub(crate) fn forms() -> Vec<(Form, f64)> {
    let mut forms = vec![(Form::Numbers, 5e-6)];
    if tiles::available() {
        forms.push((Form::Split, 1e-5));
    }
    forms
}

/// Two tensors that differ by rounding alone.
pub(crate) fn assert_close(found: &Tensor, expected: &Tensor) {
    assert_within(5e-6, found, expected);
}

/// Two tensors whose difference is at most a share `tolerance` of the second.
pub(crate) fn assert_within(tolerance: f64, found: &Tensor, expected: &Tensor) {
    assert_eq!(found.dims(), expected.dims());
    let length = |x: &Tensor| {
        let squares = x.to_dtype(DType::F64).unwrap().sqr().unwrap();
        squares.sum_all().unwrap().to_scalar::<f64>().unwrap().sqrt()
    };
    let error = length(&(found - expected).unwrap()) / length(expected);
    assert!(error < tolerance, "{:?}: {error:e}", found.dims());
}

#[test]
fn two_halves_of_a_number_add_up_to_it() {
    for value in numbers(1000, 1) {
        let (high, low) = tiles::split(value);
        let number = |half: u16| f32::from_bits(u32::from(half) << 16);
        assert!((number(high) + number(low) - value).abs() <= value.abs() / 131_072.0, "{value}");
    }
    // Numbers with 11 bits, as in f16 files, lose nothing.
    let (high, low) = tiles::split(half::f16::from_f32(0.123_456).to_f32());
    let number = |half: u16| f32::from_bits(u32::from(half) << 16);
    assert_eq!((number(high) + number(low)).to_bits(), half::f16::from_f32(0.123_456).to_f32().to_bits());
}
