//! The variational autoencoder: from a picture to a latent and back.
//!
//! # Source
//! Rombach et al. 2022, arXiv:2112.10752; sizes and names as in diffusers' `AutoencoderKL`.

mod config;
mod decoder;
mod encoder;
mod mid;
mod tiles;

pub use self::config::{LatentStatistics, VaeConfig};
pub use self::decoder::VaeDecoder;
pub use self::encoder::{LatentDistribution, VaeEncoder};

/// Added to the variances; not a setting.
const EPSILON: f64 = 1e-6;

/// Side of a tile where a picture is computed in tiles, in places of the latent: 1024 pixels of Stable Diffusion.
pub const TILE: usize = 128;

/// How much of a picture is computed at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Portion {
    /// All of it: the exact result.
    #[default]
    Whole,
    /// Overlapping tiles of so many places of the latent to a side, a multiple of 4: memory for one tile, whatever the
    /// size of the picture. One that fits into a tile is computed whole.
    Tiles(usize),
}
