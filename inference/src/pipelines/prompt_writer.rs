//! A prompt, written by GPT-2 piece by piece.

mod choice;
mod healing;
mod words;

use std::ops::ControlFlow;

use candle_core::{Device, Tensor};
use choice::Choice;
use healing::Healing;
use serde::Deserialize;
use words::WholeWords;

use crate::error::{Error, Result};
use crate::model_files::ModelFiles;
use crate::models::gpt2::{Gpt2, Memory};
use crate::tokenizers::gpt2::Gpt2Tokenizer;

/// What to write.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptRequest {
    /// What is there already; may be empty, end in a space or in the middle of a word.
    pub start: String,
    /// The same seed, start and settings give the same text.
    pub seed: u64,
    /// Above 1 wilder, below 1 tamer; at 0 always the likeliest token.
    pub temperature: f64,
    /// Only the so many likeliest tokens count; `None` and 0 for all.
    pub top_k: Option<usize>,
    /// Only the likeliest tokens that together have this probability count; `None` and 1 for all.
    pub top_p: Option<f64>,
    /// Scores of tokens that were there before are divided by this; 1 for no penalty.
    pub repetition_penalty: f32,
    /// Tokens written at most, unless the text ends before.
    pub max_new_tokens: usize,
}

/// The settings that suit a model, from its `darkroom.json`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub struct PromptDefaults {
    /// See [`PromptRequest::temperature`].
    pub temperature: f64,
    /// See [`PromptRequest::top_k`].
    pub top_k: Option<usize>,
    /// See [`PromptRequest::top_p`].
    pub top_p: Option<f64>,
    /// See [`PromptRequest::repetition_penalty`].
    pub repetition_penalty: f32,
    /// See [`PromptRequest::max_new_tokens`].
    pub max_new_tokens: usize,
}

/// Usual values, for a model that comes without.
impl Default for PromptDefaults {
    fn default() -> Self {
        Self { temperature: 0.9, top_k: None, top_p: Some(0.95), repetition_penalty: 1.1, max_new_tokens: 60 }
    }
}

/// `darkroom.json`, as far as the writer reads it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ModelCard {
    defaults: PromptDefaults,
}

/// GPT-2 with its tokenizer.
#[derive(Debug, Clone)]
pub struct PromptWriter {
    model: Gpt2,
    tokenizer: Gpt2Tokenizer,
    defaults: PromptDefaults,
}

/// Called with each new piece of text; breaking ends the writing, and what is there stays.
pub type OnText<'a> = &'a mut dyn FnMut(&str) -> ControlFlow<()>;

impl PromptWriter {
    /// Reads a folder as transformers writes it, with a `darkroom.json` beside if there is one.
    ///
    /// # Errors
    /// [`Error::MissingFile`], [`Error::BrokenFile`], [`Error::MissingTensor`], [`Error::TensorShape`],
    /// [`Error::Unsupported`] for a part that is missing, broken or of a form that is not there;
    /// [`Error::Tokenizer`] if the vocabulary is larger than the model's or has no token between texts.
    pub fn load(files: &ModelFiles, device: &Device) -> Result<Self> {
        const CARD: &str = "darkroom.json";
        let card: ModelCard = if files.exists(CARD) { files.json(CARD)? } else { ModelCard::default() };
        let model = Gpt2::load(files, device)?;
        let tokenizer = Gpt2Tokenizer::load(files)?;
        let (n_tokens, n_known) = (tokenizer.n_tokens(), model.config().vocabulary);
        if n_tokens > n_known {
            let message = format!("its vocabulary has {n_tokens} tokens, and the model knows {n_known}");
            return Err(Error::Tokenizer(message));
        }
        Ok(Self { model, tokenizer, defaults: card.defaults })
    }

    /// The settings that suit this model.
    pub fn defaults(&self) -> &PromptDefaults {
        &self.defaults
    }

    /// A request with the settings that suit this model.
    pub fn request(&self, start: impl Into<String>, seed: u64) -> PromptRequest {
        let PromptDefaults { temperature, top_k, top_p, repetition_penalty, max_new_tokens } = self.defaults;
        let start = start.into();
        PromptRequest { start, seed, temperature, top_k, top_p, repetition_penalty, max_new_tokens }
    }

    /// Writes on from the start, and returns the new text alone: put behind the start as it is, it reads on
    /// without doubled spaces or broken words.
    ///
    /// The text ends where the model ends it, at a line break, after `max_new_tokens` (then without the word
    /// that is not finished), or when `on_text` breaks. Of a start longer than the model can look at, the
    /// end counts.
    ///
    /// * `on_text`: gets the text as it is made, word by word.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if the start cannot be read, [`Error::Candle`] for faults below.
    pub fn write(&self, request: &PromptRequest, on_text: OnText) -> Result<String> {
        // The last word of the start is written once more, so that the model may finish it.
        let (start, mut healing) = Healing::of_start(&self.tokenizer, &request.start)?;
        let is_new = request.start.trim().is_empty();
        let mut words = WholeWords::new(is_new || request.start.ends_with(char::is_whitespace), on_text);
        let mut choice = Choice::new(request);
        let mut reader = Reader::new(&self.model);
        let end = self.tokenizer.end();
        let mut context = [vec![end], start].concat();
        let mut n_written = 0;
        loop {
            let scores = reader.next_scores(&context)?;
            // A new text does not end before it began.
            let may_end = healing.is_done() && !(is_new && words.is_empty());
            let may_follow = |token: u32| {
                if token == end { may_end } else { healing.allows(self.tokenizer.bytes(token)) }
            };
            let token = choice.next(&scores, &context[1..], may_follow)?;
            if token == end {
                words.finish();
                break;
            }
            context.push(token);
            let new = healing.without_what_was_there(self.tokenizer.bytes(token));
            if n_written == request.max_new_tokens {
                // This token is one too many: it only tells whether the last word is complete.
                words.finish_before(new);
                break;
            }
            n_written += usize::from(!new.is_empty());
            if words.push(new).is_break() {
                break;
            }
        }
        Ok(words.into_text())
    }
}

/// The model with what it has read.
struct Reader<'a> {
    model: &'a Gpt2,
    memory: Memory,
    /// How many tokens of the context are behind it.
    n_read: usize,
}

impl<'a> Reader<'a> {
    fn new(model: &'a Gpt2) -> Self {
        Self { model, memory: model.memory(), n_read: 0 }
    }

    /// Reads what is new in the context, which only grows; scores of what may follow.
    fn next_scores(&mut self, context: &[u32]) -> Result<Tensor> {
        let max_tokens = self.model.config().max_tokens;
        if self.memory.n_tokens() + context.len() - self.n_read > max_tokens {
            // Too much to look at: only the end is kept, and there is room again.
            self.memory = self.model.memory();
            self.n_read = context.len() - context.len().min((max_tokens / 2).max(1));
        }
        let scores = self.model.next_scores(&context[self.n_read..], &mut self.memory)?;
        self.n_read = context.len();
        Ok(scores)
    }
}
