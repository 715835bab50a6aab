//! From a tensor's bytes in a file to numbers.

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use rayon::prelude::*;

use super::{Kind, Stored};
use crate::error::Result;
use crate::model_files::OpenFile;

/// Numbers that are read and converted together: few enough that their bytes are still near the processor when they
/// are converted.
const CHUNK: usize = 1 << 16;

/// Puts the numbers of a tensor in the place of whatever `values` holds, piece by piece, on all threads.
///
/// # Errors
/// [`crate::Error::BrokenFile`] if the file is too short, or stores `name` in another form than F16, BF16 or F32.
pub(super) fn read(file: &OpenFile, stored: &Stored, values: &mut Vec<f32>, name: &str) -> Result<()> {
    let n_bytes = match stored.kind {
        Kind::F16 | Kind::BF16 => 2,
        Kind::F32 => 4,
        Kind::I64 | Kind::Other => {
            return Err(file.broken(format!("`{name}` is stored in another form than F16, BF16 or F32")));
        }
    };
    let n = stored.n_elements();
    if values.capacity() < n {
        *values = vec![0.0; n];
    }
    values.resize(n, 0.0);
    let chunks = values.par_chunks_mut(CHUNK).enumerate();
    chunks.try_for_each_init(Buffers::default, |buffers, (i, values)| {
        let Buffers { bytes, f16, bf16 } = buffers;
        bytes.resize(values.len() * n_bytes, 0);
        file.read_into(stored.start + i * CHUNK * n_bytes, bytes)?;
        match stored.kind {
            Kind::F16 => {
                f16.clear();
                f16.extend(bytes.as_chunks().0.iter().map(|&two| f16::from_le_bytes(two)));
                f16.convert_to_f32_slice(values);
            }
            Kind::BF16 => {
                bf16.clear();
                bf16.extend(bytes.as_chunks().0.iter().map(|&two| bf16::from_le_bytes(two)));
                bf16.convert_to_f32_slice(values);
            }
            Kind::F32 | Kind::I64 | Kind::Other => {
                for (value, &four) in values.iter_mut().zip(bytes.as_chunks().0) {
                    *value = f32::from_le_bytes(four);
                }
            }
        }
        Ok(())
    })
}

/// What one thread reads into.
#[derive(Default)]
struct Buffers {
    bytes: Vec<u8>,
    f16: Vec<f16>,
    bf16: Vec<bf16>,
}
