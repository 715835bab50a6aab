//! A job as its page follows it: what an event changes, and how its state is said.

use types::job::JobStatus;

use crate::format::{queue_place, remaining, sentence, shortened};
use crate::seen::{Happened, SeenJob, SeenPicture};

/// Changes `job` by what happened to it.
pub fn apply(job: &mut SeenJob, event: Happened) {
    match event {
        Happened::Queued { n_ahead } => {
            job.status = JobStatus::Queued;
            job.n_ahead = Some(n_ahead);
            job.progress = None;
        }
        Happened::Progress { progress, .. } => {
            job.status = JobStatus::Running;
            job.progress = Some(progress);
        }
        Happened::Picture { picture } => {
            job.pictures.retain(|known| known.index != picture.index);
            job.pictures.push(picture);
            job.pictures.sort_by_key(|picture| picture.index);
        }
        Happened::Done => job.status = JobStatus::Done,
        Happened::Failed { message } => {
            job.status = JobStatus::Failed;
            job.error = Some(message);
        }
        Happened::Cancelled => job.status = JobStatus::Cancelled,
    }
}

/// What stands in the place of one of the job's pictures.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    /// Nothing yet.
    Waiting,
    /// The picture that is being made.
    Developing,
    /// The picture.
    Picture(SeenPicture),
    /// Nothing, and nothing will come: the job ended before, or the picture was deleted.
    Empty,
}

/// What stands in place `index`.
pub fn frame(job: &SeenJob, index: u32) -> Frame {
    if let Some(picture) = job.pictures.iter().find(|picture| picture.index == index) {
        return Frame::Picture(picture.clone());
    }
    match job.status {
        JobStatus::Running if developing_index(job) == index => Frame::Developing,
        JobStatus::Queued | JobStatus::Running => Frame::Waiting,
        JobStatus::Done | JobStatus::Failed | JobStatus::Cancelled => Frame::Empty,
    }
}

/// The place of the picture that is being made.
pub fn developing_index(job: &SeenJob) -> u32 {
    job.progress.map_or(job.pictures.len() as u32, |progress| progress.picture.saturating_sub(1))
}

/// The job's state in a few words, for the line under the picture.
pub fn headline(job: &SeenJob) -> String {
    match job.status {
        JobStatus::Queued => job.n_ahead.map_or_else(|| "In the queue".to_owned(), queue_place),
        JobStatus::Running => match job.progress {
            Some(progress) if progress.n_pictures > 1 => format!(
                "Picture {} of {}, step {} of {}",
                progress.picture, progress.n_pictures, progress.step, progress.n_steps
            ),
            Some(progress) => format!("Step {} of {}", progress.step, progress.n_steps),
            None => "Getting ready".to_owned(),
        },
        JobStatus::Done if job.pictures.is_empty() => "Deleted".to_owned(),
        JobStatus::Done => "Done".to_owned(),
        JobStatus::Failed => "That did not work".to_owned(),
        JobStatus::Cancelled => "Cancelled".to_owned(),
    }
}

/// What is said besides: the time left, or what went wrong.
pub fn details(job: &SeenJob, ms_since_event: u64) -> String {
    match job.status {
        JobStatus::Queued => "It starts by itself; you can leave this page and come back.".to_owned(),
        JobStatus::Running => job.progress.and_then(|progress| progress.remaining_ms).map_or_else(
            || "The time left is known after the first steps".to_owned(),
            |ms| remaining(ms.saturating_sub(ms_since_event)),
        ),
        JobStatus::Done if job.pictures.is_empty() => {
            "These pictures were deleted; the settings are still here.".to_owned()
        }
        JobStatus::Done => String::new(),
        JobStatus::Failed => job.error.as_deref().map(sentence).unwrap_or_default(),
        JobStatus::Cancelled => "It was stopped before it was done.".to_owned(),
    }
}

/// What a screen reader says when it changes: every quarter, not every step.
pub fn announcement(job: &SeenJob) -> String {
    match job.status {
        JobStatus::Running => {
            let fraction = job.progress.map_or(0.0, |progress| progress.fraction());
            match (fraction * 4.0) as u32 {
                0 => "Developing".to_owned(),
                quarters => format!("{} percent developed", quarters * 25),
            }
        }
        JobStatus::Done if job.pictures.len() == 1 => "The picture is ready".to_owned(),
        JobStatus::Done if job.pictures.len() > 1 => format!("{} pictures are ready", job.pictures.len()),
        JobStatus::Failed => format!("{}. {}", headline(job), details(job, 0)),
        _ => headline(job),
    }
}

/// The document's title: what a visitor sees of the job from another tab.
pub fn title(job: &SeenJob) -> String {
    let prompt = shortened(&job.prompt, 60);
    match job.status {
        JobStatus::Queued => format!("In the queue: {prompt}"),
        JobStatus::Running => {
            let fraction = job.progress.map_or(0.0, |progress| progress.fraction());
            format!("{:.0} %: {prompt}", fraction * 100.0)
        }
        JobStatus::Done => prompt,
        JobStatus::Failed => format!("Failed: {prompt}"),
        JobStatus::Cancelled => format!("Cancelled: {prompt}"),
    }
}

#[cfg(test)]
#[path = "job_view_tests.rs"]
mod tests;
