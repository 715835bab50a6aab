//! Words that the site does not paint.

use std::collections::HashSet;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::unfold;
use types::error::PublicError;
use types::prompt::{Part, lora_tags, parse};
use types::request::GenerationRequest;

use super::{PromptStream, Services};
use crate::prompt_helpers::BLOCKED_WORDS;
use crate::prompt_helpers::blocked::BlockedWords;
use crate::{Error, Result};

impl Services {
    /// Refuses a request that would paint what the site does not paint. What a negative prompt keeps away may be named: it
    /// is the opposite of asking for it, unless its weight is turned round.
    pub(super) fn refuse_blocked(&self, request: &GenerationRequest) -> Result<()> {
        let blocked = self.blocked()?;
        if blocked.is_empty() {
            return Ok(());
        }
        let cells = (0..request.count).map_while(|index| request.cell(index));
        let both = |request: GenerationRequest| (request.prompt, request.negative_prompt);
        let (mut prompts, mut negative_prompts): (HashSet<String>, HashSet<String>) = cells.map(both).unzip();
        prompts.insert(request.prompt.clone());
        negative_prompts.insert(request.negative_prompt.clone());
        // A tag is no word to the model, and without it what stood around it may be one.
        let without_tags = |prompt: &String| lora_tags(prompt).0;
        prompts.iter().try_for_each(|prompt| refuse(&blocked, "prompt", &without_tags(prompt)))?;
        negative_prompts
            .iter()
            .try_for_each(|prompt| refuse(&blocked, "negative_prompt", &turned_round(&without_tags(prompt))))
    }

    fn blocked(&self) -> Result<Arc<BlockedWords>> {
        // Why it cannot be read was said in the log, once.
        self.0.shared.helpers.blocked().map_err(|_| Error::BlockedWordsUnread)
    }

    /// Refuses a beginning of a prompt with words that the site does not paint; else the words, if there are any.
    pub(super) fn blocked_for(&self, start: &str) -> Result<Option<Arc<BlockedWords>>> {
        let blocked = self.blocked()?;
        refuse(&blocked, "start", start)?;
        Ok(Some(blocked).filter(|blocked| !blocked.is_empty()))
    }
}

/// The words of a negative prompt whose weight is below 0, so that the picture is not kept away from them.
fn turned_round(negative_prompt: &str) -> String {
    let is_turned = |part| match part {
        Part::Text { text, weight } if weight < 0.0 => Some(text),
        _ => None,
    };
    parse(negative_prompt).into_iter().filter_map(is_turned).collect::<Vec<_>>().join(" ")
}

/// The sentence does not say which word it was: it is not for the page to repeat, and names no way round it.
fn refuse(blocked: &BlockedWords, field: &str, text: &str) -> Result<()> {
    let Some(line) = blocked.line_against(text) else { return Ok(()) };
    tracing::info!(file = BLOCKED_WORDS, line, "a prompt was refused");
    let name = field.replace('_', " ");
    let sentence = format!("the {name} has words that this site does not paint; say it in other words");
    Err(PublicError::invalid_field(field, sentence).into())
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
