//! How long an attempt at a job may take.
//!
//! What a job takes is estimated before it is accepted, by what steps took before. Here it is held to, however wrong the
//! estimate was, or though there was none.

use std::time::{Duration, Instant};

use types::error::PublicError;

/// Counts the time of one attempt, from one report of the engine to the next. What it takes to read a model counts for nobody:
/// the next job has it in memory.
///
/// Time is an argument of every method, so that tests need no clock.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bound {
    most_s: Option<u32>,
    taken: Duration,
    /// When the engine last reported, or began.
    since: Option<Instant>,
}

impl Bound {
    /// At most so many seconds; nothing said means no bound.
    pub(super) fn of(most_s: Option<u32>) -> Self {
        Self { most_s, ..Self::default() }
    }

    /// The engine begins: what lies before is not its time.
    pub(super) fn begin(&mut self, now: Instant) {
        self.since = Some(now);
    }

    /// The engine has read some of a model.
    pub(super) fn pass_over(&mut self, now: Instant) {
        self.since = Some(now);
    }

    /// The engine has done a step.
    pub(super) fn count(&mut self, now: Instant) {
        self.taken += self.since.replace(now).map_or(Duration::ZERO, |since| now.duration_since(since));
    }

    /// What the owner of a job is told that has taken as long as it may; `None` while it has not.
    pub(super) fn reached(&self) -> Option<PublicError> {
        let most_s = self.most_s?;
        if self.taken < Duration::from_secs(most_s.into()) {
            return None;
        }
        let sentence = format!(
            "the job was stopped after {} seconds, and a job may take {most_s}; ask for fewer steps, or for fewer or smaller \
             pictures",
            self.taken.as_secs()
        );
        Some(PublicError::invalid_field("steps", sentence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_count_and_neither_the_reading_of_a_model_nor_what_lies_between_two_runs_does() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut bound = Bound::of(Some(10));
        bound.begin(at(0));
        bound.pass_over(at(100));
        bound.count(at(104));
        bound.count(at(108));
        assert!(bound.reached().is_none());
        bound.begin(at(200));
        bound.count(at(201));
        assert!(bound.reached().is_none(), "nine seconds of steps");
        bound.count(at(203));
        assert_eq!(
            bound.reached().unwrap().message,
            "the job was stopped after 11 seconds, and a job may take 10; ask for fewer steps, or for fewer or smaller pictures"
        );
    }

    #[test]
    fn nothing_said_is_no_bound() {
        let start = Instant::now();
        let mut bound = Bound::of(None);
        bound.begin(start);
        bound.count(start + Duration::from_hours(100));
        assert!(bound.reached().is_none());
    }
}
