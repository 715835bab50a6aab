//! What can be done with a job: cancel it while it goes on, make more of it afterwards.

use leptos::prelude::*;
use leptos::task::spawn_local;
use types::job::JobStatus;
use types::request::MAX_SEED;
use wasm_bindgen::JsCast;

use super::follower::Follower;
use super::request::post_json;

/// Pictures that Variations asks for.
const N_VARIATIONS: u64 = 4;

/// Stops the job. Its page learns of it from the job's own events.
pub fn cancel_form(follower: Follower) -> impl IntoView + use<> {
    let id = follower.job.with_untracked(|job| job.id.clone());
    let id_to_cancel = id.clone();
    let is_asked = RwSignal::new(false);
    let cancel = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if is_asked.get_untracked() {
            return;
        }
        let form: web_sys::HtmlFormElement = event_target(&event);
        let address = format!("/api/v1/jobs/{id_to_cancel}/cancel");
        is_asked.set(true);
        // The button goes away with the job, and what becomes of the job is said there.
        focus(".headline");
        spawn_local(async move {
            if !post_json(&address, "").await {
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

/// What to do next with a job that came to its end. `fields` ask for the same pictures once more; there are none
/// for whoever may not use what they name.
pub fn job_actions(fields: &[(String, String)], id: &str, status: JobStatus) -> AnyView {
    let is_done = status == JobStatus::Done;
    let number = |name: &str| {
        let found = fields.iter().find(|(field, _)| field == name);
        found.and_then(|(_, value)| value.parse::<u64>().ok())
    };
    // Pictures close to one of before share its seed, and each has a second one of its own.
    let seed_field = if number("variation_seed").is_some() { "variation_seed" } else { "seed" };
    let again = is_done.then(|| (seed_field, String::new()));
    let again = request_form(
        fields,
        again.as_slice(),
        if is_done {
            ("Again", "The same settings with a new seed")
        } else {
            ("Try again", "The same settings once more")
        },
        "primary",
    );
    let variations = is_done.then(|| {
        let next = number(seed_field).unwrap_or(0) + number("count").unwrap_or(1);
        let first_seed = if next + N_VARIATIONS > MAX_SEED { 0 } else { next };
        request_form(
            fields,
            &[(seed_field, first_seed.to_string()), ("count", N_VARIATIONS.to_string())],
            ("Variations", "Four more, with the seeds beside this one"),
            "quiet",
        )
    });
    let repeat = (!fields.is_empty()).then_some((again, variations));
    view! {
        <div class="actions" role="group" aria-label="What next">
            {repeat}
            <a class="quiet" href=format!("/?job={id}")>
                "Change settings"
            </a>
        </div>
    }
    .into_any()
}

/// A button that asks for pictures with the same settings, but for those that are changed.
fn request_form(
    fields: &[(String, String)],
    changes: &[(&'static str, String)],
    (name, title): (&'static str, &'static str),
    class: &'static str,
) -> AnyView {
    let kept = fields.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    let changes = changes.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    let fields = kept
        .cloned()
        .chain(changes)
        .map(|(name, value)| view! { <input type="hidden" name=name value=value /> });
    view! {
        <form method="post" action="/">
            {fields.collect_view()}
            <button type="submit" class=class title=title>
                {name}
            </button>
        </form>
    }
    .into_any()
}
