//! The seam between a given start and new text.
//!
//! GPT-2's tokens begin with the space before a word, and cut a half word otherwise than its whole: after
//! "a sail" or "a red " the model sees tokens that it has hardly ever seen, and writes nonsense. So the last
//! word is taken back, and the first new tokens have to spell it again; they may go on after it.

use crate::error::Result;
use crate::tokenizers::gpt2::Gpt2Tokenizer;

/// At most so many tokens are taken back: enough for a word, and a long string of signs stays as it is.
const MAX_TOKENS: usize = 8;

/// What the first new tokens have to spell again.
#[derive(Debug, Default)]
pub struct Healing {
    rest: Vec<u8>,
}

impl Healing {
    /// The tokens of the start without its last word, and that word. After a space it is the space that the
    /// next word begins with.
    ///
    /// # Errors
    /// [`crate::Error::Tokenizer`] if the start cannot be read.
    pub fn of_start(tokenizer: &Gpt2Tokenizer, start: &str) -> Result<(Vec<u32>, Self)> {
        let text = start.trim_end();
        let mut tokens = tokenizer.encode(text)?;
        if text.is_empty() {
            return Ok((Vec::new(), Self::default()));
        }
        if text.len() < start.len() {
            return Ok((tokens, Self { rest: b" ".to_vec() }));
        }
        let begins_word = |&token: &u32| tokenizer.bytes(token).first().is_some_and(u8::is_ascii_whitespace);
        let n_word = tokens.iter().rev().position(begins_word).map_or(tokens.len(), |at| at + 1);
        // Of a long one only the end: it is no word that the model would know.
        let n_taken = if n_word > MAX_TOKENS { 1 } else { n_word };
        let taken = tokens.split_off(tokens.len() - n_taken);
        let rest = taken.iter().flat_map(|&token| tokenizer.bytes(token)).copied().collect();
        Ok((tokens, Self { rest }))
    }

    /// Whether everything is spelt again.
    pub fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    /// Whether a token with these bytes may come next. One without bytes never may.
    pub fn allows(&self, bytes: &[u8]) -> bool {
        !bytes.is_empty() && (bytes.starts_with(&self.rest) || self.rest.starts_with(bytes))
    }

    /// Takes an allowed token's bytes; returns those of them that are new.
    pub fn without_what_was_there<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let n_known = self.rest.len().min(bytes.len());
        self.rest.drain(..n_known);
        &bytes[n_known..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn healing(rest: &str) -> Healing {
        Healing { rest: rest.as_bytes().to_vec() }
    }

    #[test]
    fn a_half_word_may_be_spelt_by_its_whole_or_by_its_beginning() {
        let healing = healing(" sail");
        for token in [" sailing", " sail", " sa", " "] {
            assert!(healing.allows(token.as_bytes()), "{token}");
        }
        for token in ["sailing", " sea", " boat", ""] {
            assert!(!healing.allows(token.as_bytes()), "{token}");
        }
    }

    #[test]
    fn only_what_goes_beyond_the_start_is_new() {
        let mut healing = healing(" sail");
        assert_eq!(healing.without_what_was_there(b" s"), b"");
        assert!(!healing.is_done());
        assert_eq!(healing.without_what_was_there(b"ailing"), b"ing");
        assert!(healing.is_done());
        assert!(healing.allows(b" boat"));
        assert_eq!(healing.without_what_was_there(b" boat"), b" boat");
    }
}
