//! Stable Diffusion and GPT-2 on candle.
//!
//! # Layout
//! * [`model_files`]: where a model's parts are read from: a folder, one checkpoint file, or the program itself
//! * [`checkpoint`]: single files with the original names, seen as folders
//! * [`lora`]: small changes to weights, added while these are read
//! * [`weights`]: tensors by name, with errors that say which one is missing
//! * [`precision`]: in which numbers a model computes
//! * [`device_memory`]: how much memory a graphics card has
//! * [`nn`]: parts that several models use alike
//! * [`models`]: one architecture a file: CLIP's text encoder and its vision tower, the U-Net, the VAE, the safety
//!   checker, GPT-2
//! * [`tokenizers`]: prompts to token ids and back
//! * [`prompts`]: prompts as people write them, to what the U-Net listens to
//! * [`noise`]: seeded normal numbers, equal to torch's on a CPU and on a CUDA device
//! * [`schedule`]: noise levels from training betas, in the spacings that people know by name
//! * [`denoiser`] and [`guidance`]: a network becomes an estimate of the clean latent
//! * [`inpainting`]: a denoiser that keeps a part of the picture
//! * [`samplers`]: one function a file, over a denoiser and noise levels
//! * [`pipelines`]: Stable Diffusion, the safety checker, and the prompt writer
//! * `resize`: pictures at another size
//!
//! # Invariants
//! This crate knows no HTTP, no SQL and no async runtime. It opens no file but a model's.

pub mod checkpoint;
pub mod denoiser;
pub mod device_memory;
pub mod error;
pub mod guidance;
pub mod inpainting;
pub mod lora;
pub mod model_files;
pub mod models;
pub mod nn;
pub mod noise;
pub mod pipelines;
pub mod precision;
pub mod prompts;
mod resize;
pub mod samplers;
pub mod schedule;
pub mod tokenizers;
pub mod weights;

pub use error::{Error, Result};
