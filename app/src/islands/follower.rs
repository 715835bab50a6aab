//! Follows a job: its events into signals, its clock, and what to do when the stream breaks.

use gloo_timers::callback::{Interval, Timeout};
use leptos::prelude::*;

use super::job_actions::leave_cancel;
use super::local::Local;
use super::previews::push_preview;
use crate::job_view::{apply, developing_index};
use crate::live::{Feed, Heard};
use crate::seen::{Happened, SeenJob};

/// Between two looks at the clock.
const TICK_MS: u32 = 500;
/// Before a stream is opened again that the browser has given up.
const PAUSE_MS: u32 = 3_000;
/// A page that nobody sees looks at its job for one tick in so many. A browser opens only some six connections
/// to a site, and as many tabs with a job each would leave none for the next page.
const HIDDEN_TICKS: u32 = 20;

/// A job that is followed. All parts are handles, so it is passed by copy.
#[derive(Clone, Copy)]
pub struct Follower {
    /// Where the job stands.
    pub job: RwSignal<SeenJob>,
    /// The last previews, with their numbers, of picture [`Self::previewed`].
    pub previews: RwSignal<Vec<(u32, String)>>,
    /// Which picture the previews are of.
    pub previewed: RwSignal<u32>,
    /// Milliseconds since the last event.
    pub age_ms: RwSignal<u64>,
    /// Whether the connection is gone for the moment.
    pub is_broken: RwSignal<bool>,
    last_event: StoredValue<String>,
    /// Ticks for which nobody has seen the page.
    n_hidden: StoredValue<u32>,
    feed: Local<Feed>,
    clock: Local<Interval>,
}

impl Follower {
    /// A follower of a job that stands as the page was rendered.
    pub fn new(job: SeenJob) -> Self {
        Self {
            previewed: RwSignal::new(developing_index(&job)),
            job: RwSignal::new(job),
            previews: RwSignal::new(Vec::new()),
            age_ms: RwSignal::new(0),
            is_broken: RwSignal::new(false),
            last_event: StoredValue::new(String::new()),
            n_hidden: StoredValue::new(0),
            feed: Local::new(),
            clock: Local::new(),
        }
    }

    /// Follows the job to its end.
    pub fn follow(self) {
        if self.is_over() {
            return;
        }
        self.listen();
        self.clock.set(Some(Interval::new(TICK_MS, move || self.tick())));
        let seen = window_event_listener_untyped("visibilitychange", move |_| self.listen());
        on_cleanup(move || seen.remove());
    }

    fn is_over(self) -> bool {
        self.job.with_untracked(|job| job.status.is_final())
    }

    /// Listens while the page is seen.
    fn listen(self) {
        self.n_hidden.set_value(0);
        if document().hidden() {
            self.feed.set(None);
        } else if !self.is_over() {
            self.open();
        }
    }

    fn tick(self) {
        self.age_ms.update(|age| *age += u64::from(TICK_MS));
        if !document().hidden() {
            return;
        }
        self.n_hidden.update_value(|n| *n = (*n + 1) % HIDDEN_TICKS);
        if self.n_hidden.get_value() == 0 {
            self.open();
        } else {
            self.feed.set(None);
        }
    }

    fn open(self) {
        let id = self.job.with_untracked(|job| job.id.clone());
        let mut url = format!("/api/v1/jobs/{id}/events");
        let last_event = self.last_event.get_value();
        if !last_event.is_empty() {
            url.push_str("?after=");
            url.push_str(&last_event);
        }
        self.feed.set(Feed::open(&url, &Happened::NAMES, move |heard| self.hear(heard)));
    }

    fn hear(self, heard: Heard) {
        match heard {
            Heard::Open => self.is_broken.set(false),
            Heard::Event { name, data, id } => {
                self.age_ms.set(0);
                self.last_event.set_value(id);
                if let Some(event) = Happened::read(&name, &data) {
                    self.take(event);
                }
            }
            Heard::Broken { will_retry } => {
                self.is_broken.set(true);
                if !will_retry {
                    self.feed.set(None);
                    Timeout::new(PAUSE_MS, move || self.listen()).forget();
                }
            }
        }
    }

    fn take(self, mut event: Happened) {
        if let Happened::Progress { progress, preview } = &mut event
            && let Some(url) = preview.take()
        {
            let index = progress.picture.saturating_sub(1);
            if self.previewed.get_untracked() != index {
                self.previews.set(Vec::new());
                self.previewed.set(index);
            }
            self.previews.update(|previews| push_preview(previews, url));
        }
        let is_final = event.is_final();
        if is_final {
            leave_cancel();
        }
        self.job.update(|job| apply(job, event));
        if is_final {
            self.feed.set(None);
            self.clock.set(None);
        }
    }
}
