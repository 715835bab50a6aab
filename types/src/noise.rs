//! Where the noise of a picture comes from.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whose random numbers the noise is: the same seed gives another picture with another source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NoiseSource {
    /// Those of torch on a processor, as diffusers and ComfyUI draw them by default.
    #[default]
    Cpu,
    /// Those of torch on an NVIDIA card, as the AUTOMATIC1111 web UI draws them by default. Computed, so no such
    /// card is needed.
    Cuda,
}

impl NoiseSource {
    /// All of them, in the order they are offered.
    pub const ALL: [Self; 2] = [Self::Cpu, Self::Cuda];

    /// The name in requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
        }
    }
}

impl fmt::Display for NoiseSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
