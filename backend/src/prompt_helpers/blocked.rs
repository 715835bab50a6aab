//! The words that a site does not paint, from the file `blocked-words.txt`.
//!
//! A prompt is read in several ways at once (`readings`), so that accents, look-alikes, invisible characters and what
//! stands between letters hide nothing, and refused if any of them has a word or a pattern of the file.
//!
//! # Layout
//! * this file: looking for them in a text
//! * `lines`: the file's lines
//! * `readings`: what a text says, however it is written; `letters`: the letter that a character stands for

mod letters;
mod lines;
mod readings;

use std::collections::HashMap;
use std::path::Path;

use regex::Regex;

use self::lines::{Fault, Line};
use self::readings::Readings;
use super::{BLOCKED_WORDS, MOST_BYTES};

/// Fewer letters than these are found by chance where single letters stand side by side.
const LEAST_SPELLED: usize = 3;

/// The words and patterns of the file, each with the number of its line.
#[derive(Debug, Default)]
pub struct BlockedWords {
    /// Words, and several words with a space between each two.
    words: HashMap<String, u64>,
    /// Most words that stand together among these.
    longest: usize,
    /// The same without spaces, to be found where letters stand apart.
    spelled: Vec<(String, u64)>,
    /// Words of languages that put no spaces between them.
    unspaced: Vec<(String, u64)>,
    /// Words with `*`, over a reading with a space before and behind each word.
    wildcards: Vec<(Regex, u64)>,
    /// What stands between two `/`.
    patterns: Vec<(Regex, u64)>,
}

impl BlockedWords {
    /// Reads the file. Lines that are of no use are named in the log and passed over; a file that is not there blocks
    /// nothing.
    pub(super) fn read(path: &Path) -> Self {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Self::default(),
            Err(error) => {
                tracing::error!(file = BLOCKED_WORDS, %error, "the blocked words cannot be read, so nothing is blocked");
                return Self::default();
            }
        };
        if bytes.len() as u64 > MOST_BYTES {
            tracing::error!(
                file = BLOCKED_WORDS,
                n_bytes = bytes.len(),
                "the file of blocked words has more than {MOST_BYTES} bytes, so nothing is blocked"
            );
            return Self::default();
        }
        let (blocked, faults) = Self::parse(&bytes);
        for Fault { line, reason } in faults {
            tracing::warn!(file = BLOCKED_WORDS, line, "a line of the blocked words is left out: {reason}");
        }
        blocked
    }

    fn parse(bytes: &[u8]) -> (Self, Vec<Fault>) {
        let mut blocked = Self::default();
        let (lines, faults) = lines::parse(bytes);
        for (line, number) in lines {
            blocked.add(line, number);
        }
        (blocked, faults)
    }

    fn add(&mut self, line: Line, number: u64) {
        match line {
            Line::Unspaced(word) => self.unspaced.push((word, number)),
            Line::Wildcard(regex) => self.wildcards.push((regex, number)),
            Line::Pattern(regex) => self.patterns.push((regex, number)),
            Line::Words(words) => {
                self.longest = self.longest.max(words.len());
                let letters = words.concat();
                if letters.chars().count() >= LEAST_SPELLED {
                    self.spelled.push((letters, number));
                }
                self.words.entry(words.join(" ")).or_insert(number);
            }
        }
    }

    /// Whether nothing is blocked.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
            && self.unspaced.is_empty()
            && self.wildcards.is_empty()
            && self.patterns.is_empty()
    }

    /// The line of the file that stands against a text, if one does.
    pub fn line_against(&self, text: &str) -> Option<u64> {
        if self.is_empty() {
            return None;
        }
        if let Some(line) = first(&self.patterns, |pattern| pattern.is_match(text)) {
            return Some(line);
        }
        let Readings { words, spelled } = Readings::of(text);
        let in_words = words.iter().find_map(|words| self.line_against_words(words));
        in_words.or_else(|| {
            let is_in = |word: &String| spelled.iter().any(|letters| letters.contains(word.as_str()));
            first(&self.spelled, is_in)
        })
    }

    fn line_against_words(&self, words: &[String]) -> Option<u64> {
        let whole = (0..words.len()).find_map(|from| {
            let most = self.longest.min(words.len() - from);
            (1..=most).find_map(|n| self.words.get(words[from..from + n].join(" ").as_str()).copied())
        });
        whole
            .or_else(|| {
                let spaced = format!(" {} ", words.join(" "));
                first(&self.wildcards, |wildcard| wildcard.is_match(&spaced))
                    .or_else(|| first(&self.patterns, |pattern| pattern.is_match(spaced.trim())))
            })
            .or_else(|| {
                let letters = words.concat();
                first(&self.unspaced, |word| letters.contains(word.as_str()))
            })
    }
}

fn first<T>(items: &[(T, u64)], is_it: impl Fn(&T) -> bool) -> Option<u64> {
    items.iter().find(|(item, _)| is_it(item)).map(|(_, line)| *line)
}

#[cfg(test)]
#[path = "blocked_tests.rs"]
mod tests;
