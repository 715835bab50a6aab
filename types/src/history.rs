//! Pages of what a visitor made.

use serde::{Deserialize, Serialize};

use crate::job::{JobInfo, JobStatus};
use crate::picture::PictureInfo;

/// Which pictures to show.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HistoryQuery {
    /// Words that the prompt has to hold, each at least as a beginning. Empty means all.
    pub search: String,
    /// Favourites alone.
    pub favourites: bool,
    /// Where the last page ended: its `next`.
    pub cursor: Option<String>,
    /// Pictures a page, at most 100; 0 means the usual 24.
    pub limit: u32,
}

/// A page of pictures, newest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HistoryPage {
    /// The pictures.
    pub pictures: Vec<PictureInfo>,
    /// Where the next page begins; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How many pictures match in all.
    pub n_matches: u64,
}

/// Which jobs to show.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobQuery {
    /// Jobs that stand there alone.
    pub status: Option<JobStatus>,
    /// Where the last page ended: its `next`.
    pub cursor: Option<String>,
    /// Jobs a page, at most 100; 0 means the usual 24.
    pub limit: u32,
}

/// A page of jobs, newest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobPage {
    /// The jobs.
    pub jobs: Vec<JobInfo>,
    /// Where the next page begins; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
