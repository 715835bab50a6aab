//! Every part beside what diffusers and transformers compute from the same weights.
//!
//! The scripts in `tests/reference` made the numbers; its README says how.

mod batches;
mod broken;
mod checkpoint_pictures;
mod checkpoints;
mod compare;
mod families;
mod family_pictures;
mod gpt2;
mod kinds;
mod lora;
mod lora_pictures;
mod mask_fills;
mod noise;
mod pictures;
mod prompts;
mod published;
mod reference;
mod safety;
mod samplers;
mod text;
mod two_names;
mod unet;
mod vae;
mod weighted_pictures;
