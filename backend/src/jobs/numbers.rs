//! The number of every event.
//!
//! A number follows from what happened and from nothing else. So the same event has the same number whether
//! it is read from memory or told from the database, before a restart or after it, and a reader who says the
//! last number it saw gets exactly what came later.
//!
//! Within attempt `a` at a job, `a * NUMBERS_PER_ATTEMPT` is followed by its pictures, a thousand numbers for each: its
//! beginning, the hundredths of the model that are loaded for it, its steps, both once more should it be tried again, what is
//! to be said of it, and the picture itself. Then come the places in the queue should it be put back, and its end. Attempt 0 is the time before the first.
//!
//! A place in the queue moves both ways: somebody with fewer jobs comes in before others. What only grows is twice the number
//! of jobs that were asked for since, less the number of those ahead: a newcomer adds two and is one ahead at most, and whoever
//! leaves is one ahead less.

use types::event::NUMBERS_PER_ATTEMPT;
use types::note::Note;

/// More than the steps of a picture, with what comes before them.
const PER_PICTURE: u64 = 1_000;
/// Where the steps of a picture begin, after its beginning and a hundred hundredths.
const FIRST_STEP: u64 = 200;
/// Where a second try begins, after the steps of the first: first what is loaded, then its steps.
const SECOND_TRY: u64 = 501;
/// Where what is said of a picture begins, after the steps of a second try.
const FIRST_NOTE: u64 = 910;
/// Where the places in the queue begin, after all pictures.
const QUEUED: u64 = 500_000;
/// Longest queue whose places are told apart. As many numbers are left for the jobs that are asked for later; of a job that
/// sees more of them come, no place is told any more.
const LONGEST_QUEUE: u64 = 250_000;

/// Picture `index` is begun with.
pub(crate) fn begin(attempt: u64, index: u32) -> u64 {
    attempt * NUMBERS_PER_ATTEMPT + u64::from(index) * PER_PICTURE
}

/// This share of the model, from 0 to 1, was loaded for picture `index`. The second try, and all after it, are `again`.
pub(crate) fn loading(attempt: u64, index: u32, again: bool, fraction: f64) -> u64 {
    let first = if again { SECOND_TRY } else { 1 };
    begin(attempt, index) + first + (fraction.clamp(0.0, 1.0) * 100.0).round() as u64
}

/// Step `step` of picture `index` was done, from 1.
pub(crate) fn step(attempt: u64, index: u32, again: bool, step: u32) -> u64 {
    let before_first = if again { SECOND_TRY + 100 } else { FIRST_STEP };
    begin(attempt, index) + before_first + u64::from(step)
}

/// This is to be said of picture `index`.
pub(crate) fn note(attempt: u64, index: u32, note: Note) -> u64 {
    begin(attempt, index) + FIRST_NOTE + note as u64
}

/// Picture `index` was stored.
pub(crate) fn picture(attempt: u64, index: u32) -> u64 {
    begin(attempt, index) + (PER_PICTURE - 1)
}

/// The job waits for the attempt after this one, behind `n_ahead` others; so many were asked for since it was itself.
pub(crate) fn queued(attempt: u64, n_after: u64, n_ahead: u64) -> u64 {
    let place = LONGEST_QUEUE - n_ahead.min(LONGEST_QUEUE) + n_after.saturating_mul(2);
    (attempt * NUMBERS_PER_ATTEMPT + QUEUED).saturating_add(place).min(last(attempt) - 1)
}

/// The job came to its end.
pub(crate) fn last(attempt: u64) -> u64 {
    attempt * NUMBERS_PER_ATTEMPT + (NUMBERS_PER_ATTEMPT - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::request::{COUNT, HIRES_STEPS, STEPS};

    #[test]
    fn numbers_grow_over_a_jobs_whole_life() {
        let mut life = vec![queued(0, 0, 1_000_000), queued(0, 0, 2), queued(0, 1, 3), queued(0, 1, 0)];
        for attempt in [1, 2] {
            for index in 0..*COUNT.end() {
                let most_steps = STEPS.end() + HIRES_STEPS.end();
                life.extend([
                    begin(attempt, index),
                    loading(attempt, index, false, 0.0),
                    loading(attempt, index, false, 0.01),
                    loading(attempt, index, false, 1.0),
                    step(attempt, index, false, 1),
                    step(attempt, index, false, most_steps),
                    loading(attempt, index, true, 0.0),
                    loading(attempt, index, true, 1.0),
                    step(attempt, index, true, 1),
                    step(attempt, index, true, most_steps),
                    note(attempt, index, Note::ALL[0]),
                    note(attempt, index, Note::ALL[Note::ALL.len() - 1]) + 1,
                    picture(attempt, index),
                ]);
            }
            life.extend([queued(attempt, 9, 1), queued(attempt, 9, 0), queued(attempt, 1_000_000, 0)]);
        }
        life.push(last(2));
        assert!(life.is_sorted_by(|a, b| a < b), "{life:?}");
    }

    #[test]
    fn however_the_queue_moves_the_number_of_a_place_grows() {
        for n_ahead in [1, 5, 100] {
            let now = queued(0, 7, n_ahead);
            assert!(queued(0, 7, n_ahead - 1) > now, "one ahead has left");
            assert!(queued(0, 8, n_ahead + 1) > now, "a newcomer is ahead");
            assert!(queued(0, 8, n_ahead) > now, "a newcomer is behind");
            assert!(queued(0, 10, n_ahead + 3) > now, "three newcomers are ahead at once");
        }
    }
}
