//! The number of every event.
//!
//! A number follows from what happened and from nothing else. So the same event has the same number whether
//! it is read from memory or told from the database, before a restart or after it, and a reader who says the
//! last number it saw gets exactly what came later.
//!
//! Within attempt `a` at a job, `a * NUMBERS_PER_ATTEMPT` is followed by the steps of its pictures, a thousand
//! numbers for each, then by the places in the queue should it be put back, then by its end. Attempt 0 is the
//! time before the first.

use types::event::NUMBERS_PER_ATTEMPT;

/// More than the steps of a picture.
const PER_PICTURE: u64 = 1_000;
/// Where the places in the queue begin, after the steps of all pictures.
const QUEUED: u64 = 500_000;
/// Longest queue whose places are told apart.
const LONGEST_QUEUE: u64 = 250_000;

/// Step `step` of picture `index` was done; step 0 is its beginning.
pub(crate) fn step(attempt: u64, index: u32, step: u32) -> u64 {
    attempt * NUMBERS_PER_ATTEMPT + u64::from(index) * PER_PICTURE + u64::from(step)
}

/// Picture `index` was stored.
pub(crate) fn picture(attempt: u64, index: u32) -> u64 {
    attempt * NUMBERS_PER_ATTEMPT + u64::from(index) * PER_PICTURE + (PER_PICTURE - 1)
}

/// The job waits for the attempt after this one. A job only ever moves forward in the queue, so the number
/// grows as those ahead become fewer.
pub(crate) fn queued(attempt: u64, n_ahead: u64) -> u64 {
    attempt * NUMBERS_PER_ATTEMPT + QUEUED + (LONGEST_QUEUE - n_ahead.min(LONGEST_QUEUE))
}

/// The job came to its end.
pub(crate) fn last(attempt: u64) -> u64 {
    attempt * NUMBERS_PER_ATTEMPT + (NUMBERS_PER_ATTEMPT - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::request::{COUNT, STEPS};

    #[test]
    fn numbers_grow_over_a_jobs_whole_life() {
        let mut life = vec![queued(0, 1_000_000), queued(0, 2), queued(0, 0)];
        for attempt in [1, 2] {
            for index in 0..*COUNT.end() {
                life.extend([
                    step(attempt, index, 0),
                    step(attempt, index, *STEPS.end()),
                    picture(attempt, index),
                ]);
            }
            life.extend([queued(attempt, 1), queued(attempt, 0)]);
        }
        life.push(last(2));
        assert!(life.is_sorted_by(|a, b| a < b), "{life:?}");
    }
}
