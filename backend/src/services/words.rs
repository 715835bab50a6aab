//! What is written word by word, up to a word that the site does not paint.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream::unfold;

use super::{PromptStream, Services};
use crate::Result;
use crate::blocked_requests::refuse;
use crate::prompt_helpers::BLOCKED_WORDS;
use crate::prompt_helpers::blocked::BlockedWords;

impl Services {
    /// Refuses a beginning of a prompt with words that the site does not paint; else the words, if there are any.
    pub(super) fn blocked_for(&self, start: &str) -> Result<Option<Arc<BlockedWords>>> {
        let blocked = self.0.shared.blocked_words()?;
        refuse(&blocked, "start", start)?;
        Ok(Some(blocked).filter(|blocked| !blocked.is_empty()))
    }
}

/// A text that goes on after `start`, word by word, up to the first that the site does not paint.
pub(super) fn up_to_blocked(pieces: PromptStream, start: String, blocked: Arc<BlockedWords>) -> PromptStream {
    let n_told = start.len();
    let writing = Writing { pieces: Some(pieces), text: start, n_told, blocked };
    unfold(writing, |mut writing| async move { Some((writing.next().await?, writing)) }).boxed()
}

struct Writing {
    /// Nothing once it is over: dropping it stops whoever writes.
    pieces: Option<PromptStream>,
    /// All of it, with the beginning.
    text: String,
    /// Bytes of it that were told.
    n_told: usize,
    blocked: Arc<BlockedWords>,
}

impl Writing {
    async fn next(&mut self) -> Option<Result<String>> {
        loop {
            let end = match self.pieces.as_mut()?.next().await {
                Some(Ok(piece)) => {
                    self.text += &piece;
                    // A word is whole once something else begins.
                    let end = self.text.rfind(char::is_whitespace);
                    let Some(end) = end.filter(|&end| end > self.n_told) else { continue };
                    end
                }
                Some(Err(error)) => return Some(Err(error)),
                None => {
                    self.pieces = None;
                    self.text.len()
                }
            };
            if end == self.n_told {
                return None;
            }
            if let Some(line) = self.blocked.line_against(&self.text[..end]) {
                tracing::info!(file = BLOCKED_WORDS, line, "a prompt was cut off");
                self.pieces = None;
                return None;
            }
            let piece = self.text[self.n_told..end].to_owned();
            self.n_told = end;
            return Some(Ok(piece));
        }
    }
}
