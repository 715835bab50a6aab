//! Every part beside what diffusers and transformers compute from the same weights.
//!
//! `tests/reference/make.py` made the numbers; its README says how.

mod broken;
mod compare;
mod gpt2;
mod kinds;
mod noise;
mod prompts;
mod reference;
mod samplers;
mod text;
mod text_to_image;
mod unet;
mod vae;
