//! A job among others.

use leptos::prelude::*;
use types::job::{JobInfo, JobStatus};

use crate::islands::live_tile::LiveTile;
use crate::job_view::headline;
use crate::seen::SeenJob;

/// A job as a small picture with its state, leading to its page. One that is not at its end comes alive.
pub fn job_tile(job: &JobInfo) -> AnyView {
    if !job.status.is_final() {
        let inside = view! { <LiveTile job=SeenJob::from(job) /> }.into_any();
        return view! { <li class="tile">{inside}</li> }.into_any();
    }
    let prompt = job.request.prompt.clone();
    let state = (job.status != JobStatus::Done).then(|| headline(&SeenJob::from(job)));
    // The picture's alternative text is the prompt already.
    let has_picture = (!job.pictures.is_empty()).then_some("true");
    let paper = match job.pictures.first() {
        Some(picture) => view! {
            <img
                src=picture.thumbnail_path()
                alt=prompt.clone()
                width=picture.width
                height=picture.height
                loading="lazy"
                decoding="async"
            />
        }
        .into_any(),
        None => view! { <span class="blank" data-status=job.status.as_str()></span> }.into_any(),
    };
    let many = (job.pictures.len() > 1).then(|| view! { <span class="tile-count">{job.pictures.len()}<span class="visually-hidden">" pictures"</span></span> });
    view! {
        <li class="tile">
            <a class="tile-link" href=format!("/j/{}", job.id) data-status=job.status.as_str()>
                <span class="tile-paper">{paper} {many}</span>
                {state.map(|state| view! { <span class="tile-state">{state}</span> })}
                <span class="tile-prompt" aria-hidden=has_picture>
                    {prompt.clone()}
                </span>
            </a>
        </li>
    }
    .into_any()
}
