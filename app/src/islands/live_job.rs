//! A job's progress and its pictures, as they come.

use leptos::prelude::*;
use types::job::JobStatus;

use super::alive::mark_alive;
use super::follower::Follower;
use super::job_actions::{cancel_form, job_actions};
use super::previews::previews;
use super::print::{print, print_tools};
use crate::job_view::{self, Frame};
use crate::seen::SeenJob;

/// The place where a job's pictures appear, with its progress and what can be done next.
///
/// Rendered on the server it shows where the job stands; alive it follows the job to its end.
#[island]
pub(crate) fn LiveJob(
    /// Where the job stands.
    job: SeenJob,
    /// The fields of a form that asks for the same pictures, if whoever looks at it may.
    fields: Vec<(String, String)>,
) -> impl IntoView {
    let (count, is_owner) = (job.count, job.is_owner);
    let actions = StoredValue::new((fields, job.id.clone()));
    let follower = Follower::new(job);
    let stage = NodeRef::<leptos::html::Div>::new();
    Effect::new(move || {
        if let Some(stage) = stage.get() {
            follower.follow();
            mark_alive(&stage);
        }
    });
    let title = Memo::new(move |_| follower.job.with(job_view::title));
    Effect::new(move || document().set_title(&format!("{} · Darkroom", title.get())));

    let status = Memo::new(move |_| follower.job.with(|job| job.status));
    let announcement = Memo::new(move |_| follower.job.with(job_view::announcement));
    let notes = Memo::new(move |_| follower.job.with(job_view::notes));
    view! {
        <div class="stage" node_ref=stage data-status=move || status.get().as_str()>
            <ol class="frames" data-count=count>
                {(0..count).map(|index| frame(follower, index)).collect_view()}
            </ol>
            {progress_panel(follower, status)}
            <p class="notes" hidden=move || notes.with(String::is_empty)>
                {notes}
            </p>
            {move || (is_owner && !status.get().is_final()).then(|| cancel_form(follower))}
            {move || {
                let status = status.get();
                status.is_final().then(|| {
                    actions.with_value(|(fields, id)| job_actions(fields, id, status))
                })
            }}
            <p class="visually-hidden" role="status">
                {announcement}
            </p>
        </div>
    }
}

/// One picture's place, from blank paper to the picture.
fn frame(follower: Follower, index: u32) -> impl IntoView {
    let job = follower.job;
    let (width, height, count, is_owner) =
        job.with_untracked(|job| (job.width, job.height, job.count, job.is_owner));
    let is_sheet = job.with_untracked(|job| job.has_sheet && index + 1 == count);
    let frame = Memo::new(move |_| job.with(|job| job_view::frame(job, index)));
    // How large a sheet is, is known once it is there.
    let size = Memo::new(move |_| match frame.get() {
        Frame::Picture(picture) => (picture.width, picture.height),
        _ => (width, height),
    });
    let fraction = Signal::derive(move || {
        let progress = job.with(|job| job.progress);
        progress.map_or(0.0, |progress| f64::from(progress.step) / f64::from(progress.n_steps.max(1)))
    });
    let has_previews = Memo::new(move |_| follower.previewed.get() == index && frame.get() != Frame::Empty);
    let state = move || match frame.get() {
        Frame::Waiting => "waiting",
        Frame::Developing => "developing",
        Frame::Picture(_) => "picture",
        Frame::Empty => "empty",
    };
    view! {
        <li class="frame" class:sheet=is_sheet data-state=state>
            <div class="paper">
                // Gives the paper its shape. Larger than any window, for the style sheet to shrink.
                <svg
                    class="paper-size"
                    viewBox=move || format!("0 0 {} {}", size.get().0, size.get().1)
                    width=move || size.get().0 * 16
                    height=move || size.get().1 * 16
                    aria-hidden="true"
                ></svg>
                {move || has_previews.get().then(|| previews(follower.previews, fraction))}
                {move || match frame.get() {
                    Frame::Picture(picture) => Some(print(&picture)),
                    _ => None,
                }}
            </div>
            {move || match frame.get() {
                Frame::Picture(picture) => Some(print_tools(&picture, is_owner, count > 1)),
                _ => None,
            }}
        </li>
    }
}

/// What is going on, in words and as a bar.
fn progress_panel(follower: Follower, status: Memo<JobStatus>) -> impl IntoView + use<> {
    let job = follower.job;
    let headline = Memo::new(move |_| job.with(job_view::headline));
    let details = Memo::new(move |_| {
        if follower.is_broken.get() {
            "The connection is gone for the moment; trying again".to_owned()
        } else {
            job.with(|job| job_view::details(job, follower.age_ms.get()))
        }
    });
    // The picture says by itself that it is done.
    let is_silent =
        Memo::new(move |_| status.get() == JobStatus::Done && !job.with(|job| job.pictures.is_empty()));
    let value = move || job.with(job_view::fraction);
    view! {
        <div class="develop" hidden=is_silent>
            <p class="headline" tabindex="-1">
                {headline}
            </p>
            <p class="details">{details}</p>
            {move || {
                (status.get() == JobStatus::Running)
                    .then(|| view! { <progress class="bar" max="1" value=move || value().to_string() aria-label="Progress"></progress> })
            }}
        </div>
    }
}
