//! A job's settings, each to be copied.

use leptos::prelude::*;
use types::job::{JobInfo, JobStatus};

use crate::format::{machine_moment, moment};

/// All settings of a job but its prompt, as a list of terms.
pub fn settings_list(job: &JobInfo) -> AnyView {
    let request = &job.request;
    let seeds = if request.count > 1 && request.variation.is_none() {
        format!("{} to {}", request.seed, request.seed_of(request.count - 1))
    } else {
        request.seed.to_string()
    };
    let settings = [
        ("Negative prompt", "negative", request.negative_prompt.clone()),
        ("Seed", "seed", seeds),
        ("Size", "size", format!("{} × {}", request.width, request.height)),
        ("Steps", "steps", request.steps.to_string()),
        ("Guidance scale", "guidance", request.guidance_scale.to_string()),
        ("Sampler", "sampler", request.sampler.label().to_owned()),
        ("Noise schedule", "schedule", request.schedule.label().to_owned()),
        ("Model", "model", request.model.clone()),
    ];
    let rows = settings.into_iter().filter(|(_, _, value)| !value.is_empty()).map(|(name, id, value)| {
        let id = format!("setting-{id}");
        view! {
            <div class="setting">
                <dt>{name}</dt>
                <dd>
                    <span class="setting-value" id=id.clone()>
                        {value}
                    </span>
                    {copy_button(id, name.to_lowercase())}
                </dd>
            </div>
        }
    });
    view! {
        <dl class="settings">
            {rows.collect_view()}
            <div class="setting">
                <dt>"Asked for"</dt>
                <dd>
                    <time datetime=machine_moment(job.created_at)>{moment(job.created_at)}</time>
                </dd>
            </div>
            {job
                .finished_at
                .zip(job.started_at)
                .filter(|_| job.status == JobStatus::Done)
                .map(|(finished_at, started_at)| {
                    let seconds = (finished_at - started_at).as_seconds_f64();
                    view! {
                        <div class="setting">
                            <dt>"Took"</dt>
                            <dd>{format!("{seconds:.1} s")}</dd>
                        </div>
                    }
                })}
        </dl>
    }
    .into_any()
}

/// Copies the text of the element with this id. Shown where there is a script to do it.
pub fn copy_button(id: String, name: impl std::fmt::Display) -> AnyView {
    view! {
        <button type="button" class="copy" data-copy=id aria-label=format!("Copy {name}") title=format!("Copy {name}")>
            <svg viewBox="0 0 24 24" width="16" height="16" aria-hidden="true">
                <path class="copy-icon" d="M9 9h10v11H9zM15 9V4H5v11h4" />
                <path class="copied-icon" d="m5 13 4.5 4.5L19 7" />
            </svg>
        </button>
    }
    .into_any()
}
