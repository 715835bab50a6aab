//! How long to wait after a failure before the next try.

use std::time::Duration;

/// After the first failure: long enough for another program to let go of the database.
const SHORTEST: Duration = Duration::from_secs(1);

/// A disk that was full and has room again is noticed within this time.
const LONGEST: Duration = Duration::from_secs(30);

/// Pauses that double from failure to failure.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    n_failures: u32,
}

impl Backoff {
    /// It failed once more: how long to wait.
    pub(super) fn after_failure(&mut self) -> Duration {
        let pause = SHORTEST.saturating_mul(2_u32.saturating_pow(self.n_failures));
        self.n_failures += 1;
        pause.min(LONGEST)
    }

    /// It went well, so the next pause is a short one.
    pub(super) fn reset(&mut self) {
        self.n_failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_half_a_minute_and_are_short_again_after_a_success() {
        let mut backoff = Backoff::default();
        let pauses: Vec<_> = (0..7).map(|_| backoff.after_failure().as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
        for _ in 0..100 {
            assert!(backoff.after_failure() <= LONGEST);
        }
        backoff.reset();
        assert_eq!(backoff.after_failure(), SHORTEST);
    }
}
