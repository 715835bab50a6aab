//! The words that a site does not paint, from the file `blocked-words.txt`.
//!
//! A prompt is read in several ways at once (`reading`), so that accents, look-alikes, invisible characters and what
//! stands between letters hide nothing, and refused if any of them has a word or a pattern of the file.
//!
//! # Layout
//! * this file: looking for them in a text
//! * `file`: the list that holds now, whatever happens to the file
//! * `lines`: the file's lines; `word_list` and `pattern`: what each of them looks for
//! * `reading`: what a text says, however it is written; `letters`: the letter that a character stands for

mod file;
mod letters;
mod lines;
mod pattern;
mod reading;
mod word_list;

use types::prompt::{Part, parse};

pub(super) use self::file::BlockedFile;
pub use self::file::Unread;
use self::lines::{Fault, Line};
use self::pattern::Pattern;
use self::reading::Reading;
use self::word_list::WordList;

/// Fewer letters than these are found by chance where single letters stand side by side.
const LEAST_SPELLED: usize = 3;

/// The words and patterns of the file, each with the number of its line.
#[derive(Debug, Default)]
pub struct BlockedWords {
    /// Words, and several words with a space between each two.
    words: WordList,
    /// The same without spaces, to be found where letters stand apart.
    spelled: WordList,
    /// Words of languages that put no spaces between them.
    unspaced: Vec<(String, u64)>,
    /// Words with `*`, and what stands between two `/`.
    patterns: Vec<(Pattern, u64)>,
}

impl BlockedWords {
    fn parse(bytes: &[u8]) -> (Self, Vec<Fault>) {
        let (lines, faults) = lines::parse(bytes);
        let (mut words, mut spelled) = (Vec::new(), Vec::new());
        let (mut unspaced, mut patterns) = (Vec::new(), Vec::new());
        for (line, number) in lines {
            match line {
                Line::Unspaced(word) => unspaced.push((reading::as_one_word(&word), number)),
                Line::Pattern(pattern) => patterns.push((pattern, number)),
                Line::Words(several) => {
                    let letters = several.concat();
                    if letters.chars().count() >= LEAST_SPELLED {
                        spelled.push((letters, number));
                    }
                    words.push((several.join(" "), number));
                }
            }
        }
        let (words, spelled) = (WordList::new(words), WordList::new(spelled));
        (Self { words, spelled, unspaced, patterns }, faults)
    }

    /// Whether nothing is blocked.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.unspaced.is_empty() && self.patterns.is_empty()
    }

    /// The line of the file that stands against a text, if one does. The text counts as it was typed, and as it is painted,
    /// without the brackets and weights that a prompt may have.
    pub fn line_against(&self, text: &str) -> Option<u64> {
        if self.is_empty() {
            return None;
        }
        let painted = without_syntax(text);
        let painted = Some(painted.as_str()).filter(|painted| *painted != text);
        std::iter::once(text).chain(painted).find_map(|text| self.line_in(text))
    }

    fn line_in(&self, text: &str) -> Option<u64> {
        let reading = Reading::of(text);
        first(&self.patterns, |pattern| pattern.is_in_text(text))
            .or_else(|| self.words.line_in_text(&reading.symbols))
            .or_else(|| reading.spelled.iter().find_map(|letters| self.spelled.line_among(letters)))
            .or_else(|| self.unspaced_line_in(&reading))
            .or_else(|| self.pattern_line_in(&reading))
    }

    fn unspaced_line_in(&self, reading: &Reading) -> Option<u64> {
        if self.unspaced.is_empty() {
            return None;
        }
        let letters = reading.as_one_word();
        first(&self.unspaced, |word| letters.contains(word.as_str()))
    }

    fn pattern_line_in(&self, reading: &Reading) -> Option<u64> {
        if self.patterns.is_empty() {
            return None;
        }
        let (texts, words) = (reading.texts(), reading.spelled_words());
        first(&self.patterns, |pattern| {
            texts.iter().any(|text| pattern.is_in_reading(text))
                || words.iter().any(|word| pattern.is_in_spelled(word))
        })
    }
}

/// The words of a prompt that are left once brackets and weights are taken out.
fn without_syntax(prompt: &str) -> String {
    let words = |part| match part {
        Part::Text { text, .. } => text,
        Part::Break => " ".to_owned(),
    };
    parse(prompt).into_iter().map(words).collect()
}

fn first<T>(items: &[(T, u64)], is_it: impl Fn(&T) -> bool) -> Option<u64> {
    items.iter().find(|(item, _)| is_it(item)).map(|(_, line)| *line)
}

#[cfg(test)]
#[path = "blocked_tests.rs"]
mod tests;
