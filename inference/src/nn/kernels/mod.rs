//! The engine's own arithmetic on the CPU, in f32.
//!
//! * [`lanes`]: vectors of numbers, as wide as the processor has them
//! * [`tiles`]: the same for processors with matrix tiles (AMX)
//! * [`packed`]: weights in the order in which they are read
//! * [`product`]: rows times weights, the inner loop of linear layers and convolutions
//! * [`conv`]: convolutions as such products
//! * [`norm`]: group and layer normalisation
//! * [`attention`]: softmax(q kᵀ) v without the full matrix of scores
//! * [`curves`]: the activations
//!
//! # Invariants
//! Sums are cut into parts by shapes alone, never by the number of threads or by who is first, so the same
//! input gives the same bytes every time on one kind of processor.

#![expect(unsafe_code, reason = "vector instructions, and threads that write into parts of one slice")]
#![expect(clippy::inline_always, reason = "inner loops are compiled once for each level of instructions")]

pub mod attention;
pub mod conv;
pub mod curves;
pub mod lanes;
pub mod norm;
pub mod packed;
pub mod product;
mod shared;
pub mod tiles;

use candle_core::{CpuStorage, DType, Device, Storage, Tensor};

use crate::error::Result;

/// Whether a tensor is of the kind that these kernels compute with.
pub fn serve(x: &Tensor) -> bool {
    matches!(x.device(), Device::Cpu) && x.dtype() == DType::F32
}

/// Looks at the numbers of a tensor that the kernels [`serve`], in row-major order.
///
/// # Errors
/// A candle error if the tensor is of another kind, and whatever `look` returns.
pub fn with_values<T>(x: &Tensor, look: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    let x = x.contiguous()?;
    let (storage, layout) = x.storage_and_layout();
    let (Storage::Cpu(CpuStorage::F32(values)), Some((start, end))) =
        (&*storage, layout.contiguous_offsets())
    else {
        return Err(candle_core::Error::Msg("the kernels compute in f32 on the CPU".to_owned()).into());
    };
    look(&values[start..end])
}

/// [`with_values`] of a tensor that may be missing.
///
/// # Errors
/// As [`with_values`].
pub fn with_optional<T>(x: Option<&Tensor>, look: impl FnOnce(Option<&[f32]>) -> Result<T>) -> Result<T> {
    match x {
        Some(x) => with_values(x, |values| look(Some(values))),
        None => look(None),
    }
}

#[cfg(test)]
pub(crate) mod tests;
