//! The variational autoencoder: from a picture to a latent and back.
//!
//! # Source
//! Rombach et al. 2022, arXiv:2112.10752; sizes and names as in diffusers' `AutoencoderKL`.

mod config;
mod decoder;
mod encoder;
mod mid;

pub use self::config::{LatentStatistics, VaeConfig};
pub use self::decoder::VaeDecoder;
pub use self::encoder::{LatentDistribution, VaeEncoder};

/// Added to the variances; not a setting.
const EPSILON: f64 = 1e-6;
