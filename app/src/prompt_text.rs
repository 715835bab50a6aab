//! What the prompt writer does with the text in the box.

use types::request::MAX_PROMPT_CHARS;

/// From this many characters on, the page says how many there are.
const COUNTED_FROM: usize = MAX_PROMPT_CHARS * 3 / 4;

/// A text written by GPT-2, as long as nobody has changed it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// What it began with: the visitor's own words, or where they stopped it.
    pub beginning: String,
    /// The whole text.
    pub text: String,
}

impl Written {
    /// What the next random prompt goes on from: the visitor's own words. A text that GPT-2 finished and
    /// nobody touched since is no such words; what it was given is.
    pub fn next_beginning<'a>(&'a self, in_box: &'a str) -> &'a str {
        if in_box == self.text { &self.beginning } else { in_box }
    }

    /// What another ending is written for.
    ///
    /// The words before the caret, if it stands inside the text; otherwise what the last ending was written
    /// for; otherwise the first half of the words.
    pub fn kept_beginning(&self, in_box: &str, n_chars_before_caret: usize) -> String {
        let before_caret: String = in_box.chars().take(n_chars_before_caret).collect();
        if !before_caret.trim().is_empty() && !in_box[before_caret.len()..].trim().is_empty() {
            return before_caret.trim_end().to_owned();
        }
        if in_box == self.text && !self.beginning.trim().is_empty() {
            return self.beginning.clone();
        }
        let words: Vec<&str> = in_box.split_whitespace().collect();
        words[..words.len().div_ceil(2)].join(" ")
    }
}

/// `text` with `word` put in after `n_chars_before_caret` characters, with a space on either side where
/// there is text.
pub fn with_word(text: &str, word: &str, n_chars_before_caret: usize) -> String {
    let before: String = text.chars().take(n_chars_before_caret).collect();
    let after = text[before.len()..].trim_start();
    let before = before.trim_end();
    let parts = [before, word, after];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// How long the prompt is, once that matters.
pub fn length_note(text: &str) -> Option<String> {
    let n_chars = text.trim().chars().count();
    (n_chars >= COUNTED_FROM).then(|| {
        format!(
            "{} of {} characters",
            crate::format::thousands(n_chars as u64),
            crate::format::thousands(MAX_PROMPT_CHARS as u64)
        )
    })
}

/// Whether the prompt is longer than allowed.
pub fn is_too_long(text: &str) -> bool {
    text.trim().chars().count() > MAX_PROMPT_CHARS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> Written {
        Written { beginning: "a cat".into(), text: "a cat in the snow".into() }
    }

    #[test]
    fn a_random_prompt_keeps_the_visitors_own_words_alone() {
        assert_eq!(written().next_beginning("a cat in the snow"), "a cat");
        assert_eq!(written().next_beginning("a cat in the city"), "a cat in the city");
        assert_eq!(Written::default().next_beginning("a dog"), "a dog");
        assert_eq!(Written::default().next_beginning(""), "");
    }

    #[test]
    fn another_ending_begins_at_the_caret_or_where_the_last_one_did() {
        assert_eq!(written().kept_beginning("a cat in the snow", 8), "a cat in");
        assert_eq!(written().kept_beginning("a cat in the snow", 17), "a cat");
        assert_eq!(written().kept_beginning("a cat in the snow", 0), "a cat");
    }

    #[test]
    fn another_ending_of_a_wholly_random_prompt_keeps_half_of_it() {
        let written = Written { beginning: String::new(), text: "a red boat on a calm sea".into() };
        assert_eq!(written.kept_beginning("a red boat on a calm sea", 24), "a red boat on");
    }

    #[test]
    fn words_go_in_at_the_caret_with_spaces_around() {
        assert_eq!(with_word("", "cat", 0), "cat");
        assert_eq!(with_word("a red", "cat", 5), "a red cat");
        assert_eq!(with_word("a  at night", "cat", 2), "a cat at night");
        assert_eq!(with_word("é night", "cat", 1), "é cat night");
    }

    #[test]
    fn the_length_is_told_near_the_limit() {
        assert_eq!(length_note("short"), None);
        assert_eq!(length_note(&"a".repeat(1_990)).unwrap(), "1,990 of 2,000 characters");
        assert!(is_too_long(&"a".repeat(2_001)));
        assert!(!is_too_long(&"a".repeat(2_000)));
    }
}
