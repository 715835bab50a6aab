//! GPT-2's text as a stream.

use std::ops::ControlFlow;
use std::sync::Arc;

use futures::{FutureExt, StreamExt};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

use crate::turns::{Bounds, Turns};
use crate::{Engine, EngineError, Error, PromptStream, Result, Visitor};

/// More pieces than a prompt has: a reader who is slow holds up nobody.
const CAPACITY: usize = 256;

/// Two at the same time. More would make each of them slow, and the picture too.
const BOUNDS: Bounds =
    Bounds { what: "prompts that are written", at_once: 2, most_of_owner: 8, most_of_address: 32 };

/// Writes prompts, a few at a time.
pub(crate) struct Prompts {
    turns: Arc<Turns>,
}

impl Prompts {
    pub(crate) fn new() -> Self {
        Self { turns: Turns::new(BOUNDS) }
    }

    /// Resolves when nobody writes.
    #[cfg(test)]
    pub(crate) async fn all_quiet(&self) {
        self.turns.all_quiet().await;
    }

    /// The text that comes after `start`, in pieces as they are made. Dropping the stream stops the writing,
    /// and so does `stopping`.
    ///
    /// # Errors
    /// Too many prompts of this visitor's wait or are written already.
    pub(crate) fn write(
        &self,
        visitor: &Visitor,
        engine: Arc<dyn Engine>,
        start: String,
        seed: u64,
        stopping: CancellationToken,
    ) -> Result<PromptStream> {
        let ticket = self.turns.take_ticket(visitor)?;
        let (pieces, stream) = mpsc::channel(CAPACITY);
        let to_the_reader = pieces.clone();
        let writing = async move {
            let turn = ticket.turn().await;
            // Runs on to the end of the closure; when the stream is dropped, at the next piece.
            let written = tokio::task::spawn_blocking(move || {
                let _turn = turn;
                let written = engine.write_prompt(&start, seed, &mut |text| {
                    if stopping.is_cancelled() || pieces.blocking_send(Ok(text.to_owned())).is_err() {
                        return ControlFlow::Break(());
                    }
                    ControlFlow::Continue(())
                });
                // Being cancelled is no error for a text: what was written stands.
                if let Err(error) = written
                    && !matches!(error, EngineError::Cancelled)
                {
                    tracing::error!(%error, "a prompt could not be written");
                    // Nobody listens any more if this cannot be sent.
                    let _ = pieces.blocking_send(Err(Error::Engine(error)));
                }
            });
            // Watched from aside: the pieces do not wait for the end. Without a word from here, a text that broke
            // off would look like one that is finished.
            tokio::spawn(async move {
                if let Err(panic) = written.await {
                    let error = Error::Broken(format!("the writing of a prompt ended early: {panic}"));
                    tracing::error!(%error, "a prompt could not be written");
                    // Nobody listens any more if this cannot be sent.
                    let _ = to_the_reader.send(Err(error)).await;
                }
            });
        };
        // The writing begins with the first look at the stream, and not at all if nobody looks.
        Ok(writing.into_stream().filter_map(|()| async { None }).chain(ReceiverStream::new(stream)).boxed())
    }
}
