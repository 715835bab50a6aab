//! What happens to a job, numbered, as it is streamed to its page.

use serde::{Deserialize, Serialize};

use crate::job::{Loading, Progress};
use crate::note::Note;
use crate::picture::PictureInfo;

/// One thing that happened to a job.
///
/// The stream of a job begins with where it stands now and ends with `done`, `failed` or `cancelled`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum JobEvent {
    /// It waits for its turn.
    Queued {
        /// Jobs that are worked on before it.
        n_ahead: u64,
        /// Estimated time until it begins in milliseconds, once there is something to go by.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wait_ms: Option<u64>,
    },
    /// Its model is read into memory. Told before a picture's first step, if the model is not there yet.
    Loading {
        /// How much of it was read.
        #[serde(flatten)]
        loading: Loading,
    },
    /// A step was done.
    Progress {
        /// How far it is.
        #[serde(flatten)]
        progress: Progress,
        /// What the picture looks like now: a small JPEG as a `data:` URL. Not every step has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        preview: Option<String>,
    },
    /// Something is to be said of how its pictures are made. Told once, before the first picture that it is true of.
    Note {
        /// What.
        note: Note,
    },
    /// One of its pictures is finished.
    Picture {
        /// The picture.
        picture: PictureInfo,
    },
    /// All its pictures are there.
    Done,
    /// It ended with a fault.
    Failed {
        /// One sentence.
        message: String,
    },
    /// Its owner stopped it.
    Cancelled,
}

impl JobEvent {
    /// The name of the server-sent event.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Queued { .. } => "queued",
            Self::Loading { .. } => "loading",
            Self::Progress { .. } => "progress",
            Self::Note { .. } => "note",
            Self::Picture { .. } => "picture",
            Self::Done => "done",
            Self::Failed { .. } => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing comes after it.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Done | Self::Failed { .. } | Self::Cancelled)
    }
}

/// An event with its number, which only ever grows within a job, over restarts of the server too: a reader
/// that lost its connection says the last number it saw and misses nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NumberedEvent {
    /// Its number.
    pub number: u64,
    /// What happened.
    pub event: JobEvent,
}

/// Numbers set aside for one attempt at a job: event `i` of attempt `a` has number `a * this + i`.
pub const NUMBERS_PER_ATTEMPT: u64 = 1_000_000;
