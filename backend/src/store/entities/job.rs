//! A row of `jobs`: the truth that visitors see.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use types::error::ErrorCode;
use types::job::{JobId, JobStatus};
use types::note::Note;
use types::request::GenerationRequest;

use crate::{Error, Result};

/// One job.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "jobs")]
pub struct Model {
    /// Its place in the order of arrival.
    #[sea_orm(primary_key)]
    pub seq: i64,
    /// Its name in URLs.
    #[sea_orm(unique)]
    pub id: Uuid,
    /// Whose it is.
    pub owner: String,
    /// Its round: the queue works off each round before the next, and in none is an owner served twice.
    pub round: i64,
    /// Whether everybody who knows its name may look at it.
    pub shared: bool,
    /// A [`JobStatus`] by its name.
    pub status: String,
    /// How often it was begun. The number that a worker shows when it writes.
    pub attempt: i64,
    /// How many attempts ended with the program's death or a panic since a picture was last stored.
    pub crashes: i64,
    /// Pictures that were stored. The next attempt goes on from here, even if some were deleted since.
    pub n_made: i64,
    /// The [`GenerationRequest`] as JSON.
    pub request: String,
    /// What went wrong: a sentence for the owner.
    pub error: Option<String>,
    /// What kind of mistake that was: an [`ErrorCode`] by its name.
    pub error_code: Option<String>,
    /// The [`KnownNote`]s as JSON, if there are any.
    pub notes: Option<String>,
    /// A hash of all that makes its pictures, if they can be made again the same: see [`crate::jobs::fingerprint`].
    pub fingerprint: Option<String>,
    /// Whether its pictures were made for another job.
    pub cached: bool,
    /// The name that its asker gave to the asking, so that a second one makes no second job.
    pub idempotency_key: Option<String>,
    /// A hash of what was asked for under that name.
    pub idempotency_hash: Option<String>,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// When the present attempt began, or the last one if the job is over. Milliseconds since 1970.
    pub started_at: Option<i64>,
    /// Milliseconds since 1970.
    pub finished_at: Option<i64>,
}

/// What is to be said of how a job's pictures were made, and of which it was said first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownNote {
    /// What.
    pub note: Note,
    /// The attempt that made the picture.
    pub attempt: u64,
    /// The picture's place among the job's, from 0.
    pub index: u32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(has_many = "super::picture::Entity")]
    Picture,
}

impl Related<super::picture::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Picture.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Its name.
    pub fn job_id(&self) -> JobId {
        JobId(self.id)
    }

    /// Where it stands.
    ///
    /// # Errors
    /// A status that this version of the program does not know.
    pub fn job_status(&self) -> Result<JobStatus> {
        [JobStatus::Queued, JobStatus::Running, JobStatus::Done, JobStatus::Failed, JobStatus::Cancelled]
            .into_iter()
            .find(|status| status.as_str() == self.status)
            .ok_or_else(|| {
                Error::Broken(format!("job {} has the unknown status `{}`", self.job_id(), self.status))
            })
    }

    /// What kind of mistake it ended with. One that this version of the program does not know is a fault of
    /// the server's, as is the mistake of a job that failed before kinds were kept.
    pub fn fault_code(&self) -> Option<ErrorCode> {
        self.error.as_ref()?;
        let known = ErrorCode::ALL.into_iter().find(|code| Some(code.as_str()) == self.error_code.as_deref());
        Some(known.unwrap_or(ErrorCode::Internal))
    }

    /// What was asked for.
    ///
    /// # Errors
    /// A request that this version of the program cannot read.
    pub fn generation_request(&self) -> Result<GenerationRequest> {
        serde_json::from_str(&self.request).map_err(|error| {
            Error::Broken(format!("the request of job {} cannot be read: {error}", self.job_id()))
        })
    }

    /// What is to be said of how its pictures were made, each once.
    ///
    /// # Errors
    /// Notes that this version of the program cannot read.
    pub fn known_notes(&self) -> Result<Vec<KnownNote>> {
        let Some(notes) = &self.notes else { return Ok(Vec::new()) };
        serde_json::from_str(notes).map_err(|error| {
            Error::Broken(format!("the notes of job {} cannot be read: {error}", self.job_id()))
        })
    }

    /// The attempt, as events number it.
    pub fn attempt_number(&self) -> u64 {
        self.attempt.unsigned_abs()
    }
}
