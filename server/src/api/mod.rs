//! The endpoints, one group a file.

pub mod events;
pub mod generate_image;
pub mod health;
pub mod history;
pub mod jobs;
pub mod loras;
pub mod models;
pub mod pictures;
pub mod prompts;
pub mod uploads;
