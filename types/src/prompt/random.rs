//! Random numbers that a seed names, the same on every machine and in every version.

/// `SplitMix64`: a counter, and a mixing function over it.
///
/// # Source
/// Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators", with the constants of its reference
/// implementation.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// Numbers for a seed. Those of another `stream` of the same seed are others.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut random = Self(seed);
        // Mixed once, so that the streams of seeds beside each other have nothing in common.
        Self(random.next() ^ stream.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below 1, in steps of 2⁻⁵³.
    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A whole number from 0 to below `n`; 0 if that is 0.
    pub(super) fn below(&mut self, n: usize) -> usize {
        ((self.fraction() * n as f64) as usize).min(n.saturating_sub(1))
    }

    /// An index into weights that are 0 or more, each as likely as it is heavy; any of them if all are 0.
    pub(super) fn weighted(&mut self, weights: &[f64]) -> usize {
        let sum: f64 = weights.iter().sum();
        if sum <= 0.0 || !sum.is_finite() {
            return self.below(weights.len());
        }
        let mut left = self.fraction() * sum;
        for (index, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return index;
            }
        }
        // Sums of fractions are not exact: what is left over belongs to the last that can be chosen.
        weights.iter().rposition(|weight| *weight > 0.0).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_reference_implementation() {
        let mut random = Random(1_234_567);
        let numbers = [random.next(), random.next(), random.next()];
        assert_eq!(
            numbers,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn every_index_comes_about_as_often_as_it_is_heavy() {
        let mut random = Random::new(7, 0);
        let mut counts = [0; 3];
        for _ in 0..9_000 {
            counts[random.weighted(&[1.0, 0.0, 2.0])] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!((2_800..3_200).contains(&counts[0]), "{counts:?}");
        let mut counts = [0; 4];
        for _ in 0..8_000 {
            counts[random.below(4)] += 1;
        }
        assert!(counts.iter().all(|count| (1_800..2_200).contains(count)), "{counts:?}");
    }

    #[test]
    fn streams_of_one_seed_differ_and_weights_of_nothing_still_choose() {
        let first = |stream| Random::new(7, stream).next();
        assert_ne!(first(0), first(1));
        assert!(Random::new(7, 0).weighted(&[0.0, 0.0]) < 2);
        assert_eq!(Random::new(7, 0).below(0), 0);
    }
}
