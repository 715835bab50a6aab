//! Token streams in pieces that the text encoder takes.

use candle_core::Tensor;
use types::prompt::{Part, parse};

use crate::error::Result;
use crate::prompts::embeddings::Dictionary;
use crate::tokenizers::clip::ClipTokenizer;

/// How far back a comma may lie for a full chunk to end there: `comma_padding_backtrack`, as it is set unless
/// somebody changes it.
const COMMA_REACH: usize = 20;

/// Tokens for one call of the text encoder.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// Start, tokens, end and filling: [`ClipTokenizer::length`] ids. Where `vectors` stand it is 0.
    pub ids: Vec<u32>,
    /// The weight of each of them; start, end and filling weigh 1.
    pub weights: Vec<f32>,
    /// Textual inversions: the first place that each takes, counted with the start token, and its vectors
    /// `(tokens, width)`.
    pub vectors: Vec<(usize, Tensor)>,
}

impl Chunk {
    /// The chunk of a prompt without a word.
    pub fn empty(tokenizer: &ClipTokenizer) -> Self {
        Open::default().enclose(tokenizer)
    }

    /// Whether every token counts as it stands.
    pub fn is_plain(&self) -> bool {
        self.weights.iter().all(|weight| weight.total_cmp(&1.0).is_eq())
    }
}

/// Cuts a prompt into chunks, at least one.
///
/// A chunk takes [`ClipTokenizer::capacity`] tokens. One that is full ends after its last comma if that is at
/// most 20 tokens back, and what followed the comma moves on to the next; else it ends where it is full. `BREAK`
/// ends it at once. The vectors of a textual inversion are never parted.
///
/// # Errors
/// [`crate::Error::Tokenizer`]; [`crate::Error::Embedding`] if the prompt names one that cannot be used.
///
/// # Source
/// `tokenize_line` in `modules/sd_hijack_clip.py` of AUTOMATIC1111/stable-diffusion-webui 1.10, with one difference: a
/// textual inversion that moves on with the words after a comma keeps its vectors.
pub fn cut(prompt: &str, tokenizer: &ClipTokenizer, dictionary: &Dictionary) -> Result<Vec<Chunk>> {
    let mut cutter = Cutter { tokenizer, done: Vec::new(), open: Open::default(), last_comma: None };
    for part in parse(prompt) {
        let Part::Text { text, weight } = part else {
            cutter.next_chunk();
            continue;
        };
        let tokens = tokenizer.words(&text)?;
        let mut position = 0;
        while let Some(&token) = tokens.get(position) {
            cutter.make_room(token);
            if let Some(found) = dictionary.find(&tokens[position..])? {
                cutter.push_vectors(&found.vectors, weight as f32)?;
                position += found.n_tokens;
            } else {
                cutter.open.push(token, weight as f32);
                position += 1;
            }
        }
    }
    Ok(cutter.finish())
}

/// A chunk that is being filled, without start and end.
#[derive(Default)]
struct Open {
    ids: Vec<u32>,
    weights: Vec<f32>,
    /// Places are counted without the start token.
    vectors: Vec<(usize, Tensor)>,
}

impl Open {
    fn push(&mut self, id: u32, weight: f32) {
        self.ids.push(id);
        self.weights.push(weight);
    }

    /// What stands from `start` on, taken out.
    fn split_off(&mut self, start: usize) -> Self {
        let (moved, stay) = std::mem::take(&mut self.vectors).into_iter().partition(|(at, _)| *at >= start);
        self.vectors = stay;
        let moved: Vec<(usize, Tensor)> = moved;
        Self {
            ids: self.ids.split_off(start),
            weights: self.weights.split_off(start),
            vectors: moved.into_iter().map(|(at, vectors)| (at - start, vectors)).collect(),
        }
    }

    fn enclose(self, tokenizer: &ClipTokenizer) -> Chunk {
        let mut weights = vec![1.0];
        weights.extend(self.weights);
        weights.resize(tokenizer.length(), 1.0);
        Chunk {
            ids: tokenizer.enclose(self.ids),
            weights,
            vectors: self.vectors.into_iter().map(|(at, vectors)| (at + 1, vectors)).collect(),
        }
    }
}

struct Cutter<'a> {
    tokenizer: &'a ClipTokenizer,
    done: Vec<Chunk>,
    open: Open,
    /// Where the last comma stands in `open`.
    last_comma: Option<usize>,
}

impl Cutter<'_> {
    fn next_chunk(&mut self) {
        self.last_comma = None;
        self.done.push(std::mem::take(&mut self.open).enclose(self.tokenizer));
    }

    /// Closes a full chunk before `token` comes.
    fn make_room(&mut self, token: u32) {
        let length = self.open.ids.len();
        let is_full = length == self.tokenizer.capacity();
        if Some(token) == self.tokenizer.comma() {
            self.last_comma = Some(length);
        } else if let Some(comma) = self.last_comma
            && is_full
            && length - comma <= COMMA_REACH
        {
            let moved = self.open.split_off(comma + 1);
            self.next_chunk();
            self.open = moved;
        }
        if self.open.ids.len() == self.tokenizer.capacity() {
            self.next_chunk();
        }
    }

    fn push_vectors(&mut self, vectors: &Tensor, weight: f32) -> Result<()> {
        let n_vectors = vectors.dim(0)?;
        if self.open.ids.len() + n_vectors > self.tokenizer.capacity() {
            self.next_chunk();
        }
        self.open.vectors.push((self.open.ids.len(), vectors.clone()));
        for _ in 0..n_vectors {
            self.open.push(0, weight);
        }
        Ok(())
    }

    fn finish(mut self) -> Vec<Chunk> {
        if !self.open.ids.is_empty() || self.done.is_empty() {
            self.next_chunk();
        }
        self.done
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use candle_core::{DType, Device};

    use super::*;
    use crate::prompts::embeddings::{Embeddings, Needed};
    use crate::tokenizers::clip::Padding;

    /// How many tokens each chunk has between start and end, and where vectors stand.
    fn shape(prompt: &str, embeddings: &Embeddings) -> Vec<(usize, Vec<usize>)> {
        let tokenizer = ClipTokenizer::bundled(Padding::Zero).unwrap();
        let needed = Needed { width: 4, key: None, other: None };
        let dictionary = embeddings.dictionary(&tokenizer, needed).unwrap();
        let end = tokenizer.encode("").unwrap()[1];
        let n_tokens = |chunk: &Chunk| chunk.ids.iter().position(|&id| id == end).unwrap() - 1;
        let places = |chunk: &Chunk| chunk.vectors.iter().map(|(at, _)| *at).collect();
        cut(prompt, &tokenizer, &dictionary).unwrap().iter().map(|c| (n_tokens(c), places(c))).collect()
    }

    fn lengths(prompt: &str) -> Vec<usize> {
        shape(prompt, &Embeddings::default()).into_iter().map(|(n_tokens, _)| n_tokens).collect()
    }

    #[test]
    fn a_full_chunk_ends_at_a_comma_that_is_near_and_where_it_is_full_if_none_is() {
        let words = |n: usize| "boat ".repeat(n);
        assert_eq!(lengths(""), [0]);
        assert_eq!(lengths(&words(75)), [75]);
        assert_eq!(lengths(&words(76)), [75, 1]);
        assert_eq!(lengths(&format!("{}, {}", words(54), words(30))), [75, 10]);
        assert_eq!(lengths(&format!("{}, {}", words(55), words(30))), [56, 30]);
        assert_eq!(lengths(&format!("{}, {}", words(75), words(3))), [75, 4]);
    }

    #[test]
    fn a_break_ends_a_chunk_and_makes_no_empty_one_at_the_end() {
        assert_eq!(lengths("boat BREAK boat boat"), [1, 2]);
        assert_eq!(lengths("boat BREAK"), [1]);
        assert_eq!(lengths("BREAK boat"), [0, 1]);
    }

    #[test]
    fn the_vectors_of_a_textual_inversion_stay_together_and_move_with_their_words() {
        let folder = tempfile::tempdir().unwrap();
        let vectors = HashMap::from([("x", Tensor::ones((6, 4), DType::F32, &Device::Cpu).unwrap())]);
        candle_core::safetensors::save(&vectors, folder.path().join("inkwash.safetensors")).unwrap();
        let embeddings = Embeddings::folder(folder.path());
        let words = |n: usize| "boat ".repeat(n);
        assert_eq!(shape("boat inkwash boat", &embeddings), [(8, vec![2])]);
        assert_eq!(shape(&format!("{} inkwash", words(70)), &embeddings), [(70, vec![]), (6, vec![1])]);
        assert_eq!(
            shape(&format!("{}, inkwash {}", words(60), words(10)), &embeddings),
            [(61, vec![]), (16, vec![1])]
        );
    }
}
