//! The parts that come alive in the browser.
//!
//! Islands, which pages render:
//! * [`prompt_writer`]: the prompt's box, in which GPT-2 types
//! * [`live_job`]: a job's progress and its pictures
//! * [`live_tile`]: a job that goes on, among others
//! * [`small_deeds`]: copying, favourites without a reload, arrow keys between pictures
//!
//! Their parts:
//! * [`writer`]: what the prompt's buttons do
//! * [`prompt_help`]: the words and examples of a small model
//! * [`follower`]: a job's events, and what to do when the stream breaks
//! * [`previews`]: what a picture looks like while it develops
//! * [`print`](mod@print): a finished picture with what can be done with it
//! * [`job_actions`]: cancel a job, make more of it
//! * [`grid_keys`]: keys that move between pictures
//! * [`model_choice`]: what the form says about the chosen model
//! * [`local`]: what lives in the browser alone
//! * [`alive`]: the mark that says that an island is alive
//! * [`request`]: one call of the site's own API

pub mod alive;
pub mod follower;
pub mod grid_keys;
pub mod job_actions;
pub mod live_job;
pub mod live_tile;
pub mod local;
pub mod model_choice;
pub mod previews;
pub mod print;
pub mod prompt_help;
pub mod prompt_writer;
pub mod request;
pub mod small_deeds;
pub mod writer;
