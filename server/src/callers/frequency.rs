//! How often everybody called lately.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// After so many questions, those who were not here for a while are forgotten.
const QUESTIONS_BETWEEN_CLEANINGS: u32 = 10_000;

/// Counts requests by caller. Each limit has a counter of its own, as keys may have limits of their own.
#[derive(Default)]
pub struct Frequency {
    state: Mutex<State>,
    clock: DefaultClock,
}

#[derive(Default)]
struct State {
    limiters: HashMap<NonZeroU32, Arc<DefaultKeyedRateLimiter<String>>>,
    n_questions: u32,
}

impl Frequency {
    /// Counts a request. So many in a minute are allowed, all at once as well; then as they become free again, one by one.
    ///
    /// # Errors
    /// How long to wait.
    pub fn count(&self, caller: &str, per_minute: u32) -> Result<(), Duration> {
        let Some(per_minute) = NonZeroU32::new(per_minute) else { return Err(Duration::from_mins(1)) };
        let limiter = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.n_questions += 1;
            if state.n_questions > QUESTIONS_BETWEEN_CLEANINGS {
                state.n_questions = 0;
                for limiter in state.limiters.values() {
                    limiter.retain_recent();
                    limiter.shrink_to_fit();
                }
            }
            let new = || Arc::new(RateLimiter::keyed(Quota::per_minute(per_minute)));
            Arc::clone(state.limiters.entry(per_minute).or_insert_with(new))
        };
        limiter.check_key(&caller.to_owned()).map_err(|not_until| not_until.wait_time_from(self.clock.now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_as_many_as_are_allowed_and_then_waits() {
        let frequency = Frequency::default();
        for _ in 0..3 {
            assert_eq!(frequency.count("anna", 3), Ok(()));
        }
        let wait = frequency.count("anna", 3).unwrap_err();
        assert!(wait <= Duration::from_secs(20) && wait > Duration::from_secs(10), "{wait:?}");
        assert_eq!(frequency.count("bob", 3), Ok(()));
        assert_eq!(frequency.count("anna", 4), Ok(()), "another limit counts by itself");
        assert!(frequency.count("anna", 0).is_err());
    }
}
