//! A row of each table.

pub(crate) mod deleted_file;
pub(crate) mod job;
pub(crate) mod key;
pub(crate) mod picture;
pub(crate) mod secret;
pub(crate) mod served_round;
pub(crate) mod spending;
pub(crate) mod step_time;
pub(crate) mod upload;
pub(crate) mod upload_name;
pub(crate) mod upload_use;
pub(crate) mod workflow;
pub(crate) mod workflow_job;
