//! What a text says, however it is written.

use std::collections::BTreeSet;

use super::letters::{UPRIGHT, letter_for, plain};

/// Fewest single letters side by side that may be a word with spaces in it.
const LEAST_SINGLE: usize = 3;

/// Most digits between two signs that may be letters of a word with signs in it.
const MOST_DIGITS: usize = 2;

/// One character of a text in the form of [`plain`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Symbol {
    /// A letter or digit.
    Letter {
        /// As it stands.
        written: char,
        /// The letter that a digit may be written for.
        instead: Option<char>,
    },
    /// Whatever else is seen.
    Sign {
        /// As it stands.
        sign: char,
        /// The letter that it may be written for.
        letter: Option<char>,
        /// Whether no letter follows before the next space.
        is_last: bool,
    },
    /// Between two chunks.
    Space,
}

/// Ways to read a text.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// All of it.
    pub(super) symbols: Vec<Symbol>,
    /// Single letters that stand side by side, each run of them: letters, and signs that may be letters.
    pub(super) spelled: Vec<Vec<Symbol>>,
}

impl Reading {
    pub(super) fn of(text: &str) -> Self {
        let mut symbols = Vec::with_capacity(text.len());
        for chunk in plain(text).split_whitespace() {
            read_chunk(chunk, &mut symbols);
            symbols.push(Symbol::Space);
        }
        Self { spelled: spelled(&symbols), symbols }
    }

    /// The text as words with one space between each two: digits and signs as they stand, and as letters; what stands
    /// between two spaces taken apart at every sign, at those that part clauses, and not at all.
    pub(super) fn texts(&self) -> BTreeSet<String> {
        let mut texts = BTreeSet::new();
        for as_letters in [AsLetters::None, AsLetters::Digits, AsLetters::Signs] {
            for parts in [|_| true, |sign| matches!(sign, ',' | ';' | ':' | '.' | '(' | ')'), |_| false] {
                texts.insert(written(&self.symbols, as_letters, parts));
            }
        }
        texts
    }

    /// All letters in a row, for languages that put no spaces between words.
    pub(super) fn as_one_word(&self) -> String {
        as_one_word(&written(&self.symbols, AsLetters::None, |_| false))
    }

    /// Each run of single letters as one word, in as many ways.
    pub(super) fn spelled_words(&self) -> BTreeSet<String> {
        let ways = [AsLetters::None, AsLetters::Digits, AsLetters::Signs];
        self.spelled.iter().flat_map(|run| ways.map(|way| written(run, way, |_| false))).collect()
    }
}

/// The same without spaces, in the form that words of languages without spaces are compared in.
pub(super) fn as_one_word(text: &str) -> String {
    text.chars().filter(|c| *c != ' ').map(|c| if c == UPRIGHT { 'i' } else { c }).collect()
}

/// What is read as the letters that it may be written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AsLetters {
    None,
    Digits,
    Signs,
}

/// Symbols as a text in which `parts` tells the signs that stand between words; the others are left out.
fn written(symbols: &[Symbol], as_letters: AsLetters, parts: fn(char) -> bool) -> String {
    let mut text = String::with_capacity(symbols.len());
    for symbol in symbols {
        match *symbol {
            Symbol::Letter { instead: Some(letter), .. } if as_letters != AsLetters::None => {
                text.push(letter);
            }
            Symbol::Letter { written, .. } => text.push(written),
            Symbol::Sign { letter: Some(letter), is_last: false, .. } if as_letters == AsLetters::Signs => {
                text.push(letter);
            }
            Symbol::Sign { sign, .. } if !parts(sign) => {}
            Symbol::Sign { .. } | Symbol::Space if text.is_empty() || text.ends_with(' ') => {}
            Symbol::Sign { .. } | Symbol::Space => text.push(' '),
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// Digits and signs are letters beside letters alone: `10` is a number, and `$5` a price.
fn read_chunk(chunk: &str, symbols: &mut Vec<Symbol>) {
    let has_letters = chunk.contains(|c: char| c.is_alphabetic());
    let last = chunk.rfind(char::is_alphanumeric);
    let mut at = 0;
    while let Some(sign) = chunk[at..].chars().next() {
        if !sign.is_alphanumeric() {
            let letter = letter_for(sign).filter(|_| has_letters);
            symbols.push(Symbol::Sign { sign, letter, is_last: last.is_none_or(|last| at > last) });
            at += sign.len_utf8();
            continue;
        }
        let end = chunk[at..].find(|c: char| !c.is_alphanumeric()).map_or(chunk.len(), |length| at + length);
        let word = &chunk[at..end];
        let are_letters =
            has_letters && (word.contains(char::is_alphabetic) || word.chars().count() <= MOST_DIGITS);
        symbols.extend(
            word.chars().map(|written| Symbol::Letter {
                written,
                instead: letter_for(written).filter(|_| are_letters),
            }),
        );
        at = end;
    }
}

/// Runs of letters that stand by themselves. A sign that does, too, is one of them, if it may be a letter.
fn spelled(symbols: &[Symbol]) -> Vec<Vec<Symbol>> {
    let (mut runs, mut run) = (Vec::new(), Vec::new());
    let is_letter = |symbol: &Symbol| matches!(symbol, Symbol::Letter { .. });
    let is_loud = |symbol| matches!(symbol, Symbol::Sign { sign, .. } if letter_for(sign).is_some());
    for stretch in symbols.chunk_by(|one, two| is_letter(one) == is_letter(two)) {
        match stretch {
            [Symbol::Letter { written, .. }] => {
                run.push(Symbol::Letter { written: *written, instead: letter_for(*written) });
            }
            [Symbol::Letter { .. }, ..] => runs.push(std::mem::take(&mut run)),
            signs => run.extend(signs.windows(3).filter_map(|beside| match *beside {
                // A sign that touches a letter is its punctuation, and several of them are nothing but loud.
                [before, Symbol::Sign { sign, .. }, after] if !is_loud(before) && !is_loud(after) => {
                    Some(Symbol::Sign { sign, letter: Some(letter_for(sign)?), is_last: false })
                }
                _ => None,
            })),
        }
    }
    runs.push(run);
    runs.retain(|run| {
        let written = |symbol: &Symbol| match *symbol {
            Symbol::Letter { written, .. } => Some(written),
            Symbol::Sign { .. } | Symbol::Space => None,
        };
        run.len() >= LEAST_SINGLE && run.iter().filter_map(written).any(|c| c.is_alphabetic() && c != UPRIGHT)
    });
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_read(text: &str, expected: &str) -> bool {
        Reading::of(text).texts().contains(expected)
    }

    #[test]
    fn a_text_is_read_apart_and_together() {
        assert!(is_read("a red-haired fox", "a red haired fox"));
        assert!(is_read("a red-haired fox", "a redhaired fox"));
        assert!(is_read("a k.n.i.f.e", "a knife"));
        assert!(is_read("a big,kn__ife", "a big knife"));
    }

    #[test]
    fn digits_and_signs_are_read_as_letters_within_words_alone() {
        assert!(is_read("a kn1f3", "a knǀfe"));
        assert!(is_read("a kn!fe", "a knǀfe"));
        assert!(is_read("a 6a11ery", "a gaǀǀery"));
        assert!(is_read("hello! 10 boats", "hello 10 boats"));
        assert_eq!(Reading::of("hello! 10 boats, 455 birds").texts().len(), 1);
    }

    #[test]
    fn letters_that_stand_apart_are_one_word() {
        assert_eq!(Vec::from_iter(Reading::of("a big k n i f e here").spelled_words()), ["knife"]);
        assert_eq!(Vec::from_iter(Reading::of("a big k! - n! i! f! e!").spelled_words()), ["knife"]);
        for text in ["plan b or c", "4 5 5", "plan b, !!!, or c"] {
            assert!(Reading::of(text).spelled_words().is_empty(), "{text}");
        }
    }

    #[test]
    fn a_text_without_words_has_none() {
        let reading = Reading::of(" ... ");
        assert!(reading.texts().iter().all(String::is_empty) && reading.spelled_words().is_empty());
    }
}
