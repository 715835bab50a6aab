//! One request on its way to pictures.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::error::ErrorCode;
use crate::note::Note;
use crate::picture::PictureInfo;
use crate::request::GenerationRequest;

/// Names a job in URLs. Random, so that it cannot be guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct JobId(pub Uuid);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.simple().fmt(f)
    }
}

impl FromStr for JobId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum JobStatus {
    /// Waits for its turn.
    Queued,
    /// Is being worked on.
    Running,
    /// All its pictures are there.
    Done,
    /// Ended with a fault.
    Failed,
    /// Its owner stopped it.
    Cancelled,
}

impl JobStatus {
    /// The name in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more will happen to the job.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

/// How far a running job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Progress {
    /// The picture that is being made, from 1; the first of them, if several are made together.
    pub picture: u32,
    /// Pictures that are made together.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub n_together: u32,
    /// Pictures in all.
    pub n_pictures: u32,
    /// Steps done of that picture.
    pub step: u32,
    /// Steps of each picture.
    pub n_steps: u32,
    /// Estimated time to the end of the job in milliseconds, once a step has been timed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining_ms: Option<u64>,
}

impl Default for Progress {
    fn default() -> Self {
        Self { picture: 0, n_together: 1, n_pictures: 0, step: 0, n_steps: 0, remaining_ms: None }
    }
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_one(n: &u32) -> bool {
    *n == 1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_false(it: &bool) -> bool {
    !*it
}

impl Progress {
    /// How much of the whole job is done, 0 to 1.
    pub fn fraction(&self) -> f64 {
        let all = f64::from(self.n_pictures) * f64::from(self.n_steps);
        if all == 0.0 {
            return 0.0;
        }
        let steps_before = f64::from(self.picture.saturating_sub(1)) * f64::from(self.n_steps);
        let done = steps_before + f64::from(self.step) * f64::from(self.n_together);
        (done / all).min(1.0)
    }
}

/// How much of a job's model was read, while it is loaded into memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Loading {
    /// The model's name.
    pub model: String,
    /// Share of its weights, 0 to 1.
    pub fraction: f64,
}

/// A job as its page shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobInfo {
    /// Its name.
    pub id: JobId,
    /// Where it stands.
    pub status: JobStatus,
    /// What was asked for.
    pub request: GenerationRequest,
    /// When it was asked for.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When the attempt began that is being made, or that brought it to its end.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub started_at: Option<OffsetDateTime>,
    /// When it came to its end.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<OffsetDateTime>,
    /// Jobs that are worked on before this one, while it is queued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_ahead: Option<u64>,
    /// How far it is, while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// How much of its model was read, while it runs and the model is being loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loading: Option<Loading>,
    /// What went wrong, if it failed: one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What kind of mistake that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<ErrorCode>,
    /// What is to be said of how its pictures were made, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// Estimated time until it begins in milliseconds, while it is queued and once there is something to go by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
    /// Whether everybody who knows its address may look at it, besides its owner.
    #[serde(default, skip_serializing_if = "is_false")]
    pub shared: bool,
    /// Whether its pictures were made before, and given to it from there.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cached: bool,
    /// The finished pictures, in order.
    pub pictures: Vec<PictureInfo>,
    /// Whether the asker may cancel or delete it.
    pub is_owner: bool,
}
