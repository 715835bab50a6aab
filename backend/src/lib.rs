//! What the site and the API both call: the job queue, the database, files, the engine.
//!
//! # Layout
//! * [`services`]: the one handle that pages and HTTP handlers hold; start reading here
//! * [`config`]: where things lie
//! * [`engine`]: what makes pictures and prompts: candle, or a fake that paints gradients
//! * [`machine`]: what computes
//! * `models`: what is known of a model before it is loaded
//! * `jobs`: the queue, the worker, and the progress that pages watch
//! * `store`: every line of SQL
//! * `measures`: what happens, counted and timed; `samples`: the last hour of it
//! * `files`: where pictures lie; `hexadecimal`: hashes as text
//! * `deleted_files`: files whose rows are gone, until they are gone too
//! * `signing_secret`: what the site signs with
//! * `uploads`: what visitors sent, and for how long it is kept
//! * [`open_files`]: how many files and connections the system allows
//! * [`retention`]: for how long pictures are kept
//! * [`check`], [`backup`], [`restore`]: whether rows and files belong together, and copies of the whole
//! * `metadata`: the settings inside pictures that anybody made
//! * [`pictures`]: pixels to PNG, JPEG and WebP, with the settings inside
//! * `turns`: whose turn it is with what takes a processor or much memory
//! * `prompts`: GPT-2's text as a stream
//! * [`prompt_helpers`]: the site's own styles and lists of words, and the words that it does not paint
//! * `blocked_requests`: requests for what the site does not paint
//! * [`safety`]: what becomes of pictures that the safety checker would not show
//! * [`signing`]: signed manifests in pictures, for operators with a certificate
//! * [`background`]: threads that compute, and let pages go first
//! * [`visitors`]: who asks; [`access`]: keys, and how much anybody may ask for
//! * [`error`]: what can go wrong, and what of it a visitor is told
//!
//! # Invariants
//! This crate knows no HTTP: no status codes, no headers, no cookies. No SQL stands outside `store`. A row
//! is written after the file it names, so a row never points to nothing.

pub mod access;
pub mod background;
pub mod backup;
mod blocked_requests;
pub mod check;
pub mod config;
mod data_folder;
mod deleted_files;
mod disk;
pub mod engine;
pub mod error;
mod files;
mod hexadecimal;
pub mod hostile;
mod jobs;
pub mod machine;
mod measures;
mod memory;
mod metadata;
pub mod models;
pub mod open_files;
pub mod pictures;
pub mod prompt_helpers;
mod prompts;
pub mod restore;
pub mod retention;
pub mod safety;
mod samples;
pub mod services;
mod shared;
pub mod signing;
mod signing_secret;
mod store;
mod turns;
mod uploads;
pub mod visitors;

#[cfg(test)]
mod tests;

pub use config::Config;
pub use disk::DiskSpace;
pub use engine::{Engine, EngineError, Materials};
pub use error::{Error, Result};
pub use image::{GrayImage, RgbImage};
pub use measures::{Measures, Resident};
pub use pictures::Channel;
pub use retention::Retention;
pub use safety::SafetyMode;
pub use samples::Sample;
pub use services::{
    Asked, Check, CurrentJob, EventStream, FailedJob, Frame, JobFacts, JobsNow, MAX_IDEMPOTENCY_KEY,
    MOST_KEPT_WORKFLOWS, MOST_SELECTED, MOST_WORKFLOWS, MachineFacts, MaskUse, MemoryUse, NewWorkflow,
    OperatorSnapshot, PictureFile, PromptStream, QueuedJob, Readiness, RunningJob, Services, StartNames,
    UploadFile, Workflow, WorkflowFilter, WorkflowRoom, ZipStream, choose_seed,
};
pub use signing::{Signer, SigningFiles};
pub use store::USUAL_LOG;
pub use visitors::Visitor;
