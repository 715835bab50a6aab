//! Everybody's jobs: those that are made, those that wait, those that failed.

use backend::{Asked, FailedJob, JobFacts, JobsNow, OperatorSnapshot, QueuedJob, RunningJob};
use leptos::prelude::*;
use time::OffsetDateTime;

use crate::format::{age, counted, machine_moment, moment, sentence};

/// The three lists.
pub(super) fn lists(snapshot: &OperatorSnapshot) -> AnyView {
    let Some(jobs) = &snapshot.jobs else {
        return view! {
            <h2>"Jobs"</h2>
            <p class="notice">"The database does not answer, so the jobs cannot be shown."</p>
        }
        .into_any();
    };
    let now = snapshot.taken_at;
    view! {
        <h2>"Being made"</h2>
        {list(&jobs.running, "Nothing is being made.", |job| running(job, now))}
        <h2>{format!("The queue: {}", counted(jobs.n_queued, "job", "jobs"))}</h2>
        {list(&jobs.queued, "Nobody waits.", |job| queued(job, now))}
        {more(jobs)}
        <h2>"Recent failures"</h2>
        {list(&jobs.failures, "No job failed.", failed)}
    }
    .into_any()
}

fn list<T>(jobs: &[T], none: &'static str, show: impl Fn(&T) -> AnyView) -> AnyView {
    if jobs.is_empty() {
        return view! { <p class="lead">{none}</p> }.into_any();
    }
    view! { <ol class="operator-jobs">{jobs.iter().map(show).collect_view()}</ol> }.into_any()
}

/// How many jobs wait besides those in the list.
fn more(jobs: &JobsNow) -> Option<AnyView> {
    let n_more = jobs.n_queued.saturating_sub(jobs.queued.len() as u64);
    (n_more > 0).then(|| view! { <p class="lead">{format!("and {n_more} more.")}</p> }.into_any())
}

fn running(running: &RunningJob, now: OffsetDateTime) -> AnyView {
    let since = running.started_at.map(|at| format!("for {}", age(now - at)));
    let (said, share) = match (&running.loading, running.progress) {
        (Some(loading), _) => {
            (format!("loading model {}, {:.0} %", loading.model, loading.fraction * 100.0), loading.fraction)
        }
        (None, Some(progress)) => (
            format!(
                "picture {} of {}, step {} of {}",
                progress.picture, progress.n_pictures, progress.step, progress.n_steps
            ),
            progress.fraction(),
        ),
        (None, None) => ("beginning".to_owned(), 0.0),
    };
    let percent = (share * 100.0).round().to_string();
    view! {
        <li class="operator-job">
            {head(&running.job, since)}
            <p>{said.clone()}</p>
            <progress class="bar" max="100" value=percent aria-label=said></progress>
        </li>
    }
    .into_any()
}

fn queued(queued: &QueuedJob, now: OffsetDateTime) -> AnyView {
    let place = format!("place {}, for {}", queued.n_ahead + 1, age(now - queued.job.created_at));
    view! { <li class="operator-job">{head(&queued.job, Some(place))}</li> }.into_any()
}

fn failed(failed: &FailedJob) -> AnyView {
    let at = failed.failed_at.map(|at| view! { <time datetime=machine_moment(at)>{moment(at)}</time> });
    let code = failed.code.map(|code| view! { <code>{code.as_str()}</code> });
    view! {
        <li class="operator-job">
            {head(&failed.job, None)}
            <p class="operator-fault">{sentence(&failed.sentence)}</p>
            <p class="operator-facts">{code} {at}</p>
        </li>
    }
    .into_any()
}

/// What is told of any job. Its name is the one that the log knows it by.
fn head(job: &JobFacts, said: Option<String>) -> AnyView {
    let asked = match &job.asked {
        Some(Asked { model, width, height, n_steps, count, .. }) => format!(
            "{model}, {width} × {height}, {}, {}",
            counted((*n_steps).into(), "step", "steps"),
            counted((*count).into(), "picture", "pictures")
        ),
        None => "a request that this version cannot read".to_owned(),
    };
    let prompt = job.asked.as_ref().and_then(|asked| asked.prompt.clone());
    view! {
        <p class="operator-asked">{asked}</p>
        <p class="operator-facts">
            {said.map(|said| view! { <span>{said}</span> })} <span>"by " <code>{job.owner.clone()}</code></span>
            <code>{job.id.to_string()}</code>
        </p>
        {prompt.map(|prompt| view! { <p class="operator-prompt">{prompt}</p> })}
    }
    .into_any()
}
