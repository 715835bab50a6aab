//! Which token comes next.

use candle_core::Tensor;
use candle_transformers::generation::{LogitsProcessor, Sampling};
use candle_transformers::utils::apply_repeat_penalty;

use super::PromptRequest;
use crate::error::{Error, Result};

/// Draws tokens as the request wants them drawn.
pub struct Choice {
    processor: LogitsProcessor,
    repetition_penalty: f32,
}

impl Choice {
    pub fn new(request: &PromptRequest) -> Self {
        let temperature = request.temperature;
        let top_k = request.top_k.filter(|&k| k > 0);
        let top_p = request.top_p.filter(|&p| p < 1.0);
        let sampling = match (top_k, top_p) {
            // Dividing by less than this gives infinities.
            _ if temperature.is_nan() || temperature < 1e-7 => Sampling::ArgMax,
            (None, None) => Sampling::All { temperature },
            (Some(k), None) => Sampling::TopK { k, temperature },
            (None, Some(p)) => Sampling::TopP { p, temperature },
            (Some(k), Some(p)) => Sampling::TopKThenTopP { k, p, temperature },
        };
        let processor = LogitsProcessor::from_sampling(request.seed, sampling);
        Self { processor, repetition_penalty: request.repetition_penalty }
    }

    /// The next token.
    ///
    /// * `scores`: one per token, `(vocabulary)`.
    /// * `before`: the tokens that repetition is measured by.
    /// * `may_follow`: tells of each token whether it is possible at all.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if none is possible.
    pub fn next(&mut self, scores: &Tensor, before: &[u32], may_follow: impl Fn(u32) -> bool) -> Result<u32> {
        let penalty = self.repetition_penalty;
        let is_penalised = penalty > 0.0 && (penalty - 1.0).abs() > f32::EPSILON;
        let scores =
            if is_penalised { apply_repeat_penalty(scores, penalty, before)? } else { scores.clone() };
        let mut values: Vec<f32> = scores.to_vec1()?;
        let mut n_possible = 0;
        for (token, value) in (0u32..).zip(&mut values) {
            if may_follow(token) {
                n_possible += 1;
            } else {
                *value = f32::NEG_INFINITY;
            }
        }
        if n_possible == 0 {
            return Err(Error::Tokenizer("its vocabulary has no token that could follow".to_owned()));
        }
        let n_tokens = values.len();
        Ok(self.processor.sample(&Tensor::from_vec(values, n_tokens, scores.device())?)?)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    const SCORES: [f32; 5] = [0.1, 2.0, 1.9, -1.0, 0.5];

    fn request() -> PromptRequest {
        PromptRequest {
            start: String::new(),
            seed: 3,
            temperature: 1.0,
            top_k: None,
            top_p: None,
            repetition_penalty: 1.0,
            max_new_tokens: 10,
        }
    }

    /// All tokens that 300 draws give.
    fn drawn(request: &PromptRequest, before: &[u32], may_follow: impl Fn(u32) -> bool) -> Vec<u32> {
        let mut choice = Choice::new(request);
        let scores = Tensor::new(&SCORES, &Device::Cpu).unwrap();
        let mut tokens: Vec<u32> =
            (0..300).map(|_| choice.next(&scores, before, &may_follow).unwrap()).collect();
        tokens.sort_unstable();
        tokens.dedup();
        tokens
    }

    #[test]
    fn at_temperature_0_the_likeliest_token_comes() {
        assert_eq!(drawn(&PromptRequest { temperature: 0.0, ..request() }, &[], |_| true), [1]);
    }

    #[test]
    fn without_limits_every_token_comes() {
        assert_eq!(drawn(&request(), &[], |_| true), [0, 1, 2, 3, 4]);
        let no_limits = PromptRequest { top_k: Some(0), top_p: Some(1.0), ..request() };
        assert_eq!(drawn(&no_limits, &[], |_| true), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn top_k_and_top_p_leave_the_likeliest() {
        assert_eq!(drawn(&PromptRequest { top_k: Some(2), ..request() }, &[], |_| true), [1, 2]);
        assert_eq!(drawn(&PromptRequest { top_p: Some(0.6), ..request() }, &[], |_| true), [1, 2]);
    }

    #[test]
    fn a_token_that_was_there_is_less_likely_with_a_penalty() {
        let penalised = PromptRequest { temperature: 0.0, repetition_penalty: 1.2, ..request() };
        assert_eq!(drawn(&penalised, &[1], |_| true), [2]);
    }

    #[test]
    fn what_cannot_follow_never_comes_and_something_must() {
        assert_eq!(drawn(&request(), &[], |token| token > 2), [3, 4]);
        let scores = Tensor::new(&SCORES, &Device::Cpu).unwrap();
        assert!(Choice::new(&request()).next(&scores, &[], |_| false).is_err());
    }
}
