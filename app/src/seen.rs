//! A job as a browser follows it: as much of it as is shown while it goes on.
//!
//! A request with all its settings, times and checked names would make up a good part of the browser's bundle, and no
//! island shows any of them.

use serde::{Deserialize, Serialize};
use types::job::{JobInfo, JobStatus, Loading, Progress};
use types::note::Note;
use types::picture::{PictureFormat, PictureInfo};

/// A job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeenJob {
    /// Its name in URLs.
    pub id: String,
    /// Where it stands.
    pub status: JobStatus,
    /// What is painted.
    pub prompt: String,
    /// Pixels of each picture.
    pub width: u32,
    /// Pixels of each picture.
    pub height: u32,
    /// How many pictures.
    pub count: u32,
    /// Whether the last of them is the sheet of a grid.
    pub has_sheet: bool,
    /// Jobs before it, while it is queued.
    pub n_ahead: Option<u64>,
    /// Estimated time until it begins in milliseconds, while it is queued and once there is something to go by.
    pub wait_ms: Option<u64>,
    /// How far it is, while it runs.
    pub progress: Option<Progress>,
    /// How much of its model was read, while that is loaded.
    pub loading: Option<Loading>,
    /// What went wrong, if it failed.
    pub error: Option<String>,
    /// What is to be said of how its pictures were made.
    pub notes: Vec<Note>,
    /// Whether its pictures were made before, for another job.
    pub cached: bool,
    /// The finished pictures, in order.
    pub pictures: Vec<SeenPicture>,
    /// Whether whoever looks may cancel it.
    pub is_owner: bool,
}

/// A finished picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeenPicture {
    /// Its name in URLs.
    pub id: String,
    /// The job that made it.
    pub job_id: String,
    /// Its place among the job's pictures, from 0.
    pub index: u32,
    /// The prompt it was made from.
    pub prompt: String,
    /// The seed of its own noise.
    pub seed: u64,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Kept as a favourite.
    pub favourite: bool,
}

impl SeenPicture {
    /// Path of the picture itself on the site.
    pub fn path(&self, format: PictureFormat) -> String {
        format!("/images/{}.{}", self.id, format.extension())
    }

    /// Path of its thumbnail on the site.
    pub fn thumbnail_path(&self) -> String {
        format!("/images/{}/thumbnail", self.id)
    }
}

impl From<&JobInfo> for SeenJob {
    fn from(job: &JobInfo) -> Self {
        let (width, height) = job.request.picture_size();
        Self {
            id: job.id.to_string(),
            status: job.status,
            prompt: job.request.prompt.clone(),
            width,
            height,
            count: job.request.count,
            has_sheet: job.request.grid.is_some(),
            n_ahead: job.n_ahead,
            wait_ms: job.wait_ms,
            progress: job.progress,
            loading: job.loading.clone(),
            error: job.error.clone(),
            notes: job.notes.clone(),
            cached: job.cached,
            pictures: job.pictures.iter().map(SeenPicture::from).collect(),
            is_owner: job.is_owner,
        }
    }
}

impl From<&PictureInfo> for SeenPicture {
    fn from(picture: &PictureInfo) -> Self {
        Self {
            id: picture.id.to_string(),
            job_id: picture.job_id.to_string(),
            index: picture.index,
            prompt: picture.prompt.clone(),
            seed: picture.seed,
            width: picture.width,
            height: picture.height,
            favourite: picture.favourite,
        }
    }
}

/// What happened to a job: [`types::event::JobEvent`], as a browser reads it.
#[derive(Debug, Clone, PartialEq)]
pub enum Happened {
    /// It waits for its turn.
    Queued {
        /// Jobs that are worked on before it.
        n_ahead: u64,
        /// Estimated time until it begins in milliseconds.
        wait_ms: Option<u64>,
    },
    /// Its model is read into memory.
    Loading {
        /// How much of it was read.
        loading: Loading,
    },
    /// A step was done.
    Progress {
        /// How far it is.
        progress: Progress,
        /// What the picture looks like now, as a `data:` URL.
        preview: Option<String>,
    },
    /// Something is to be said of how its pictures are made.
    Note {
        /// What.
        note: Note,
    },
    /// One of its pictures is finished.
    Picture {
        /// The picture.
        picture: SeenPicture,
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

impl Happened {
    /// The names of the events that a job's stream sends.
    pub const NAMES: [&str; 8] =
        ["queued", "loading", "progress", "note", "picture", "done", "failed", "cancelled"];

    /// Reads an event by its name and its JSON; nothing if it is of another kind.
    pub fn read(name: &str, data: &str) -> Option<Self> {
        if name == "picture" {
            let ToldPicture { mut picture } = serde_json::from_str(data).ok()?;
            for id in [&mut picture.id, &mut picture.job_id] {
                // JSON has hyphens in it, and the site's addresses have none.
                id.retain(|c| c != '-');
            }
            return Some(Self::Picture { picture });
        }
        let told: Told = serde_json::from_str(data).ok()?;
        Some(match name {
            "queued" => Self::Queued { n_ahead: told.n_ahead, wait_ms: told.wait_ms },
            "loading" => Self::Loading { loading: Loading { model: told.model, fraction: told.fraction } },
            "progress" => Self::Progress {
                progress: Progress {
                    picture: told.picture,
                    n_together: told.n_together.max(1),
                    n_pictures: told.n_pictures,
                    step: told.step,
                    n_steps: told.n_steps,
                    remaining_ms: told.remaining_ms,
                },
                preview: told.preview,
            },
            // One that this page does not know yet is passed over.
            "note" => Self::Note { note: Note::ALL.into_iter().find(|note| note.as_str() == told.note)? },
            "done" => Self::Done,
            "failed" => Self::Failed { message: told.message },
            "cancelled" => Self::Cancelled,
            _ => return None,
        })
    }

    /// Whether nothing comes after it.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Done | Self::Failed { .. } | Self::Cancelled)
    }
}

/// Everything that an event without a picture may tell. One flat record takes a fraction of the code of an
/// enumeration whose variants are told by a field.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    n_ahead: u64,
    wait_ms: Option<u64>,
    model: String,
    fraction: f64,
    picture: u32,
    n_together: u32,
    n_pictures: u32,
    step: u32,
    n_steps: u32,
    remaining_ms: Option<u64>,
    preview: Option<String>,
    message: String,
    note: String,
}

#[derive(Deserialize)]
struct ToldPicture {
    picture: SeenPicture,
}

#[cfg(test)]
pub(crate) mod tests {
    use time::macros::datetime;
    use types::event::JobEvent;

    use super::*;

    fn picture() -> PictureInfo {
        PictureInfo {
            id: "0123456789abcdef0123456789abcdef".parse().unwrap(),
            job_id: "fedcba9876543210fedcba9876543210".parse().unwrap(),
            index: 1,
            prompt: "a red boat".into(),
            seed: 8,
            width: 256,
            height: 192,
            favourite: true,
            created_at: datetime!(2026-11-20 22:01 UTC),
        }
    }

    #[test]
    fn every_event_is_read_as_the_server_writes_it() {
        let progress = Progress {
            picture: 2,
            n_together: 2,
            n_pictures: 3,
            step: 5,
            n_steps: 20,
            remaining_ms: Some(900),
        };
        let loading = Loading { model: "sd-xl".into(), fraction: 0.4 };
        let events = [
            (
                JobEvent::Queued { n_ahead: 4, wait_ms: Some(2500) },
                Happened::Queued { n_ahead: 4, wait_ms: Some(2500) },
            ),
            (JobEvent::Loading { loading: loading.clone() }, Happened::Loading { loading }),
            (
                JobEvent::Progress { progress, preview: Some("data:,".into()) },
                Happened::Progress { progress, preview: Some("data:,".into()) },
            ),
            (
                JobEvent::Picture { picture: picture() },
                Happened::Picture { picture: SeenPicture::from(&picture()) },
            ),
            (JobEvent::Note { note: Note::DecodedInF32 }, Happened::Note { note: Note::DecodedInF32 }),
            (JobEvent::Done, Happened::Done),
            (JobEvent::Failed { message: "no".into() }, Happened::Failed { message: "no".into() }),
            (JobEvent::Cancelled, Happened::Cancelled),
        ];
        for (told, seen) in events {
            assert!(Happened::NAMES.contains(&told.name()));
            assert_eq!(told.is_final(), seen.is_final());
            let json = serde_json::to_string(&told).unwrap();
            assert_eq!(Happened::read(told.name(), &json), Some(seen), "{json}");
        }
        assert_eq!(Happened::read("other", "{}"), None);
        assert_eq!(Happened::read("queued", "nonsense"), None);
        assert_eq!(Happened::read("note", r#"{"note": "of another day"}"#), None);
    }

    #[test]
    fn a_picture_has_the_addresses_that_the_server_gives_it() {
        let (known, seen) = (picture(), SeenPicture::from(&picture()));
        assert_eq!(seen.path(PictureFormat::Png), known.path(PictureFormat::Png));
        assert_eq!(seen.thumbnail_path(), known.thumbnail_path());
    }
}
