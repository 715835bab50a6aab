//! How often somebody said a wrong password: after ten in a minute, the right one is not taken either.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many wrong ones are put up with in a [`WINDOW`].
const MOST: u32 = 10;

/// For how long they count.
const WINDOW: Duration = Duration::from_mins(1);

/// From so many callers on, those whose time is over are forgotten.
const MOST_CALLERS: usize = 10_000;

/// Wrong tries by caller.
#[derive(Default)]
pub struct Tries {
    wrong: Mutex<HashMap<String, (u32, Instant)>>,
}

impl Tries {
    /// Whether what this caller says is right, which is only looked at while they have tries left.
    ///
    /// # Errors
    /// How long to wait.
    pub fn of(&self, caller: &str, is_right: impl FnOnce() -> bool) -> Result<bool, Duration> {
        self.at(Instant::now(), caller, is_right)
    }

    fn at(&self, now: Instant, caller: &str, is_right: impl FnOnce() -> bool) -> Result<bool, Duration> {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        if wrong.len() > MOST_CALLERS {
            wrong.retain(|_, (_, since)| now.duration_since(*since) < WINDOW);
        }
        let known = wrong.get(caller).filter(|(_, since)| now.duration_since(*since) < WINDOW).copied();
        let (n, since) = known.unwrap_or((0, now));
        if n >= MOST {
            return Err(WINDOW.saturating_sub(now.duration_since(since)));
        }
        let is_right = is_right();
        if is_right {
            wrong.remove(caller);
        } else {
            wrong.insert(caller.to_owned(), (n + 1, since));
        }
        Ok(is_right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_wrong_ones_are_too_many_and_a_minute_later_one_may_try_again() {
        let (tries, now) = (Tries::default(), Instant::now());
        for _ in 0..10 {
            assert_eq!(tries.at(now, "anna", || false), Ok(false));
        }
        assert_eq!(tries.at(now, "anna", || true), Err(WINDOW), "the right one comes too late");
        assert_eq!(tries.at(now, "bob", || true), Ok(true));
        assert_eq!(tries.at(now + WINDOW, "anna", || true), Ok(true));
    }

    #[test]
    fn whoever_knows_it_may_say_it_as_often_as_they_like() {
        let (tries, now) = (Tries::default(), Instant::now());
        assert!((0..100).all(|_| tries.at(now, "anna", || true) == Ok(true)));
    }
}
