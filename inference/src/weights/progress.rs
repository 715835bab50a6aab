//! How much of a model's weights was read.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Mutex;

use crate::error::{Error, Result};

/// Bytes that were read, and bytes in all; `Break` ends the reading.
type Report = Box<dyn FnMut(u64, u64) -> ControlFlow<()> + Send>;

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
    pub fn new(mut report: impl FnMut(u64, u64) + Send + 'static) -> Self {
        Self::breakable(move |done, total| {
            report(done, total);
            ControlFlow::Continue(())
        })
    }

    /// The same, and `Break` from `report` ends the reading with [`Error::Cancelled`].
    pub fn breakable(report: impl FnMut(u64, u64) -> ControlFlow<()> + Send + 'static) -> Self {
        Self(Mutex::new(Counter { done: 0, total: 0, report: Box::new(report) }))
    }

    /// One more part, of so many bytes.
    ///
    /// # Errors
    /// [`Error::Cancelled`] if the report broke off.
    pub(crate) fn expect(&self, bytes: u64) -> Result<()> {
        self.change(|counter| counter.total += bytes)
    }

    /// One more tensor was read.
    ///
    /// # Errors
    /// [`Error::Cancelled`] if the report broke off.
    pub(crate) fn advance(&self, bytes: u64) -> Result<()> {
        self.change(|counter| counter.done += bytes)
    }

    fn change(&self, change: impl FnOnce(&mut Counter)) -> Result<()> {
        // A report that panicked leaves the counter whole.
        let mut counter = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        change(&mut counter);
        let (done, total) = (counter.done, counter.total);
        match (counter.report)(done, total) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Cancelled),
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Progress")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_that_breaks_off_cancels_the_reading() {
        let progress = Progress::breakable(|done, total| {
            if 2 * done < total { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        progress.expect(10).unwrap();
        progress.advance(4).unwrap();
        assert!(matches!(progress.advance(1), Err(Error::Cancelled)));
    }
}
