//! Vectors of numbers, as wide as the processor has them.

use std::sync::OnceLock;

/// The vector instructions of a processor, from poorest to richest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What the compiler makes of arrays: NEON on 64-bit ARM, SSE2 on x86.
    Plain,
    /// AVX2 and FMA: eight numbers.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512: sixteen numbers.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// What this processor has; asked once.
pub fn level() -> Level {
    static LEVEL: OnceLock<Level> = OnceLock::new();
    *LEVEL.get_or_init(|| {
        #[cfg(target_arch = "x86_64")]
        {
            let has_avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            if has_avx2
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl")
            {
                return Level::Avx512;
            }
            if has_avx2 {
                return Level::Avx2;
            }
        }
        Level::Plain
    })
}

/// A vector of numbers.
///
/// # Safety
/// The methods may be called only where the processor has the instructions, inside a function that the
/// compiler was allowed to use them in (see `for_each_level`).
pub unsafe trait Lanes: Copy {
    /// Numbers in a vector.
    const WIDTH: usize;
    /// Rows of a block of accumulators that fits into the registers beside two vectors of weights.
    const ROWS: usize;
    /// Whether a · b + c is one instruction.
    const FUSED: bool;

    /// The same number everywhere.
    ///
    /// # Safety
    /// See the trait.
    unsafe fn splat(value: f32) -> Self;

    /// `WIDTH` numbers from memory.
    ///
    /// # Safety
    /// See the trait; `from` must be readable that far.
    unsafe fn load(from: *const f32) -> Self;

    /// `WIDTH` numbers to memory.
    ///
    /// # Safety
    /// See the trait; `to` must be writable that far.
    unsafe fn store(self, to: *mut f32);

    /// `self · factor + addend`.
    ///
    /// # Safety
    /// See the trait.
    #[must_use]
    unsafe fn multiply_add(self, factor: Self, addend: Self) -> Self;
}

/// What the compiler makes of an array of eight.
#[derive(Debug, Clone, Copy)]
pub struct Plain([f32; 8]);

// SAFETY: it is ordinary code and needs no instruction in particular.
unsafe impl Lanes for Plain {
    const WIDTH: usize = 8;
    const ROWS: usize = 4;
    const FUSED: bool = cfg!(target_arch = "aarch64");

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; 8])
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller says that eight numbers can be read; an unaligned read is asked for.
        Self(unsafe { from.cast::<[f32; 8]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller says that eight numbers can be written; an unaligned write is asked for.
        unsafe { to.cast::<[f32; 8]>().write_unaligned(self.0) }
    }

    #[inline(always)]
    unsafe fn multiply_add(self, factor: Self, addend: Self) -> Self {
        let mut sum = addend.0;
        for ((sum, a), b) in sum.iter_mut().zip(self.0).zip(factor.0) {
            *sum = multiply_add::<Self>(a, b, *sum);
        }
        Self(sum)
    }
}

/// `a · b + c`, rounded once where that is one instruction, and twice elsewhere.
#[inline(always)]
pub fn multiply_add<L: Lanes>(a: f32, b: f32, c: f32) -> f32 {
    if L::FUSED { a.mul_add(b, c) } else { a * b + c }
}

#[cfg(target_arch = "x86_64")]
pub use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m256, __m512, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_storeu_ps, _mm512_fmadd_ps,
        _mm512_loadu_ps, _mm512_set1_ps, _mm512_storeu_ps,
    };

    use super::Lanes;

    /// Eight numbers in an AVX register.
    #[derive(Debug, Clone, Copy)]
    pub struct Avx2(__m256);

    /// Sixteen numbers in an AVX-512 register.
    #[derive(Debug, Clone, Copy)]
    pub struct Avx512(__m512);

    macro_rules! lanes {
        ($type:ident, $width:literal, $rows:literal, $splat:ident, $load:ident, $store:ident, $fma:ident) => {
            // SAFETY: the instructions are there wherever the trait allows a call.
            unsafe impl Lanes for $type {
                const WIDTH: usize = $width;
                const ROWS: usize = $rows;
                const FUSED: bool = true;

                #[inline(always)]
                unsafe fn splat(value: f32) -> Self {
                    // SAFETY: as the trait says.
                    Self(unsafe { $splat(value) })
                }

                #[inline(always)]
                unsafe fn load(from: *const f32) -> Self {
                    // SAFETY: as the trait says.
                    Self(unsafe { $load(from) })
                }

                #[inline(always)]
                unsafe fn store(self, to: *mut f32) {
                    // SAFETY: as the trait says.
                    unsafe { $store(to, self.0) }
                }

                #[inline(always)]
                unsafe fn multiply_add(self, factor: Self, addend: Self) -> Self {
                    // SAFETY: as the trait says.
                    Self(unsafe { $fma(self.0, factor.0, addend.0) })
                }
            }
        };
    }

    lanes!(Avx2, 8, 6, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_fmadd_ps);
    lanes!(Avx512, 16, 12, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_fmadd_ps);
}

/// Makes a function that runs `$body::<L>` for the widest [`Lanes`] of this processor.
///
/// `$body` is generic over `L: Lanes`, `unsafe` and `#[inline(always)]`, so that it is compiled once for each
/// level, with the instructions of that level.
macro_rules! for_each_level {
    ($(#[$attribute:meta])* $visibility:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) = $body:ident;) => {
        $(#[$attribute])*
        $visibility fn $name($($argument: $type),*) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
            fn wide($($argument: $type),*) {
                // SAFETY: this function may use AVX-512.
                unsafe { $body::<$crate::nn::kernels::lanes::Avx512>($($argument),*) }
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn middle($($argument: $type),*) {
                // SAFETY: this function may use AVX2 and FMA.
                unsafe { $body::<$crate::nn::kernels::lanes::Avx2>($($argument),*) }
            }
            match $crate::nn::kernels::lanes::level() {
                // SAFETY: the processor has AVX-512.
                #[cfg(target_arch = "x86_64")]
                $crate::nn::kernels::lanes::Level::Avx512 => unsafe { wide($($argument),*) },
                // SAFETY: the processor has AVX2 and FMA.
                #[cfg(target_arch = "x86_64")]
                $crate::nn::kernels::lanes::Level::Avx2 => unsafe { middle($($argument),*) },
                // SAFETY: these lanes need no instruction in particular.
                $crate::nn::kernels::lanes::Level::Plain => unsafe {
                    $body::<$crate::nn::kernels::lanes::Plain>($($argument),*)
                },
            }
        }
    };
}
pub(super) use for_each_level;
