//! One page a file. Pages render on the server alone.

pub mod api;
mod api_reference;
pub mod create;
pub mod door;
pub mod history;
pub mod job;
pub mod models;
pub mod not_found;
pub mod operator;
pub mod wait;
