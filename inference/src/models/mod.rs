//! One architecture a file.

pub mod clip;
pub mod config;
pub mod gpt2;
pub mod safety_checker;
pub mod unet;
pub mod vae;
