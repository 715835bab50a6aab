//! What the kernels' tests share.

use candle_core::{DType, Tensor};

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

/// Two tensors that differ by rounding alone.
pub(crate) fn assert_close(found: &Tensor, expected: &Tensor) {
    assert_eq!(found.dims(), expected.dims());
    let length = |x: &Tensor| {
        let squares = x.to_dtype(DType::F64).unwrap().sqr().unwrap();
        squares.sum_all().unwrap().to_scalar::<f64>().unwrap().sqrt()
    };
    let error = length(&(found - expected).unwrap()) / length(expected);
    assert!(error < 5e-6, "{:?}: {error:e}", found.dims());
}
