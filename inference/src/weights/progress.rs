//! How much of a model's weights was read.

use std::fmt;
use std::sync::Mutex;

/// Bytes that were read, and bytes in all.
type Report = Box<dyn FnMut(u64, u64) + Send>;

/// Tells how much of a model's weights was read.
///
/// What a part takes is counted when the part is opened, so the number in all grows a few times at the beginning; and
/// tensors that a pipeline never asks for, such as a VAE's encoder where there is only text, count in it and are not
/// read.
pub struct Progress(Mutex<Counter>);

struct Counter {
    done: u64,
    total: u64,
    report: Report,
}

impl Progress {
    /// `report` is called after every tensor, with bytes that were read and bytes in all.
    pub fn new(report: impl FnMut(u64, u64) + Send + 'static) -> Self {
        Self(Mutex::new(Counter { done: 0, total: 0, report: Box::new(report) }))
    }

    /// One more part, of so many bytes.
    pub(crate) fn expect(&self, bytes: u64) {
        self.change(|counter| counter.total += bytes);
    }

    /// One more tensor was read.
    pub(crate) fn advance(&self, bytes: u64) {
        self.change(|counter| counter.done += bytes);
    }

    fn change(&self, change: impl FnOnce(&mut Counter)) {
        // A report that panicked leaves the counter whole.
        let mut counter = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        change(&mut counter);
        let (done, total) = (counter.done, counter.total);
        (counter.report)(done, total);
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Progress")
    }
}
