//! What a picture is asked for with.
//!
//! Every way of asking (page, HTTP, command line) fills in a [`RawRequest`]; [`RawRequest::check`] turns
//! it into a [`GenerationRequest`], in which every value is allowed. What is downstream takes that for granted.
//!
//! # Layout
//! * `raw` and `checked`: the two
//! * `check`: from the one to the other; `fields`: one value against what is allowed; `again`: the way back
//! * `text`: what may stand in a prompt; `words`: its wildcards and styles written out
//! * `size`: how large the picture is
//! * `start`, `mask_fill`, `outpaint`: a picture to start from, the mask over it and what is under that, what is painted
//!   on around it
//! * `hires`, `variation`, `loras`: finer settings
//! * `grid`: one picture for each of several values of some settings
//! * `name_list`: several names in one field

mod again;
mod check;
mod checked;
mod fields;
mod grid;
mod hires;
mod loras;
mod mask_fill;
mod name_list;
mod outpaint;
mod raw;
mod size;
mod start;
mod text;
mod variation;
mod words;

use std::ops::RangeInclusive;

pub use check::RequestContext;
pub use checked::GenerationRequest;
pub use grid::{Grid, GridAxis, MAX_GRID_CELLS, RawGrid, RawGridAxis, RawGridValue};
pub use hires::Hires;
pub use loras::{LoraUse, RawLora};
pub use mask_fill::MaskFill;
pub use name_list::{name_in_list, names_in_list};
pub use outpaint::Margins;
pub use raw::RawRequest;
pub use start::{KnownPicture, Mask, PictureSource, Start};
pub use text::check_prompt;
pub use variation::Variation;

pub use crate::noise::NoiseSource;
pub use crate::prompt::Weighting;

/// Longest prompt and negative prompt, in characters.
pub const MAX_PROMPT_CHARS: usize = 2_000;
/// Fewest and most sampling steps.
pub const STEPS: RangeInclusive<u32> = 1..=150;
/// Weakest and strongest guidance scale. At 1 and below the negative prompt has no effect.
pub const GUIDANCE_SCALE: RangeInclusive<f64> = 0.0..=30.0;
/// Weakest and strongest guidance to the start picture, of models that change it by an instruction.
pub const PICTURE_GUIDANCE_SCALE: RangeInclusive<f64> = 1.0..=10.0;
/// Guidance to the start picture where none is asked for.
pub const USUAL_PICTURE_GUIDANCE_SCALE: f64 = 1.5;
/// Fewest and most pictures of one job.
pub const COUNT: RangeInclusive<u32> = 1..=8;
/// Largest seed: the largest whole number that JavaScript and JSON readers keep exact.
pub const MAX_SEED: u64 = (1 << 53) - 1;
/// Every width and height is a multiple of this many pixels, whatever the model.
pub const SIZE_MULTIPLE: u32 = 8;
/// How far to go from a start picture if nothing is said of it.
pub const USUAL_STRENGTH: f64 = 0.75;
/// Fewest and most pixels over which a mask's edge is softened.
pub const MASK_FEATHER: RangeInclusive<u32> = 0..=64;
/// Pixels over which a mask's edge is softened if nothing is said of it.
pub const USUAL_MASK_FEATHER: u32 = 4;
/// Fewest and most pixels that are painted on at one side.
pub const OUTPAINT: RangeInclusive<u32> = 0..=1024;
/// Largest factor of a second pass; the smallest is just above 1.
pub const HIRES_SCALE_MOST: f64 = 4.0;
/// Fewest and most steps of a second pass; 0 stands for as many as the first has.
pub const HIRES_STEPS: RangeInclusive<u32> = 0..=150;
/// The share of a second pass's steps that is walked if nothing is said of it.
pub const USUAL_HIRES_STRENGTH: f64 = 0.7;
/// Weakest and strongest weight of a LoRA; below 0 it acts the other way round.
pub const LORA_WEIGHT: RangeInclusive<f64> = -4.0..=4.0;
/// First and last layer of the text encoder to stop at, counted from its end, as the AUTOMATIC1111 web UI does.
pub const CLIP_SKIP: RangeInclusive<u32> = 1..=12;

#[cfg(test)]
#[path = "request/finer_tests.rs"]
mod finer_tests;
#[cfg(test)]
#[path = "request/grid_tests.rs"]
mod grid_tests;
#[cfg(test)]
#[path = "request/old_rows_tests.rs"]
mod old_rows_tests;
#[cfg(test)]
#[path = "request/start_tests.rs"]
mod start_tests;
#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
#[cfg(test)]
#[path = "request/words_tests.rs"]
mod words_tests;

#[cfg(test)]
pub(crate) use tests::demo as demo_model;
