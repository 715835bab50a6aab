//! The queue, the worker, and the progress that pages watch.
//!
//! # Layout
//! * [`queue`]: waking the worker, and cancelling
//! * [`worker`]: takes a job, makes its pictures, stores them
//! * [`backoff`]: how long the worker waits after a failure of the database
//! * [`painter`]: the part of it that runs on a thread of its own: engine, previews, encoding
//! * `maker`: what is tried to get a picture; `fallback`: a request as another model can fulfil it
//! * `sheet`: the last picture of a grid, from its cells
//! * [`materials`]: the pictures that a job names
//! * [`fingerprint`]: a hash of all that makes a job's pictures
//! * [`cache`]: pictures that were made before, given to a job that makes the same
//! * [`progress`]: what happens to each job, kept for those who watch
//! * [`numbers`]: the number of every event
//! * [`pace`]: how long it will take, and when to show a preview; [`bound`]: how long it may take
//! * [`places`]: where each job stands in the queue
//! * [`estimate`]: how long jobs take, by what jobs took before
//! * [`events`]: a job's events as a stream
//! * [`info`]: a job as its page shows it

mod backoff;
mod bound;
pub(crate) mod cache;
pub(crate) mod estimate;
pub(crate) mod events;
mod fallback;
pub(crate) mod fingerprint;
pub(crate) mod info;
mod maker;
mod materials;
pub(crate) mod numbers;
mod pace;
mod painter;
pub(crate) mod places;
pub(crate) mod progress;
pub(crate) mod queue;
mod sheet;
pub(crate) mod worker;
