//! What can be done with a job: cancel it while it goes on, make more of it afterwards.

use leptos::prelude::*;
use leptos::task::spawn_local;
use types::job::{JobId, JobStatus};
use types::request::{GenerationRequest, MAX_SEED};
use wasm_bindgen::JsCast;

use super::follower::Follower;
use super::request::post_json;

/// Pictures that Variations asks for.
const N_VARIATIONS: u32 = 4;

/// Stops the job. Its page learns of it from the job's own events.
pub fn cancel_form(follower: Follower) -> impl IntoView + use<> {
    let id = follower.job.with_untracked(|job| job.id);
    let is_asked = RwSignal::new(false);
    let cancel = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if is_asked.get_untracked() {
            return;
        }
        let form: web_sys::HtmlFormElement = event_target(&event);
        is_asked.set(true);
        // The button goes away with the job, and what becomes of the job is said there.
        focus(".headline");
        spawn_local(async move {
            if !post_json(&format!("/api/v1/jobs/{id}/cancel"), "").await {
                // The plain way says what is wrong.
                let _ = form.submit();
            }
        });
    };
    view! {
        <form class="cancel" method="post" action=format!("/j/{id}/cancel") on:submit=cancel>
            // Not `disabled`, which would take the focus away from under a keyboard.
            <button type="submit" class="quiet" aria-disabled=move || is_asked.get().then_some("true")>
                {move || if is_asked.get() { "Cancelling…" } else { "Cancel" }}
            </button>
        </form>
    }
}

/// Takes the focus away from Cancel before the job's end takes the button away.
pub fn leave_cancel() {
    let focused = document().active_element();
    if focused.is_some_and(|focused| focused.matches(".cancel *").unwrap_or(false)) {
        focus("main");
    }
}

fn focus(selector: &str) {
    let found = document().query_selector(selector).ok().flatten();
    if let Some(found) = found.and_then(|found| found.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = found.focus();
    }
}

/// What to do next with a job that came to its end.
pub fn job_actions(request: &GenerationRequest, id: JobId, status: JobStatus) -> impl IntoView + use<> {
    let is_done = status == JobStatus::Done;
    let again = if is_done {
        ("Again", "The same settings with a new seed")
    } else {
        ("Try again", "The same settings once more")
    };
    let seed = (!is_done).then_some(request.seed);
    let variations = is_done.then(|| {
        let first_seed = if request.seed + u64::from(request.count + N_VARIATIONS) > MAX_SEED {
            0
        } else {
            request.seed + u64::from(request.count)
        };
        request_form(
            request,
            Some(first_seed),
            N_VARIATIONS,
            ("Variations", "Four more, with the seeds beside this one"),
            "quiet",
        )
    });
    view! {
        <div class="actions" role="group" aria-label="What next">
            {request_form(request, seed, request.count, again, "primary")}
            {variations}
            <a class="quiet" href=format!("/?job={id}")>
                "Change settings"
            </a>
        </div>
    }
}

/// A button that asks for pictures with the same settings.
fn request_form(
    request: &GenerationRequest,
    seed: Option<u64>,
    count: u32,
    (name, title): (&'static str, &'static str),
    class: &'static str,
) -> impl IntoView + use<> {
    let fields = [
        ("prompt", request.prompt.clone()),
        ("negative_prompt", request.negative_prompt.clone()),
        ("model", request.model.clone()),
        ("steps", request.steps.to_string()),
        ("guidance_scale", request.guidance_scale.to_string()),
        ("sampler", request.sampler.to_string()),
        ("schedule", request.schedule.to_string()),
        ("width", request.width.to_string()),
        ("height", request.height.to_string()),
        ("count", count.to_string()),
        ("seed", seed.map(|seed| seed.to_string()).unwrap_or_default()),
    ];
    let fields = fields.map(|(name, value)| view! { <input type="hidden" name=name value=value /> });
    view! {
        <form method="post" action="/">
            {fields.into_iter().collect_view()}
            <button type="submit" class=class title=title>
                {name}
            </button>
        </form>
    }
}
