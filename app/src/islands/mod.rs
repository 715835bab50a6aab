//! The parts that come alive in the browser.
//!
//! Islands, which pages render:
//! * [`prompt_writer`]: the prompt's box, in which GPT-2 types
//! * [`live_job`]: a job's progress and its pictures
//! * [`live_tile`]: a job that goes on, among others
//! * [`start_picture`]: the picture to start from, its mask, its margins
//! * [`settings_from_picture`]: a picture whose settings the form is to have
//! * [`small_deeds`]: copying, favourites without a reload, arrow keys between pictures
//!
//! Their parts:
//! * [`writer`]: what the prompt's buttons do
//! * [`prompt_help`]: the words and examples of a small model
//! * [`picture_upload`]: sends a picture to the server
//! * [`start_view`]: how it is shown
//! * [`mask_board`]: what brush, keys and buttons do to the mask; [`mask_canvas`]: how it is drawn; [`brush_ring`] and
//!   [`mask_buttons`]: what shows where the brush is and what can be done
//! * [`outpaint`]: the frame round the start picture
//! * [`slider`]: the slider beside a number, and that of a LoRA
//! * [`dom`]: parts of the page that the server rendered
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
pub mod brush_ring;
pub mod dom;
pub mod follower;
pub mod grid_keys;
pub mod job_actions;
pub mod live_job;
pub mod live_tile;
pub mod local;
pub mod mask_board;
pub mod mask_buttons;
pub mod mask_canvas;
pub mod model_choice;
pub mod outpaint;
pub mod picture_upload;
pub mod previews;
pub mod print;
pub mod prompt_help;
pub mod prompt_writer;
pub mod request;
pub mod settings_from_picture;
pub mod slider;
pub mod small_deeds;
pub mod start_picture;
pub mod start_view;
pub mod writer;
