//! Requests for what the site does not paint.

use std::collections::HashSet;
use std::sync::Arc;

use types::error::PublicError;
use types::prompt::{Part, lora_tags, parse};
use types::request::GenerationRequest;

use crate::prompt_helpers::BLOCKED_WORDS;
use crate::prompt_helpers::blocked::BlockedWords;
use crate::shared::Shared;
use crate::{Error, Result, background};

impl Shared {
    /// The words that hold now.
    ///
    /// # Errors
    /// There is a list, and it was never read.
    pub(crate) fn blocked_words(&self) -> Result<Arc<BlockedWords>> {
        // Why it cannot be read was said in the log, once.
        self.helpers.blocked().map_err(|_| Error::BlockedWordsUnread)
    }

    /// Refuses a request that would paint what the site does not paint. What a negative prompt keeps away may be named: it
    /// is the opposite of asking for it, unless its weight is turned round.
    ///
    /// # Errors
    /// A prompt has such words, or nobody knows which words those are.
    pub(crate) async fn refuse_blocked(&self, request: &GenerationRequest) -> Result<()> {
        let blocked = self.blocked_words()?;
        if blocked.is_empty() {
            return Ok(());
        }
        let request = request.clone();
        // A long list takes seconds for the hundred cells of a grid, and pages go first.
        background::compute(move || refuse_prompts(&blocked, &request))?
            .await
            .map_err(|_| Error::Broken("looking for blocked words ended early".to_owned()))?
    }
}

fn refuse_prompts(blocked: &BlockedWords, request: &GenerationRequest) -> Result<()> {
    let cells = (0..request.count).map_while(|index| request.cell(index));
    let both = |request: GenerationRequest| (request.prompt, request.negative_prompt);
    let (mut prompts, mut negative_prompts): (HashSet<String>, HashSet<String>) = cells.map(both).unzip();
    prompts.insert(request.prompt.clone());
    negative_prompts.insert(request.negative_prompt.clone());
    // A tag is no word to the model, and without it what stood around it may be one.
    let without_tags = |prompt: &String| lora_tags(prompt).0;
    prompts.iter().try_for_each(|prompt| refuse(blocked, "prompt", &without_tags(prompt)))?;
    negative_prompts
        .iter()
        .try_for_each(|prompt| refuse(blocked, "negative_prompt", &turned_round(&without_tags(prompt))))
}

/// The words of a negative prompt whose weight is below 0, so that the picture is not kept away from them.
fn turned_round(negative_prompt: &str) -> String {
    let is_turned = |part| match part {
        Part::Text { text, weight } if weight < 0.0 => Some(text),
        _ => None,
    };
    parse(negative_prompt).into_iter().filter_map(is_turned).collect::<Vec<_>>().join(" ")
}

/// Refuses a field with words that the site does not paint. The sentence does not say which word it was: it is not for the
/// page to repeat, and names no way round it.
///
/// # Errors
/// It has such words.
pub(crate) fn refuse(blocked: &BlockedWords, field: &str, text: &str) -> Result<()> {
    let Some(line) = blocked.line_against(text) else { return Ok(()) };
    tracing::info!(file = BLOCKED_WORDS, line, "a prompt was refused");
    let name = field.replace('_', " ");
    let sentence = format!("the {name} has words that this site does not paint; say it in other words");
    Err(PublicError::invalid_field(field, sentence).into())
}
