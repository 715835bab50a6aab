//! How far two results are apart.

use candle_core::{DType, Tensor};

/// The most that one part may differ, as a share of the reference's size.
pub const PART_TOLERANCE: f64 = 1e-4;

/// The least peak signal-to-noise ratio of a whole picture, in decibels.
pub const PICTURE_PSNR: f64 = 50.0;

/// Length of the difference over length of the reference.
pub fn relative_error(found: &Tensor, expected: &Tensor) -> f64 {
    assert_eq!(found.dims(), expected.dims());
    let length = |x: &Tensor| {
        let squares = x.to_dtype(DType::F64).unwrap().sqr().unwrap();
        squares.sum_all().unwrap().to_scalar::<f64>().unwrap().sqrt()
    };
    length(&(found - expected).unwrap()) / length(expected)
}

/// Peak signal-to-noise ratio of two pictures, in decibels; infinite if they are equal.
pub fn psnr(found: &[u8], expected: &[u8]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let squares: f64 = found.iter().zip(expected).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum();
    10.0 * (255.0f64.powi(2) / (squares / found.len() as f64)).log10()
}
