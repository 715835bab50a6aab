//! What a text says, however it is written.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::letters::{is_sign_for_letter, plain, without_digits};

/// Fewest single letters side by side that may be a word with spaces in it.
const LEAST_SINGLE: usize = 3;

/// The weight in `(words:1.2)`, with what closes the bracket.
static WEIGHT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r":\s*[-+]?(?:\d+\.?\d*|\.\d+)\s*([)\]])").ok());

/// Ways to read a text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Readings {
    /// The words of each reading, in lower case.
    pub(super) words: Vec<Vec<String>>,
    /// Single letters that stand side by side, as one word.
    pub(super) spelled: Vec<String>,
}

impl Readings {
    /// Words as they stand, and those with digits and signs for letters; each with what stands between two spaces taken
    /// apart at every sign, and taken as one word without its signs.
    pub(super) fn of(text: &str) -> Self {
        let text = plain(text);
        let text =
            WEIGHT.as_ref().map_or_else(|| text.as_str().into(), |weight| weight.replace_all(&text, "$1"));
        let mut words = BTreeSet::new();
        let mut spelled = BTreeSet::new();
        for one in [None, Some('i'), Some('l')] {
            let chunks: Vec<String> = text.split_whitespace().map(|chunk| signs_read(chunk, one)).collect();
            let apart: Vec<String> = chunks
                .iter()
                .flat_map(|chunk| chunk.split(|c: char| !c.is_alphanumeric()))
                .filter(|word| !word.is_empty())
                .map(|word| digits_read(word, one))
                .collect();
            spelled.extend(single_letters(&apart).map(|letters| digits_read(&letters, one)));
            words.insert(apart);
            let joined = chunks.iter().map(|chunk| chunk.chars().filter(|c| c.is_alphanumeric()).collect());
            let joined = joined.filter(|word: &String| !word.is_empty());
            words.insert(joined.map(|word| digits_read(&word, one)).collect());
        }
        Self { words: words.into_iter().collect(), spelled: spelled.into_iter().collect() }
    }
}

/// Signs for letters as these, where a letter or digit follows: at its end a sign is punctuation.
fn signs_read(chunk: &str, one: Option<char>) -> String {
    let Some(one) = one else { return chunk.to_owned() };
    let mut read = String::with_capacity(chunk.len());
    let mut rest = chunk.chars();
    while let Some(c) = rest.next() {
        let is_letter = is_sign_for_letter(c) && rest.clone().next().is_some_and(char::is_alphanumeric);
        let c = c.to_string();
        read += &if is_letter { without_digits(&c, one) } else { c };
    }
    read
}

/// Digits for letters as these, in a word that has letters.
fn digits_read(word: &str, one: Option<char>) -> String {
    match one {
        Some(one) if word.contains(char::is_alphabetic) => without_digits(word, one),
        _ => word.to_owned(),
    }
}

/// Runs of words of one letter, each as one word.
fn single_letters(words: &[String]) -> impl Iterator<Item = String> {
    let is_single = |word: &String| word.chars().nth(1).is_none();
    let runs = words.chunk_by(move |one, two| is_single(one) && is_single(two));
    runs.filter(|run| run.len() >= LEAST_SINGLE).map(<[String]>::concat)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_read(text: &str, expected: &str) -> bool {
        let expected: Vec<&str> = expected.split(' ').collect();
        Readings::of(text).words.iter().any(|words| *words == expected)
    }

    #[test]
    fn a_text_is_read_apart_and_together() {
        assert!(is_read("a red-haired fox", "a red haired fox"));
        assert!(is_read("a red-haired fox", "a redhaired fox"));
        assert!(is_read("a k.n.i.f.e", "a knife"));
        assert!(is_read("a kn__ife", "a knife"));
    }

    #[test]
    fn weights_are_no_part_of_a_word() {
        assert!(is_read("(sharp:1.2) (kni)(fe:0.9)", "sharp knife"));
        assert!(is_read("a ratio of 16:9", "a ratio of 16 9"));
    }

    #[test]
    fn digits_and_signs_are_read_as_letters_within_words_alone() {
        assert!(is_read("a kn1f3", "a knife"));
        assert!(is_read("a kn!fe", "a knife"));
        assert!(is_read("a 6a11ery", "a gallery"));
        assert!(is_read("hello! 10 boats", "hello 10 boats"));
        assert!(!Readings::of("hello! 10 boats").words.iter().flatten().any(|word| word == "io"));
    }

    #[test]
    fn letters_that_stand_apart_are_one_word() {
        assert_eq!(Readings::of("a big k n i f e here").spelled, ["knife"]);
        assert_eq!(Readings::of("plan b or c").spelled, [""; 0]);
    }

    #[test]
    fn a_text_without_words_has_none() {
        assert!(Readings::of(" ... ").words.iter().all(Vec::is_empty));
    }
}
