//! Matrix tiles: the AMX unit of Intel's server processors since 2023.
//!
//! Its tiles hold bf16, with 8 bits of precision where f32 has 24. A number is therefore split into two
//! that add up to it: `high` has its first 8 bits and `low` the next 8. Weights stored in f16 (11 bits) lose
//! nothing by that, and others keep 16 bits, as activations do. Of the four products of parts the one of
//! both low ones is left out, being no larger than what is lost already. Sums are kept in f32. The whole is
//! some four times faster than f32 in AVX-512, and results differ from it by a few millionths.
//!
//! # Source
//! Henry, Tang and Heinecke 2019, arXiv:1904.06376, for sums of bf16 parts in place of f32.

use super::lanes::{Lanes, for_each_level};

/// Inputs that are worked off at a time.
pub const STEP: usize = 32;

/// Rows that are worked off at a time.
pub const ROWS: usize = 32;

/// Lines of weights for one step and one panel: two tiles of high parts, two of low ones.
pub const LINES_PER_STEP: usize = 64;

/// Sums of [`ROWS`] rows and a panel's outputs.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
pub struct Sums(pub [[f32; 32]; ROWS]);

/// One row of a tile.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub struct Line(pub [u32; 16]);

/// The nearest bf16, as bits.
#[inline(always)]
fn nearest(value: f32) -> u32 {
    let bits = value.to_bits();
    bits.wrapping_add(0x7FFF + (bits >> 16 & 1)) >> 16
}

/// A number as high and low part, both the bits of a bf16.
#[inline(always)]
pub fn split(value: f32) -> (u16, u16) {
    let high = nearest(value);
    let low = nearest(value - f32::from_bits(high << 16));
    (high as u16, low as u16)
}

for_each_level! {
    /// [`split`]s all numbers.
    pub fn split_all(values: &[f32], high: &mut [u16], low: &mut [u16]) = split_all_with;
}

#[inline(always)]
#[expect(clippy::extra_unused_type_parameters, reason = "it tells for which instructions this is compiled")]
unsafe fn split_all_with<L: Lanes>(values: &[f32], high: &mut [u16], low: &mut [u16]) {
    for ((value, high), low) in values.iter().zip(high).zip(low) {
        (*high, *low) = split(*value);
    }
}

/// The left side of a block: rows at a constant distance, split.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// High parts.
    pub high: &'a [u16],
    /// Low parts, at the same places.
    pub low: &'a [u16],
    /// Distance of two rows.
    pub stride: usize,
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub use amx::{available, with_tiles};

/// Whether this processor has tiles.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
pub fn available() -> bool {
    false
}

/// Never called where there are none.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
pub fn with_tiles(_work: impl FnOnce(&Unit)) {
    unreachable!("weights are split only where tiles are available")
}

/// The unit, switched on. Exists only inside [`with_tiles`].
pub struct Unit(());

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
impl Unit {
    /// Never called where there are none.
    pub fn multiply(
        &self,
        _rows: Rows<'_>,
        _first: usize,
        _steps: &[usize],
        _weights: &[Line],
        _sums: &mut Sums,
    ) {
    }
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod amx {
    use std::arch::asm;
    use std::arch::x86_64::__cpuid_count;
    use std::sync::OnceLock;

    use super::{LINES_PER_STEP, Line, ROWS, Rows, STEP, Sums, Unit};
    use crate::nn::kernels::lanes::{Level, level};

    /// Whether this processor has tiles for bf16, and the system lets this program use them.
    pub fn available() -> bool {
        static AVAILABLE: OnceLock<bool> = OnceLock::new();
        *AVAILABLE.get_or_init(|| {
            // `cpuid` leaf 7: AMX-BF16 and AMX-TILE.
            let features = __cpuid_count(7, 0).edx;
            level() == Level::Avx512 && features & (1 << 22) != 0 && features & (1 << 24) != 0 && permitted()
        })
    }

    /// Asks the system: tiles make a thread's state larger by 8 KB, so a program has to want them.
    fn permitted() -> bool {
        const ARCH_PRCTL: i64 = 158;
        const REQUEST_PERMISSION: i64 = 0x1023;
        const TILE_DATA: i64 = 18;
        let answer: i64;
        // SAFETY: the call changes nothing but this program's permission; older systems refuse it.
        unsafe {
            asm!(
                "syscall",
                inlateout("rax") ARCH_PRCTL => answer,
                in("rdi") REQUEST_PERMISSION,
                in("rsi") TILE_DATA,
                out("rcx") _,
                out("r11") _,
                options(nostack),
            );
        }
        answer == 0
    }

    /// The form of the tiles: all of sixteen rows of 64 bytes.
    #[repr(C, align(64))]
    struct Form {
        palette: u8,
        start_row: u8,
        reserved: [u8; 14],
        bytes_per_row: [u16; 16],
        rows: [u8; 16],
    }

    /// Switches the unit on for as long as `work` takes.
    ///
    /// `work` must not wait for other threads: while it waits its thread may take up another such piece of
    /// work, at whose end the unit is off.
    pub fn with_tiles(work: impl FnOnce(&Unit)) {
        assert!(available(), "weights are split only where tiles are available");
        let mut form =
            Form { palette: 1, start_row: 0, reserved: [0; 14], bytes_per_row: [0; 16], rows: [0; 16] };
        form.bytes_per_row[..8].fill(64);
        form.rows[..8].fill(16);
        // SAFETY: the processor has tiles, and the form is one that it allows.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const form, options(nostack)) };
        work(&Unit(()));
        // SAFETY: the unit was switched on above.
        unsafe { asm!("tilerelease", options(nostack)) };
    }

    impl Unit {
        /// Adds the product of [`ROWS`] rows from `first` on with a panel's weights to `sums`.
        ///
        /// * `steps`: where each step's [`STEP`] inputs lie, from a row's start.
        /// * `weights`: [`LINES_PER_STEP`] lines for each step.
        pub fn multiply(
            &self,
            rows: Rows<'_>,
            first: usize,
            steps: &[usize],
            weights: &[Line],
            sums: &mut Sums,
        ) {
            let Some(reach) = steps.iter().max() else { return };
            let end = (first + ROWS - 1) * rows.stride + reach + STEP;
            assert!(end <= rows.high.len() && end <= rows.low.len(), "rows lie inside the left side");
            assert_eq!(weights.len(), steps.len() * LINES_PER_STEP);
            let start = first * rows.stride;
            let stride = rows.stride * 2;
            // SAFETY: the unit is on, as `self` shows; what is read lies inside the slices, as asserted; the
            // sums are 4 KB; tile registers are used by nothing else.
            unsafe {
                asm!(
                    "tileloadd tmm0, [{sums} + {two_lines} * 1]",
                    "tileloadd tmm1, [{sums} + {two_lines} * 1 + 64]",
                    "tileloadd tmm2, [{sums} + {two_lines} * 1 + 2048]",
                    "tileloadd tmm3, [{sums} + {two_lines} * 1 + 2112]",
                    "2:",
                    "mov {offset}, qword ptr [{steps}]",
                    // High parts of the rows with low parts of the weights.
                    "lea {row}, [{high} + {offset} * 2]",
                    "tileloadd tmm6, [{weights} + {line} * 1 + 2048]",
                    "tileloadd tmm4, [{row} + {stride} * 1]",
                    "add {row}, {sixteen_rows}",
                    "tileloadd tmm7, [{weights} + {line} * 1 + 3072]",
                    "tileloadd tmm5, [{row} + {stride} * 1]",
                    "tdpbf16ps tmm0, tmm4, tmm6",
                    "tdpbf16ps tmm1, tmm4, tmm7",
                    "tdpbf16ps tmm2, tmm5, tmm6",
                    "tdpbf16ps tmm3, tmm5, tmm7",
                    // High parts of both.
                    "tileloadd tmm6, [{weights} + {line} * 1]",
                    "tileloadd tmm7, [{weights} + {line} * 1 + 1024]",
                    "tdpbf16ps tmm0, tmm4, tmm6",
                    "tdpbf16ps tmm1, tmm4, tmm7",
                    "tdpbf16ps tmm2, tmm5, tmm6",
                    "tdpbf16ps tmm3, tmm5, tmm7",
                    // Low parts of the rows with high parts of the weights.
                    "lea {row}, [{low} + {offset} * 2]",
                    "tileloadd tmm4, [{row} + {stride} * 1]",
                    "add {row}, {sixteen_rows}",
                    "tileloadd tmm5, [{row} + {stride} * 1]",
                    "tdpbf16ps tmm0, tmm4, tmm6",
                    "tdpbf16ps tmm1, tmm4, tmm7",
                    "tdpbf16ps tmm2, tmm5, tmm6",
                    "tdpbf16ps tmm3, tmm5, tmm7",
                    "add {steps}, 8",
                    "add {weights}, 4096",
                    "dec {n_steps}",
                    "jnz 2b",
                    "tilestored [{sums} + {two_lines} * 1], tmm0",
                    "tilestored [{sums} + {two_lines} * 1 + 64], tmm1",
                    "tilestored [{sums} + {two_lines} * 1 + 2048], tmm2",
                    "tilestored [{sums} + {two_lines} * 1 + 2112], tmm3",
                    sums = in(reg) sums.0.as_mut_ptr(),
                    two_lines = in(reg) 128usize,
                    line = in(reg) 64usize,
                    high = in(reg) rows.high.as_ptr().add(start),
                    low = in(reg) rows.low.as_ptr().add(start),
                    stride = in(reg) stride,
                    sixteen_rows = in(reg) 16 * stride,
                    steps = inout(reg) steps.as_ptr() => _,
                    n_steps = inout(reg) steps.len() => _,
                    weights = inout(reg) weights.as_ptr() => _,
                    offset = out(reg) _,
                    row = out(reg) _,
                    options(nostack),
                );
            }
        }
    }
}
