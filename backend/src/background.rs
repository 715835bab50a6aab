//! Letting pages go before pictures.
//!
//! A picture takes every core for seconds. With the same priority as the rest of the program, the threads that
//! compute it hold up every page that is asked for meanwhile.

use std::thread;

use tokio::sync::oneshot;

use crate::{Error, Result};

/// How much nicer a thread is that computes pictures. On a busy core it gets a third of what another thread
/// gets (each step is a quarter more or less): enough that pages go first, and not so much that pictures stand
/// still beside another program.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 5;

/// The lowest priority there is.
#[cfg(target_os = "linux")]
const NICEST: i32 = 19;

/// Lowers the priority of the thread that calls this, for good. Does nothing where a thread has no priority of
/// its own, as POSIX has it; Linux gives every thread one.
pub fn lower_priority() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{getpriority_process, setpriority_process};
        // Without a process id it is the calling thread that is meant.
        let lowered =
            getpriority_process(None).and_then(|now| setpriority_process(None, (now + NICENESS).min(NICEST)));
        if let Err(error) = lowered {
            tracing::debug!(%error, "a thread could not be given a lower priority");
        }
    }
}

/// Computes on a thread of its own and of low priority. A panic there ends the channel without a word.
///
/// Not one of the runtime's threads: those read files for pages too, and a priority is not raised again.
pub(crate) fn compute<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<oneshot::Receiver<T>> {
    let (sender, receiver) = oneshot::channel();
    // What is logged there belongs to the job or the request that is logged here.
    let span = tracing::Span::current();
    let thread = move || {
        let _entered = span.entered();
        lower_priority();
        // Nobody waits any more if this cannot be sent.
        let _ = sender.send(work());
    };
    thread::Builder::new()
        .name("painter".to_owned())
        .spawn(thread)
        .map_err(|source| Error::Io { what: "starting a thread".to_owned(), source })?;
    Ok(receiver)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_computed_is_handed_over_and_a_panic_is_noticed() {
        assert_eq!(compute(|| 7).unwrap().await, Ok(7));
        let panics = || -> u8 { panic!("the test wants it") };
        assert!(compute(panics).unwrap().await.is_err());
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn whoever_computes_is_nicer_than_whoever_waits() {
        let niceness = || rustix::process::getpriority_process(None).unwrap();
        let here = niceness();
        let there = compute(niceness).unwrap().await.unwrap();
        assert_eq!(there, (here + NICENESS).min(NICEST));
        assert_eq!(niceness(), here);
    }
}
