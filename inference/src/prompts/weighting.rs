//! Weights on what the text encoder says.

use candle_core::{DType, Tensor};
use types::prompt::Weighting;

use crate::error::Result;

/// The heaviest weight that is applied, up or down: brackets in brackets in brackets soon leave what f32 holds.
const MAX_WEIGHT: f32 = 1e4;

/// Applies weights to the hidden states of one chunk.
///
/// * `states`: `(1, tokens, width)`.
/// * `weights`: one per token; beyond ±10,000 they count as that.
/// * `empty`: the states of a chunk without a word, in the same shape; only [`Weighting::Compel`] asks for it.
///
/// [`Weighting::A1111`] multiplies each token's state and then all of them by the ratio of their mean before to
/// their mean after, unless one of these is zero but for rounding. [`Weighting::Compel`] gives empty + weight · (state − empty), and where the weight is 1 the state
/// itself.
///
/// # Errors
/// Whatever `empty` returns; whatever candle says.
///
/// # Source
/// `EmphasisOriginal` in `modules/sd_emphasis.py` of AUTOMATIC1111/stable-diffusion-webui 1.10;
/// `ClipTokenWeightEncoder` in `comfy/sd1_clip.py` of comfyanonymous/ComfyUI, which is compel's way of stressing words, taken for
/// playing them down as well.
pub fn apply(
    weighting: Weighting,
    states: &Tensor,
    weights: &[f32],
    empty: impl FnOnce() -> Result<Tensor>,
) -> Result<Tensor> {
    let values: Vec<f32> = weights.iter().map(|weight| weight.clamp(-MAX_WEIGHT, MAX_WEIGHT)).collect();
    let factors =
        Tensor::from_vec(values, (1, weights.len(), 1), states.device())?.to_dtype(states.dtype())?;
    match weighting {
        Weighting::A1111 => {
            let weighted = states.broadcast_mul(&factors)?;
            let (before, after) = (Mean::of(states)?, Mean::of(&weighted)?);
            let is_noise = before.is_noise() || after.is_noise();
            Ok(if is_noise { weighted } else { (weighted * (before.mean / after.mean))? })
        }
        Weighting::Compel => {
            let empty = empty()?;
            let moved = ((states - &empty)?.broadcast_mul(&factors)? + empty)?;
            // Rounding would change the tokens that are to stay.
            let stays = factors.eq(1f32)?.broadcast_as(states.shape())?;
            Ok(stays.where_cond(states, &moved)?)
        }
    }
}

/// The mean of some numbers and of their sizes; in f64, because the first is small beside the second.
struct Mean {
    mean: f64,
    size: f64,
}

impl Mean {
    fn of(x: &Tensor) -> Result<Self> {
        let values: Vec<f32> = x.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        let mean = |value: fn(f64) -> f64| {
            values.iter().map(|&x| value(f64::from(x))).sum::<f64>() / values.len() as f64
        };
        Ok(Self { mean: mean(|x| x), size: mean(f64::abs) })
    }

    /// Whether the mean is what rounding left of zero, so that a ratio with it means nothing.
    fn is_noise(&self) -> bool {
        self.mean.abs() <= self.size * 1e-6
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    fn states(values: &[f32]) -> Tensor {
        Tensor::from_slice(values, (1, values.len() / 2, 2), &Device::Cpu).unwrap()
    }

    fn applied(weighting: Weighting, values: &[f32], weights: &[f32]) -> Vec<f32> {
        let empty = || Ok(states(&vec![1.0; values.len()]));
        let found = apply(weighting, &states(values), weights, empty).unwrap();
        found.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn the_mean_is_what_it_was_before_the_words_were_stressed() {
        // The mean is 2.5 before, and 3.375 between the two multiplications.
        let expected = [1.0, 2.0, 4.5, 6.0].map(|value: f32| value * 2.5 / 3.375);
        for (found, expected) in
            applied(Weighting::A1111, &[1.0, 2.0, 3.0, 4.0], &[1.0, 1.5]).iter().zip(expected)
        {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }

    #[test]
    fn states_whose_mean_vanishes_are_left_multiplied() {
        assert_eq!(applied(Weighting::A1111, &[1.0, 1.0, 1.0, 1.0], &[1.0, -1.0]), [1.0, 1.0, -1.0, -1.0]);
    }

    #[test]
    fn a_stressed_word_moves_away_from_the_empty_prompt_and_the_others_stay() {
        assert_eq!(
            applied(Weighting::Compel, &[0.1, 0.7, 3.0, 4.0, 3.0, 4.0], &[1.0, 2.0, 0.0]),
            [0.1, 0.7, 5.0, 7.0, 1.0, 1.0]
        );
    }

    #[test]
    fn no_weight_makes_numbers_that_are_none() {
        for weighting in Weighting::ALL {
            let found = applied(weighting, &[1.0, 2.0, 3.0, 4.0], &[1.0, f32::INFINITY]);
            assert!(found.iter().all(|value| value.is_finite()), "{found:?}");
        }
    }
}
