//! A job as its page follows it: what an event changes, and how its state is said.

use types::job::JobStatus;

use crate::direction::with_marks_seen;
use crate::format::{queue_place, remaining, sentence, shortened};
use crate::seen::{Happened, SeenJob, SeenPicture};

/// Changes `job` by what happened to it.
pub fn apply(job: &mut SeenJob, event: Happened) {
    match event {
        Happened::Queued { n_ahead, wait_ms } => {
            job.status = JobStatus::Queued;
            job.n_ahead = Some(n_ahead);
            job.wait_ms = wait_ms;
            job.progress = None;
            job.loading = None;
        }
        Happened::Loading { loading } => {
            job.status = JobStatus::Running;
            job.loading = Some(loading);
        }
        Happened::Progress { progress, .. } => {
            job.status = JobStatus::Running;
            job.progress = Some(progress);
            job.loading = None;
        }
        Happened::Picture { picture } => {
            job.pictures.retain(|known| known.index != picture.index);
            job.pictures.push(picture);
            job.pictures.sort_by_key(|picture| picture.index);
        }
        Happened::Note { note } => {
            if !job.notes.contains(&note) {
                job.notes.push(note);
            }
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
        JobStatus::Running if is_developing(job, index) => Frame::Developing,
        JobStatus::Queued | JobStatus::Running => Frame::Waiting,
        JobStatus::Done | JobStatus::Failed | JobStatus::Cancelled => Frame::Empty,
    }
}

/// The place of the picture that is being made; of the first, if several are made together.
pub fn developing_index(job: &SeenJob) -> u32 {
    job.progress.map_or(job.pictures.len() as u32, |progress| progress.picture.saturating_sub(1))
}

/// Whether the picture in that place is being made.
fn is_developing(job: &SeenJob, index: u32) -> bool {
    let first = developing_index(job);
    (first..first + job.progress.map_or(1, |progress| progress.n_together)).contains(&index)
}

/// How much is done, 0 to 1: of loading the model, while that is what is done, and otherwise of the whole job.
pub fn fraction(job: &SeenJob) -> f64 {
    match &job.loading {
        Some(loading) => loading.fraction,
        None => job.progress.map_or(0.0, |progress| progress.fraction()),
    }
}

/// The job's state in a few words, for the line under the picture.
pub fn headline(job: &SeenJob) -> String {
    if let Some(loading) = loading(job) {
        return format!("{loading}: {:.0} %", fraction(job) * 100.0);
    }
    match job.status {
        JobStatus::Queued => {
            job.n_ahead.map_or_else(|| "In the queue".to_owned(), |n_ahead| queue_place(n_ahead, job.wait_ms))
        }
        JobStatus::Running => match job.progress {
            Some(progress) if progress.n_together > 1 => format!(
                "Pictures {} to {} of {}, step {} of {}",
                progress.picture,
                progress.picture + progress.n_together - 1,
                progress.n_pictures,
                progress.step,
                progress.n_steps
            ),
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

/// What is being loaded, while it is.
fn loading(job: &SeenJob) -> Option<String> {
    let loading = job.loading.as_ref().filter(|_| job.status == JobStatus::Running)?;
    Some(format!("Loading {}", loading.model))
}

/// What is said besides: the time left, or what went wrong.
pub fn details(job: &SeenJob, ms_since_event: u64) -> String {
    match job.status {
        JobStatus::Queued => "It starts by itself; you can leave this page and come back.".to_owned(),
        JobStatus::Running => remaining_ms(job).map_or_else(
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

/// Time to the end of the job, counted from the last event. What was known before a model is loaded holds no more.
fn remaining_ms(job: &SeenJob) -> Option<u64> {
    job.progress.filter(|_| job.loading.is_none())?.remaining_ms
}

/// What is to be said of how the pictures were made, as sentences.
pub fn notes(job: &SeenJob) -> String {
    let notes = job.notes.iter().map(|note| sentence(note.sentence()));
    let cached = job.cached.then(|| "Made before from the same request, and shown again.".to_owned());
    notes.chain(cached).collect::<Vec<_>>().join(" ")
}

/// What a screen reader says when it changes: every quarter, not every step.
pub fn announcement(job: &SeenJob) -> String {
    match job.status {
        JobStatus::Running => {
            let percent = (fraction(job) * 4.0) as u32 * 25;
            match (loading(job), percent) {
                (Some(loading), 0) => loading,
                (Some(loading), _) => format!("{loading}, {percent} percent"),
                (None, 0) => "Developing".to_owned(),
                (None, _) => format!("{percent} percent developed"),
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
    let prompt = with_marks_seen(&shortened(&job.prompt, 60));
    match job.status {
        JobStatus::Queued => format!("In the queue: {prompt}"),
        JobStatus::Running if job.loading.is_some() => format!("Loading: {prompt}"),
        JobStatus::Running => format!("{:.0} %: {prompt}", fraction(job) * 100.0),
        JobStatus::Done => prompt,
        JobStatus::Failed => format!("Failed: {prompt}"),
        JobStatus::Cancelled => format!("Cancelled: {prompt}"),
    }
}

#[cfg(test)]
#[path = "job_view_tests.rs"]
mod tests;
