//! How long a job will take, and when to show a preview.

use std::time::{Duration, Instant};

/// Longest time between two previews while steps go by: four a second are enough to see a picture come.
const PREVIEW_INTERVAL: Duration = Duration::from_millis(250);

/// A picture that takes less than a second and a half shows about this many previews all the same.
const PREVIEWS_PER_PICTURE: u32 = 6;

/// Measures the steps of one job.
///
/// Time is an argument of every method, so that tests need no clock.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    /// Of each picture.
    steps: Vec<u32>,
    /// Of the picture that is being made.
    n_steps: u32,
    n_together: u32,
    last_step: Option<Instant>,
    /// Time and number of the steps that were measured: all but the first of every picture, which
    /// has the loading of the model and the reading of the prompt in it.
    measured: (Duration, u32),
    last_preview: Option<Instant>,
}

impl Pace {
    /// For a job whose pictures have so many steps each.
    pub(super) fn new(steps: Vec<u32>) -> Self {
        let measured = (Duration::ZERO, 0);
        Self { steps, n_steps: 0, n_together: 1, last_step: None, measured, last_preview: None }
    }

    /// The next pictures begin, from `index` on, so many together: each of their steps is one of all of them.
    pub(super) fn begin_pictures(&mut self, index: u32, n_together: u32) {
        self.n_steps = self.steps.get(index as usize).copied().unwrap_or(0);
        self.n_together = n_together;
        self.last_step = None;
        self.last_preview = None;
    }

    /// A step was done. Gives back what it took, unless it was the first of its picture.
    pub(super) fn record_step(&mut self, now: Instant) -> Option<Duration> {
        let took = now.duration_since(self.last_step.replace(now)?);
        self.measured.0 += took;
        self.measured.1 += 1;
        Some(took)
    }

    /// When the last step of the present picture was done.
    pub(super) fn last_step(&self) -> Option<Instant> {
        self.last_step
    }

    /// What a step takes, once one was measured.
    pub(super) fn per_step(&self) -> Option<Duration> {
        let (time, n_steps) = self.measured;
        (n_steps > 0).then(|| time / n_steps)
    }

    /// Time to the end of the job after step `step` of picture `index` and those that are made with it. The ones after
    /// them are made as many together.
    pub(super) fn remaining(&self, index: u32, step: u32) -> Option<Duration> {
        let after = self.steps.get((index + self.n_together) as usize..).unwrap_or_default();
        let runs_after = after.chunks(self.n_together.max(1) as usize);
        let steps_after: u32 = runs_after.filter_map(<[u32]>::first).sum();
        Some(self.per_step()? * (steps_after + self.n_steps.saturating_sub(step)))
    }

    /// Whether this step is to show a preview; if so, it counts as shown.
    ///
    /// The first step of a picture always does, then one every quarter of a second, or more often for a
    /// picture that is done before there would be enough.
    pub(super) fn wants_preview(&mut self, now: Instant) -> bool {
        let usual =
            self.per_step().map_or(PREVIEW_INTERVAL, |time| time * self.n_steps / PREVIEWS_PER_PICTURE);
        let interval = usual.min(PREVIEW_INTERVAL);
        let due = self.last_preview.is_none_or(|last| now.duration_since(last) >= interval);
        if due {
            self.last_preview = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps after which a preview is shown, for a picture whose steps take `step_ms`.
    fn previews(n_steps: u32, step_ms: u64) -> Vec<u32> {
        let mut pace = Pace::new(vec![n_steps]);
        let mut now = Instant::now();
        pace.begin_pictures(0, 1);
        (1..=n_steps)
            .filter(|_| {
                now += Duration::from_millis(step_ms);
                pace.record_step(now);
                pace.wants_preview(now)
            })
            .collect()
    }

    #[test]
    fn slow_steps_show_four_previews_a_second_at_most() {
        assert_eq!(previews(4, 1_000), [1, 2, 3, 4]);
        let shown = previews(100, 100);
        assert_eq!(shown[0], 1);
        assert!(shown.windows(2).skip(1).all(|pair| pair[1] - pair[0] >= 3), "{shown:?}");
    }

    #[test]
    fn a_quick_picture_shows_five_previews_at_least() {
        for (n_steps, step_ms) in [(20, 50), (20, 100), (10, 50), (10, 20), (5, 10)] {
            let shown = previews(n_steps, step_ms);
            assert!(shown.len() >= 5, "{n_steps} steps of {step_ms} ms: {shown:?}");
        }
    }

    #[test]
    fn the_remaining_time_follows_from_measured_steps() {
        let mut pace = Pace::new(vec![10; 2]);
        let start = Instant::now();
        pace.begin_pictures(0, 1);
        pace.record_step(start);
        assert_eq!(pace.remaining(0, 1), None, "the first step has the loading in it");
        pace.record_step(start + Duration::from_millis(100));
        assert_eq!(pace.remaining(0, 2), Some(Duration::from_millis(1_800)));
        assert_eq!(pace.remaining(1, 10), Some(Duration::ZERO));
        let mut pace = Pace { steps: vec![10; 7], ..pace };
        pace.begin_pictures(0, 3);
        assert_eq!(pace.remaining(0, 2), Some(Duration::from_millis(2_800)), "then three, then one");
    }

    #[test]
    fn pictures_that_have_other_steps_count_with_their_own() {
        let mut pace = Pace::new(vec![2, 10, 5, 0]);
        let start = Instant::now();
        pace.begin_pictures(0, 1);
        pace.record_step(start);
        pace.record_step(start + Duration::from_millis(100));
        assert_eq!(pace.remaining(0, 2), Some(Duration::from_millis(1_500)));
        pace.begin_pictures(1, 1);
        assert_eq!(pace.remaining(1, 4), Some(Duration::from_millis(1_100)));
        pace.begin_pictures(2, 1);
        assert_eq!(pace.remaining(2, 5), Some(Duration::ZERO));
    }
}
