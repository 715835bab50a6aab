//! The number of every event.
//!
//! A number follows from what happened and from nothing else. So the same event has the same number whether
//! it is read from memory or told from the database, before a restart or after it, and a reader who says the
//! last number it saw gets exactly what came later.
//!
//! Within attempt `a` at a job, `a * NUMBERS_PER_ATTEMPT` is followed by its pictures, five thousand numbers for each: its
//! beginning, the hundredths of the model that are loaded for it, its steps, both once more for each time that it is tried again,
//! what is to be said of it, and the picture itself. Then come the places in the queue should it be put back, and its end. Attempt 0 is the time before the first.
//!
//! A place in the queue moves both ways: somebody with fewer jobs comes in before others. What only grows is twice the number
//! of jobs that were asked for since, less the number of those ahead: a newcomer adds two and is one ahead at most, and whoever
//! leaves is one ahead less.

use types::event::NUMBERS_PER_ATTEMPT;
use types::note::Note;

/// More than the steps of a picture, with what comes before them.
const PER_PICTURE: u64 = 5_000;
/// For each try: the hundredths of the model that are loaded, from none to all, and then its steps.
const PER_TRY: u64 = 450;
/// Where the steps of a try begin.
const FIRST_STEP: u64 = 101;
/// Tries that are told apart: a model and its fallback, each in f32 as well, and the pictures of a batch that came out black,
/// one by one. Those after them have the numbers of the last.
const MOST_TRIES: u32 = 10;
/// Where what is said of a picture begins, after the steps of all tries.
const FIRST_NOTE: u64 = 4_900;
/// Where the places in the queue begin, after all pictures.
const QUEUED: u64 = 500_000;
/// Longest queue whose places are told apart. As many numbers are left for the jobs that are asked for later; of a job that
/// sees more of them come, no place is told any more.
const LONGEST_QUEUE: u64 = 250_000;

/// Picture `index` is begun with.
pub(crate) fn begin(attempt: u64, index: u32) -> u64 {
    attempt * NUMBERS_PER_ATTEMPT + u64::from(index) * PER_PICTURE
}

/// This share of the model, from 0 to 1, was loaded for picture `index`, for the try after `n_before` others.
pub(crate) fn loading(attempt: u64, index: u32, n_before: u32, fraction: f64) -> u64 {
    try_begins(attempt, index, n_before) + (fraction.clamp(0.0, 1.0) * 100.0).round() as u64
}

/// Step `step` of picture `index` was done, from 1, by the try after `n_before` others.
pub(crate) fn step(attempt: u64, index: u32, n_before: u32, step: u32) -> u64 {
    try_begins(attempt, index, n_before) + FIRST_STEP + u64::from(step)
}

fn try_begins(attempt: u64, index: u32, n_before: u32) -> u64 {
    begin(attempt, index) + 1 + u64::from(n_before.min(MOST_TRIES - 1)) * PER_TRY
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
    use types::request::{COUNT, HIRES_STEPS, MAX_GRID_CELLS, STEPS};

    #[test]
    fn numbers_grow_over_a_jobs_whole_life() {
        let mut life = vec![queued(0, 0, 1_000_000), queued(0, 0, 2), queued(0, 1, 3), queued(0, 1, 0)];
        for attempt in [1, 2] {
            for index in 0..(*COUNT.end()).max(MAX_GRID_CELLS + 1) {
                let most_steps = STEPS.end() + HIRES_STEPS.end();
                life.push(begin(attempt, index));
                for n_before in 0..MOST_TRIES {
                    life.extend([
                        loading(attempt, index, n_before, 0.0),
                        loading(attempt, index, n_before, 0.01),
                        loading(attempt, index, n_before, 1.0),
                        step(attempt, index, n_before, 1),
                        step(attempt, index, n_before, most_steps),
                    ]);
                }
                life.extend([
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
