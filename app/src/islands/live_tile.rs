//! A job among others that is not at its end yet, as it goes on.

use std::time::Duration;

use leptos::html::A;
use leptos::prelude::*;
use types::job::JobStatus;
use web_sys::{Element, Event};

use super::alive::mark_alive;
use super::follower::Follower;
use crate::job_view;
use crate::seen::{SeenJob, SeenPicture};

/// Said on the window when a followed job came to its end, so that the next one is followed.
const NEXT_TURN: &str = "darkroom-next-turn";
/// Tiles of jobs that are not at their end.
const UNFINISHED: &str = ".tile-link:is([data-status=queued], [data-status=running])";

/// The inside of such a job's tile. Alive it follows the job, if it is the one that is worked on before all others
/// of this page: one connection is enough, as the rest only wait.
#[island]
pub(crate) fn LiveTile(
    /// Where the job stands.
    job: SeenJob,
) -> impl IntoView {
    let (id, prompt) = (job.id.clone(), job.prompt.clone());
    let follower = Follower::new(job);
    let job = follower.job;
    let status = Memo::new(move |_| job.with(|job| job.status));
    let headline = Memo::new(move |_| job.with(job_view::headline));
    let is_followed = StoredValue::new(false);
    let link = NodeRef::<A>::new();
    Effect::new(move || {
        let Some(link) = link.get() else { return };
        let tile: Element = link.into();
        mark_alive(&tile);
        let take_turn = move || {
            if !is_followed.get_value() && is_next(&tile) {
                is_followed.set_value(true);
                follower.follow();
            }
        };
        take_turn();
        let turns = window_event_listener_untyped(NEXT_TURN, move |_| take_turn());
        on_cleanup(move || turns.remove());
    });
    Effect::new(move || {
        if status.get().is_final() {
            // Once the page shows it.
            set_timeout(pass_turn_on, Duration::ZERO);
        }
    });

    let label = format!("Progress of {prompt}");
    let has_picture = move || job.with(|job| !job.pictures.is_empty());
    let alt = prompt.clone();
    let thumbnail = Memo::new(move |_| job.with(|job| job.pictures.first().map(SeenPicture::thumbnail_path)));
    let preview = Memo::new(move |_| {
        follower.previews.with(|previews| previews.last().map(|(_, url)| url.clone()).unwrap_or_default())
    });
    let has_preview = Memo::new(move |_| preview.with(|url| !url.is_empty()));
    let paper = move || match thumbnail.get() {
        Some(path) => view! { <img src=path alt=alt.clone() /> }.into_any(),
        // One element for all previews: a new one would be blank for a moment.
        None if has_preview.get() => view! { <img class="tile-preview" src=preview alt="" /> }.into_any(),
        None => view! { <span class="blank" data-status=move || status.get().as_str()></span> }.into_any(),
    };
    view! {
        <a class="tile-link" href=format!("/j/{id}") data-status=move || status.get().as_str() node_ref=link>
            <span class="tile-paper">{paper}</span>
            {move || (status.get() != JobStatus::Done).then(|| view! { <span class="tile-state">{headline}</span> })}
            <span class="tile-prompt" aria-hidden=move || has_picture().then_some("true")>
                {prompt}
            </span>
        </a>
        {move || {
            let label = label.clone();
            (status.get() == JobStatus::Running)
                .then(|| {
                    let value = move || job.with(job_view::fraction).to_string();
                    view! { <progress class="bar" max="1" value=value aria-label=label></progress> }
                })
        }}
    }
}

/// Whether the tile's job is worked on before those of all others: the oldest, which stands last.
fn is_next(tile: &Element) -> bool {
    let Ok(waiting) = document().query_selector_all(UNFINISHED) else { return false };
    let last = waiting.length().checked_sub(1).and_then(|last| waiting.get(last));
    last.is_some_and(|last| last.is_same_node(Some(tile)))
}

fn pass_turn_on() {
    if let Ok(event) = Event::new(NEXT_TURN) {
        let _ = window().dispatch_event(&event);
    }
}
