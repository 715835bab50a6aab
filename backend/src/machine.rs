//! What computes, and in which numbers.

use candle_core::Device;
pub use inference::precision::Precision;
use types::error::PublicError;

/// What computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceKind {
    /// The processor.
    Cpu,
    /// The first NVIDIA card.
    Cuda,
    /// An Apple graphics processor.
    Metal,
}

impl DeviceKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Cpu, Self::Cuda, Self::Metal];

    /// The name in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::Metal => "metal",
        }
    }

    /// What a device is.
    pub(crate) fn of(device: &Device) -> Self {
        match device {
            Device::Cpu => Self::Cpu,
            Device::Cuda(_) => Self::Cuda,
            Device::Metal(_) => Self::Metal,
        }
    }

    /// Whether this program was built for it.
    fn is_built_in(self) -> bool {
        match self {
            Self::Cpu => true,
            Self::Cuda => candle_core::utils::cuda_is_available(),
            Self::Metal => candle_core::utils::metal_is_available(),
        }
    }

    /// The device itself.
    ///
    /// # Errors
    /// This program was not built for it, said of the field `device`.
    pub(crate) fn open(self) -> Result<Device, PublicError> {
        let device = match self {
            _ if !self.is_built_in() => return Err(self.not_here()),
            Self::Cpu => return Ok(Device::Cpu),
            Self::Cuda => Device::new_cuda(0),
            Self::Metal => Device::new_metal(0),
        };
        device.map_err(|error| {
            // What comes after the first line is where in the program it happened.
            let said = error.to_string();
            let said = said.lines().next().unwrap_or_default();
            PublicError::invalid_field("device", format!("device `{}` cannot be used: {said}", self.as_str()))
        })
    }

    /// The best device that this program was built for, or the processor where that one is not to be had: a program
    /// that was built for a graphics card works on a machine without one.
    pub(crate) fn best() -> Device {
        let built_for = [Self::Cuda, Self::Metal].into_iter().find(|device| device.is_built_in());
        built_for.map_or(Ok(Device::Cpu), Self::open).unwrap_or_else(|error| {
            tracing::warn!(reason = error.message, "the processor computes instead");
            Device::Cpu
        })
    }

    fn not_here(self) -> PublicError {
        let here: Vec<_> =
            Self::ALL.into_iter().filter(|device| device.is_built_in()).map(Self::as_str).collect();
        let message =
            format!("device `{}` is not possible with this build; it has {}", self.as_str(), here.join(", "));
        PublicError::invalid_field("device", message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_always_there() {
        assert!(matches!(DeviceKind::Cpu.open(), Ok(Device::Cpu)));
    }

    #[test]
    fn what_this_build_lacks_is_refused_with_what_it_has() {
        for device in DeviceKind::ALL.into_iter().filter(|device| !device.is_built_in()) {
            let message = device.open().unwrap_err().message;
            let name = device.as_str();
            assert!(
                message.starts_with(&format!("device `{name}` is not possible with this build; it has cpu")),
                "{message}"
            );
        }
    }
}
