//! From a request to a result: a picture, or a prompt.

pub mod prompt_writer;
pub mod stable_diffusion;
