//! In which numbers a model computes.

use std::fmt;
use std::str::FromStr;

use candle_core::{DType, Device};

use crate::error::{Error, Result};

/// In which numbers a model computes. Files may store others: they are converted when they are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits: what this crate's own kernels compute in, and what diffusers is compared in.
    #[default]
    F32,
    /// 16 bits, of which 5 for the exponent: half the memory, and some models leave its range.
    F16,
    /// 16 bits, of which 8 for the exponent: half the memory, the range of f32 and less exact.
    BF16,
}

impl Precision {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::F32, Self::F16, Self::BF16];

    /// The name in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::BF16 => "bf16",
        }
    }

    /// candle's word for it.
    pub fn dtype(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::F16 => DType::F16,
            Self::BF16 => DType::BF16,
        }
    }

    /// Bytes of one number.
    pub fn n_bytes(self) -> u64 {
        self.dtype().size_in_bytes() as u64
    }

    /// Refuses what a device cannot compute in.
    ///
    /// # Errors
    /// [`Error::Request`]: candle multiplies no bf16 matrices on the processor.
    pub fn check(self, device: &Device) -> Result<()> {
        if self == Self::BF16 && matches!(device, Device::Cpu) {
            let sentence = "dtype bf16 is not possible on the processor; allowed are f32 and f16";
            return Err(Error::Request(sentence.to_owned()));
        }
        Ok(())
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Precision {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|precision| precision.as_str() == name).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            Error::Request(format!("dtype `{name}` is unknown; known are {known}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_precision() {
        for precision in Precision::ALL {
            assert_eq!(precision.to_string().parse::<Precision>().unwrap(), precision);
        }
        assert_eq!(
            "half".parse::<Precision>().unwrap_err().to_string(),
            "dtype `half` is unknown; known are f32, f16, bf16"
        );
    }

    #[test]
    fn what_the_processor_cannot_multiply_is_refused() {
        assert!(Precision::F16.check(&Device::Cpu).is_ok());
        assert_eq!(
            Precision::BF16.check(&Device::Cpu).unwrap_err().to_string(),
            "dtype bf16 is not possible on the processor; allowed are f32 and f16"
        );
    }
}
