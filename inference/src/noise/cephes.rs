//! The approximations of ln, sin and cos that torch's CPU generator uses.
//!
//! With AVX2 (and AVX-512) torch computes these in eight lanes with polynomials from the Cephes library
//! (`ATen/native/cpu/avx_mathfun.h`), whose last bit differs from other mathematical libraries. The same
//! polynomials with the same fused operations, one number at a time, give the same bits, and give them on
//! every processor: nothing here but f32 arithmetic, which IEEE 754 fixes.
//!
//! This is an altered version of that file; `NOTICE` has its copyright and its licence (zlib).

// The constants are written as in the source they come from.
#![expect(
    clippy::excessive_precision,
    clippy::unreadable_literal,
    reason = "copied constants stay comparable"
)]

/// ln(x) for a normal positive `x`.
pub fn ln(x: f32) -> f32 {
    const P: [f32; 9] = [
        7.0376836292E-2,
        -1.1514610310E-1,
        1.1676998740E-1,
        -1.2420140846E-1,
        1.4249322787E-1,
        -1.6668057665E-1,
        2.0000714765E-1,
        -2.4999993993E-1,
        3.3333331174E-1,
    ];
    const LN2_LOW: f32 = -2.12194440e-4;
    const LN2_HIGH: f32 = 0.693359375;

    // x = mantissa · 2^exponent with the mantissa in [√½, √2), less one.
    let bits = x.to_bits();
    let mut exponent = ((bits >> 23).wrapping_sub(0x7e)).cast_signed() as f32;
    let mut mantissa = f32::from_bits((bits & 0x007f_ffff) | 0.5f32.to_bits());
    if mantissa < std::f32::consts::FRAC_1_SQRT_2 {
        exponent -= 1.0;
        mantissa += mantissa - 1.0;
    } else {
        mantissa -= 1.0;
    }

    let square = mantissa * mantissa;
    let polynomial = P[1..].iter().fold(P[0], |sum, &p| sum.mul_add(mantissa, p)) * mantissa;
    let mut result = polynomial.mul_add(square, exponent * LN2_LOW);
    result = square.mul_add(-0.5, result);
    exponent.mul_add(LN2_HIGH, mantissa + result)
}

/// (sin x, cos x) for `x` in 0 ..= 8192.
pub fn sin_cos(x: f32) -> (f32, f32) {
    // π/4 in three parts, each exact when multiplied by a small integer.
    const QUARTER_PI: [f32; 3] = [0.78515625, 2.4187564849853515625e-4, 3.77489497744594108e-8];
    const FOUR_OVER_PI: f32 = 1.27323954473516;
    const SIN: [f32; 3] = [-1.9515295891E-4, 8.3321608736E-3, -1.6666654611E-1];
    const COS: [f32; 3] = [2.443315711809948E-005, -1.388731625493765E-003, 4.166664568298827E-002];

    // The nearest even octant, and what is left of x beyond it.
    let octant = ((x * FOUR_OVER_PI) as u32 + 1) & !1;
    let n = octant as f32;
    let rest = QUARTER_PI.iter().fold(x, |rest, &part| n.mul_add(-part, rest));

    let z = rest * rest;
    let cos = COS[0].mul_add(z, COS[1]).mul_add(z, COS[2]) * z;
    let cos = cos.mul_add(z, -(z * 0.5)) + 1.0;
    let sin = SIN[0].mul_add(z, SIN[1]).mul_add(z, SIN[2]) * z;
    let sin = sin.mul_add(rest, rest);

    // In every second quadrant sine and cosine change places; the signs follow the quadrant.
    let (sin, cos) = if octant & 2 == 0 { (sin, cos) } else { (cos, sin) };
    let sin_is_negative = octant & 4 != 0;
    let cos_is_negative = octant.wrapping_sub(2) & 4 == 0;
    (if sin_is_negative { -sin } else { sin }, if cos_is_negative { -cos } else { cos })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ln_is_near_the_true_logarithm() {
        for step in 1..=10_000u16 {
            let x = f32::from(step) / 10_000.0;
            let exact = f64::from(x).ln();
            assert!((f64::from(ln(x)) - exact).abs() <= 3e-7 * exact.abs().max(1e-3), "{x}");
        }
    }

    #[test]
    fn sine_and_cosine_are_near_the_true_ones_round_the_circle() {
        for step in 0..10_000u16 {
            let x = f32::from(step) * std::f32::consts::TAU / 10_000.0;
            let (sin, cos) = sin_cos(x);
            assert!((f64::from(sin) - f64::from(x).sin()).abs() < 2e-7, "{x}");
            assert!((f64::from(cos) - f64::from(x).cos()).abs() < 2e-7, "{x}");
        }
    }
}
