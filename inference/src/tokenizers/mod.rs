//! Prompts to token ids and back.

pub mod clip;
pub mod gpt2;
