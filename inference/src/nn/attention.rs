//! Scaled dot-product attention with several heads.
//!
//! # Source
//! Vaswani et al. 2017, arXiv:1706.03762, section 3.2.

use candle_core::{DType, Device, Tensor};

use crate::error::Result;
use crate::nn::kernels::attention::{Heads, Tokens, attend};
use crate::nn::kernels::{serve, with_values};

/// So many scores at most are held at once: 64 MB in f32.
const MAX_SCORES: usize = 1 << 24;

/// What a token may look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Every key.
    Everything,
    /// Keys up to its own place.
    Past,
}

/// softmax(q kᵀ / √d) v, head by head.
///
/// * `q`: `(batch, queries, channels)`; `k`, `v`: `(batch, keys, channels)`; head `i` has the `i`-th of
///   `n_heads` equal runs of channels.
///
/// Returns `(batch, queries, channels)`. The scores are made for a part of the queries at a time, so that
/// memory grows with the number of tokens and not with its square.
///
/// # Errors
/// A candle error if shapes do not fit.
pub fn attention(q: &Tensor, k: &Tensor, v: &Tensor, n_heads: usize, sight: Sight) -> Result<Tensor> {
    if serve(q) { with_kernels(q, k, v, n_heads, sight) } else { with_candle(q, k, v, n_heads, sight) }
}

fn with_kernels(q: &Tensor, k: &Tensor, v: &Tensor, n_heads: usize, sight: Sight) -> Result<Tensor> {
    let (batch, n_queries, channels) = q.dims3()?;
    let n_keys = k.dim(1)?;
    let heads = Heads { batch, n_heads, channels: channels / n_heads, sight };
    let mut out = vec![0.0; q.elem_count()];
    with_values(q, |q| {
        with_values(k, |k| {
            with_values(v, |v| {
                let queries = Tokens { values: q, n_tokens: n_queries };
                let keys = Tokens { values: k, n_tokens: n_keys };
                attend(queries, keys, Tokens { values: v, n_tokens: n_keys }, heads, &mut out);
                Ok(())
            })
        })
    })?;
    Ok(Tensor::from_vec(out, q.shape(), q.device())?)
}

fn with_candle(q: &Tensor, k: &Tensor, v: &Tensor, n_heads: usize, sight: Sight) -> Result<Tensor> {
    let (batch, n_queries, channels) = q.dims3()?;
    let n_keys = k.dim(1)?;
    let head = channels / n_heads;
    // (batch, heads, tokens, channels of a head)
    let q = (q.reshape((batch, n_queries, n_heads, head))?.transpose(1, 2)?.contiguous()?
        / (head as f64).sqrt())?;
    let k = k.reshape((batch, n_keys, n_heads, head))?.permute((0, 2, 3, 1))?.contiguous()?;
    let v = v.reshape((batch, n_keys, n_heads, head))?.transpose(1, 2)?.contiguous()?;
    let at_once = (MAX_SCORES / (batch * n_heads * n_keys).max(1)).clamp(1, n_queries.max(1));
    let mut parts = Vec::new();
    for start in (0..n_queries).step_by(at_once) {
        let n = at_once.min(n_queries - start);
        let mut scores = q.narrow(2, start, n)?.contiguous()?.matmul(&k)?.to_dtype(DType::F32)?;
        if sight == Sight::Past {
            scores = scores.broadcast_add(&past_only(start, n, n_keys, q.device())?)?;
        }
        let shares = candle_nn::ops::softmax_last_dim(&scores)?.to_dtype(v.dtype())?;
        parts.push(shares.matmul(&v)?);
    }
    let heads = if parts.len() == 1 { parts.remove(0) } else { Tensor::cat(&parts, 2)? };
    Ok(heads.transpose(1, 2)?.reshape((batch, n_queries, channels))?)
}

/// `(n, n_keys)`: 0 where query `start + row` may look, −∞ where it may not.
fn past_only(start: usize, n: usize, n_keys: usize, device: &Device) -> Result<Tensor> {
    let mask: Vec<f32> = (0..n)
        .flat_map(|row| (0..n_keys).map(move |key| if key > start + row { f32::NEG_INFINITY } else { 0.0 }))
        .collect();
    Ok(Tensor::from_vec(mask, (n, n_keys), device)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::kernels::tests::{assert_close, numbers};

    #[test]
    fn the_kernels_compute_what_candle_computes() {
        for (n_queries, n_keys, n_heads, head) in
            [(77, 77, 4, 6), (1, 1, 1, 1), (100, 77, 8, 40), (64, 64, 1, 130)]
        {
            for sight in [Sight::Everything, Sight::Past] {
                let tensor = |n: usize, seed: u32| {
                    let values = numbers(2 * n * n_heads * head, seed).into_iter().map(|x| 4.0 * x).collect();
                    Tensor::from_vec(values, (2, n, n_heads * head), &Device::Cpu).unwrap()
                };
                let (q, k, v) = (tensor(n_queries, 1), tensor(n_keys, 2), tensor(n_keys, 3));
                let found = with_kernels(&q, &k, &v, n_heads, sight).unwrap();
                assert_close(&found, &with_candle(&q, &k, &v, n_heads, sight).unwrap());
            }
        }
    }
}
