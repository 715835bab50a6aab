//! Prompts to token ids and back.

pub mod clip;
pub mod gpt2;
pub mod utf8_stream;
