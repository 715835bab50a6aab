//! `/j/{id}`: one job, from the queue to its pictures.

use backend::{Services, Visitor};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use types::error::ErrorCode;
use types::job::{JobId, JobInfo};
use types::request::RawRequest;

use super::not_found::nothing_here;
use crate::components::code::copy_as_code;
use crate::components::failure::failure;
use crate::components::settings_list::{copy_button, settings_list};
use crate::islands::live_job::LiveJob;
use crate::islands::small_deeds::{EXAMPLE_ORIGIN, SmallDeeds};
use crate::job_view::title;
use crate::request_query::form_fields;
use crate::seen::SeenJob;
use crate::state::PageStatus;

/// From this many characters on, a prompt is set smaller.
const LONG_PROMPT_CHARS: usize = 120;

/// Seconds between two looks of a page without a script. Long enough to reach Cancel with a keyboard.
const REFRESH_S: &str = "5";

/// The page.
#[component]
pub fn JobPage() -> impl IntoView {
    let services = expect_context::<Services>();
    let viewer = expect_context::<Visitor>();
    let status = use_context::<PageStatus>().unwrap_or_default();
    let id = use_params_map().with_untracked(|params| params.get("id"));
    Suspend::new(async move {
        let job = match id.and_then(|id| id.parse::<JobId>().ok()) {
            Some(id) => services.job(&viewer, id).await,
            None => return no_such_job(&status),
        };
        match job {
            Ok(job) => job_page(&job),
            Err(error) if error.public().code == ErrorCode::NotFound => no_such_job(&status),
            Err(error) => view! {
                <Title text="Job" />
                <h1>"This job cannot be shown"</h1>
                {failure(&error, &status)}
            }
            .into_any(),
        }
    })
}

fn no_such_job(status: &PageStatus) -> AnyView {
    status.report(ErrorCode::NotFound);
    nothing_here(
        "There is no such job",
        "It may be somebody else's who does not share it, or one that you made in another browser; or the address lost a letter on its way here.",
    )
}

/// What was typed, where styles and wildcards made another prompt of it.
fn asked_prompt(job: &JobInfo) -> Option<impl IntoView + use<>> {
    let asked = job.request.asked_prompt.clone()?;
    Some(view! {
        <p class="asked-prompt">
            "From " <q id="asked-prompt" dir="auto">{asked}</q> " "
            {copy_button("asked-prompt".to_owned(), "what was typed")}
        </p>
    })
}

/// Whether others may look, and the address to give them.
fn sharing(job: &JobInfo) -> AnyView {
    let action = format!("/j/{}/share", job.id);
    if !job.shared {
        return view! {
            <form class="share" id="share" method="post" action=action>
                <p>"You alone can see this page and its pictures."</p>
                <button type="submit" class="quiet" name="shared" value="true">
                    "Share"
                </button>
            </form>
        }
        .into_any();
    }
    let address = format!("{EXAMPLE_ORIGIN}/j/{}", job.id);
    view! {
        <form class="share" id="share" method="post" action=action>
            <p>
                "Whoever has this page's address can look at it: "
                <span id="job-address" data-own-address="">
                    {address}
                </span>
                {copy_button("job-address".to_owned(), "address")}
            </p>
            <button type="submit" class="quiet" name="shared" value="false">
                "Stop sharing"
            </button>
        </form>
    }
    .into_any()
}

fn job_page(job: &JobInfo) -> AnyView {
    // Without a script nothing follows the job, so the page looks again by itself.
    let refresh = (!job.status.is_final())
        .then(|| view! { <noscript><meta http-equiv="refresh" content=REFRESH_S /></noscript> });
    let is_long = job.request.prompt.chars().count() > LONG_PROMPT_CHARS;
    // A start picture is its owner's alone, and so is what is made from it.
    let may_repeat = job.is_owner || job.request.start.is_none();
    let fields = if may_repeat { form_fields(&RawRequest::exact(&job.request)) } else { Vec::new() };
    let stage = view! { <LiveJob job=SeenJob::from(job) fields=fields /> }.into_any();
    view! {
        <Title text=title(&SeenJob::from(job)) />
        {refresh}
        <article class="job">
            <header class="job-head">
                <p class="eyebrow">"Prompt" {copy_button("job-prompt".to_owned(), "prompt")}</p>
                <h1 id="job-prompt" class:long=is_long>
                    {job.request.prompt.clone()}
                </h1>
                {asked_prompt(job)}
            </header>
            <div class="job-stage">
                {stage}
            </div>
            <div class="job-facts">
                <details class="fold" open=true>
                    <summary>
                        <h2>"Settings"</h2>
                    </summary>
                    {settings_list(job)}
                </details>
                {copy_as_code(&job.request)}
                {job.is_owner.then(|| sharing(job))}
            </div>
        </article>
        <SmallDeeds />
    }
    .into_any()
}
