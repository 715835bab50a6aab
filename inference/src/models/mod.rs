//! One architecture a file.

pub mod clip;
pub mod config;
pub mod gpt2;
pub mod unet;
pub mod vae;
