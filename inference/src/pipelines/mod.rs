//! From a request to a result: a picture, or a prompt; and from a picture to whether it may be shown.

pub mod prompt_writer;
pub mod safety_checker;
pub mod stable_diffusion;
