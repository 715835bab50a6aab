//! Pieces of tokens, given out as whole words.

use std::ops::ControlFlow;

use super::OnText;
use crate::tokenizers::utf8_stream::Utf8Stream;

/// In bytes. What is longer is no word, but perhaps a script that writes without spaces.
const MAX_WORD: usize = 60;

/// Collects bytes, and gives out text word by word.
///
/// A word waits until the next one begins, so that a text can be ended without half of one. The text is one
/// line of printable characters.
pub struct WholeWords<'a> {
    stream: Utf8Stream,
    on_text: OnText<'a>,
    /// What was given out.
    text: String,
    /// The word in the making, with the space before it.
    waiting: String,
    /// Whether spaces at the very beginning are left out.
    skips_space: bool,
}

impl<'a> WholeWords<'a> {
    /// * `skips_space`: leaves out spaces at the beginning, because there is one already or none is wanted.
    pub fn new(skips_space: bool, on_text: OnText<'a>) -> Self {
        Self {
            stream: Utf8Stream::default(),
            on_text,
            text: String::new(),
            waiting: String::new(),
            skips_space,
        }
    }

    /// Whether no word has begun.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty() && self.waiting.trim().is_empty()
    }

    /// Takes more bytes, and gives out the words that are complete with them. Breaks if the reader did, or
    /// at the end of a line.
    pub fn push(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        for character in self.stream.push(bytes).chars() {
            let is_leading_space = self.skips_space && self.is_empty() && character.is_whitespace();
            if matches!(character, '\n' | '\r') && !self.is_empty() {
                self.finish();
                return ControlFlow::Break(());
            }
            let is_printable = !character.is_control() && character != char::REPLACEMENT_CHARACTER;
            if is_printable && !is_leading_space {
                self.waiting.push(character);
            }
        }
        if self.waiting.len() > MAX_WORD {
            return self.give_out(self.waiting.trim_end().len());
        }
        let last_space = self.waiting.rfind(char::is_whitespace).unwrap_or(0);
        self.give_out(self.waiting[..last_space].trim_end().len())
    }

    /// Gives out the last word: the text is complete.
    pub fn finish(&mut self) {
        // What the reader answers makes no difference any more.
        let _ = self.give_out(self.waiting.trim_end().len());
    }

    /// Gives out the last word if these following bytes show that it is complete: the text is cut off here.
    pub fn finish_before(&mut self, following: &[u8]) {
        let following = String::from_utf8_lossy(following).chars().next();
        let goes_on =
            |c: char| c.is_alphanumeric() || matches!(c, '-' | '\'' | '’' | char::REPLACEMENT_CHARACTER);
        if following.is_some_and(|character| !goes_on(character)) {
            let dangling = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '-' | '(');
            let _ = self.give_out(self.waiting.trim_end_matches(dangling).len());
        }
    }

    /// All that was given out.
    pub fn into_text(self) -> String {
        self.text
    }

    fn give_out(&mut self, n_bytes: usize) -> ControlFlow<()> {
        if n_bytes == 0 {
            return ControlFlow::Continue(());
        }
        let piece: String = self.waiting.drain(..n_bytes).collect();
        self.text.push_str(&piece);
        (self.on_text)(&piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pieces that come out of a text that is complete, or cut off before something.
    fn pieces(skips_space: bool, input: &[&str], cut_before: Option<&str>) -> Vec<String> {
        let mut seen = Vec::new();
        let mut on_text = |piece: &str| {
            seen.push(piece.to_owned());
            ControlFlow::Continue(())
        };
        let mut words = WholeWords::new(skips_space, &mut on_text);
        for piece in input {
            if words.push(piece.as_bytes()).is_break() {
                break;
            }
        }
        match cut_before {
            None => words.finish(),
            Some(following) => words.finish_before(following.as_bytes()),
        }
        let text = words.into_text();
        assert_eq!(seen.concat(), text);
        seen
    }

    #[test]
    fn words_come_out_one_by_one_with_the_space_before_them() {
        let found = pieces(false, &[" re", "d sail", "ing", " boat", ","], None);
        assert_eq!(found, [" red", " sailing", " boat,"]);
    }

    #[test]
    fn a_text_that_is_cut_off_keeps_no_half_word() {
        let input = [" a", " calm", " sea", ", at", " sun"];
        assert_eq!(pieces(false, &input, Some("set")).concat(), " a calm sea, at");
        assert_eq!(pieces(false, &input, Some(" by")).concat(), " a calm sea, at sun");
    }

    #[test]
    fn a_text_that_is_cut_off_keeps_no_dangling_comma() {
        assert_eq!(pieces(false, &[" sea", ","], Some(" at")).concat(), " sea");
    }

    #[test]
    fn text_without_spaces_does_not_wait_for_one() {
        let found = pieces(false, &["雪の山".repeat(8).as_str(), "雪"], Some("の"));
        assert_eq!(found, ["雪の山".repeat(8)]);
    }

    #[test]
    fn spaces_at_the_beginning_are_left_out_on_demand() {
        assert_eq!(pieces(true, &[" ", " a", " boat"], None).concat(), "a boat");
        assert_eq!(pieces(false, &[" a", " boat"], None).concat(), " a boat");
    }

    #[test]
    fn a_line_break_ends_the_text_and_other_control_characters_are_left_out() {
        assert_eq!(pieces(true, &["\n", "a\u{7} boat", "\nand more"], None).concat(), "a boat");
    }

    #[test]
    fn a_reader_that_breaks_keeps_what_it_has() {
        let mut stop = |_: &str| ControlFlow::Break(());
        let mut words = WholeWords::new(false, &mut stop);
        assert!(words.push(b" one").is_continue());
        assert!(words.push(b" two").is_break());
        assert_eq!(words.into_text(), " one");
    }
}
