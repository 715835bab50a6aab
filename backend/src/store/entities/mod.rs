//! A row of each table.

pub(crate) mod job;
pub(crate) mod picture;
