//! A job among others.

use leptos::prelude::*;
use types::job::{JobInfo, JobStatus};

use crate::job_view::headline;

/// A job as a small picture with its state, leading to its page.
pub fn job_tile(job: &JobInfo) -> AnyView {
    let prompt = job.request.prompt.clone();
    let state = (job.status != JobStatus::Done).then(|| headline(job));
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
    let progress = job.progress.map(|progress| {
        view! { <progress class="bar" max="1" value=progress.fraction().to_string() aria-label=format!("Progress of {prompt}")></progress> }
    });
    view! {
        <li class="tile" data-status=job.status.as_str()>
            <a class="tile-link" href=format!("/j/{}", job.id)>
                <span class="tile-paper">{paper} {many}</span>
                {state.map(|state| view! { <span class="tile-state">{state}</span> })}
                <span class="tile-prompt" aria-hidden=has_picture>
                    {prompt.clone()}
                </span>
            </a>
            {progress}
        </li>
    }
    .into_any()
}
