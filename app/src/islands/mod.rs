//! The parts that come alive in the browser.
//!
//! * [`prompt_writer`]: the prompt's box, in which GPT-2 types
//! * [`live_job`]: a job's progress and its pictures
//! * [`small_deeds`]: copying, favourites without a reload, arrow keys between pictures
//! * [`local`]: what lives in the browser alone
//! * [`alive`]: the mark that says that an island is alive
//! * [`request`]: one call of the site's own API

pub mod alive;
pub mod follower;
pub mod grid_keys;
pub mod job_actions;
pub mod live_job;
pub mod local;
pub mod previews;
pub mod print;
pub mod prompt_help;
pub mod prompt_writer;
pub mod request;
pub mod small_deeds;
pub mod writer;
