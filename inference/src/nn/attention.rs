//! Scaled dot-product attention with several heads.
//!
//! # Source
//! Vaswani et al. 2017, arXiv:1706.03762, section 3.2.

use candle_core::{D, DType, Device, Tensor};

use crate::error::Result;

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
    let (batch, n_queries, channels) = q.dims3()?;
    let n_keys = k.dim(1)?;
    let head = channels / n_heads;
    // (batch, heads, tokens, channels of a head)
    let q = (q.reshape((batch, n_queries, n_heads, head))?.transpose(1, 2)? / (head as f64).sqrt())?;
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
        let shares = candle_nn::ops::softmax(&scores, D::Minus1)?.to_dtype(v.dtype())?;
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
