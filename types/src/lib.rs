//! Plain data that the browser and the server share.
//!
//! # Layout
//! * [`request`]: what a picture is asked for with, raw and checked
//! * [`prompt`]: the syntax inside a prompt: weights, breaks, LoRA tags
//! * [`sampler`]: samplers and noise schedules, and what people call them
//! * [`noise`]: where the noise of a picture comes from
//! * [`upload`]: a picture that a visitor sent
//! * [`job`]: one request on its way to pictures
//! * [`event`]: what happens to a job, numbered, as it is streamed
//! * [`note`]: what is to be said of how pictures were made
//! * [`picture`]: a finished picture and the formats it is served in
//! * [`model`]: what is installed and what it knows
//! * [`aspect_ratio`]: sizes by the ratio of their sides
//! * [`preset`]: what the site means by preview, standard and premium
//! * [`lora`]: which LoRA files are installed
//! * [`history`]: a page of a visitor's pictures
//! * [`parameters`]: settings as text, as the AUTOMATIC1111 web UI reads them
//! * [`metadata`]: settings that were read out of a picture's file
//! * [`error`]: the one error that leaves the server
//!
//! # Invariants
//! This crate does no input or output and builds for `wasm32-unknown-unknown`.

pub mod aspect_ratio;
pub mod error;
pub mod event;
pub mod history;
pub mod job;
pub mod lora;
pub mod metadata;
pub mod model;
pub mod noise;
pub mod note;
pub mod parameters;
pub mod picture;
pub mod preset;
pub mod prompt;
pub mod request;
pub mod sampler;
pub mod upload;
pub mod whole;
