//! Quantiles of the beta distribution with both parameters 0.6.

/// Both parameters.
const SHAPE: f64 = 0.6;

/// Where the distribution function reaches `probability`, 0 to 1, to about 1e-15.
///
/// # Source
/// Checked against `scipy.stats.beta.ppf` by way of the beta schedule (`tests/reference/schedule.json`).
pub fn quantile(probability: f64) -> f64 {
    // The distribution is its own mirror image, and near 0 a number has more digits than near 1.
    if probability > 0.5 {
        return 1.0 - quantile(1.0 - probability);
    }
    let (mut low, mut high) = (0.0, 0.5);
    for _ in 0..64 {
        let middle = 0.5 * (low + high);
        if distribution(middle) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// The regularised incomplete beta function at `x`, 0 to 0.5, by its power series:
/// `x^a / (a B) · (1 + Σ a (1-a)(2-a)…(n-a) / (n! (a+n)) x^n)`, with both parameters `a`.
fn distribution(x: f64) -> f64 {
    let mut coefficient = 1.0;
    let mut sum = 1.0;
    for n in 1..200 {
        let n = f64::from(n);
        coefficient *= (n - SHAPE) / n * x;
        let term = coefficient * SHAPE / (SHAPE + n);
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    x.powf(SHAPE) / (SHAPE * BETA_FUNCTION) * sum
}

/// B(0.6, 0.6) = Γ(0.6)² / Γ(1.2).
const BETA_FUNCTION: f64 = 2.415_344_208_002_472;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_and_the_middle_are_where_they_have_to_be() {
        for (probability, expected) in [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)] {
            assert!((quantile(probability) - expected).abs() < 1e-12, "{probability}");
        }
    }

    #[test]
    fn quantiles_are_those_of_scipy() {
        for (probability, expected) in [
            (0.001, 1.855_873_851_745_199_e-0_5),
            (0.1, 0.039_584_405_588_780_85),
            (0.3, 0.234_017_003_875_235_7),
            (0.75, 0.824_319_621_347_305),
            (0.999, 0.999_981_441_261_482_6),
        ] {
            assert!(
                (quantile(probability) - expected).abs() < 1e-12,
                "{probability}: {}",
                quantile(probability)
            );
        }
    }
}
