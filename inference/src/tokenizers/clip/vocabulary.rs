//! Tokens and byte pairs, from a model's files or from the program itself.

use std::collections::HashMap;

use serde::Deserialize;

use crate::error::Result;
use crate::model_files::ModelFiles;

/// The byte pairs of OpenAI's CLIP in their order, each as two token ids in two bytes, the lower byte first.
/// `assets/make_clip_merges.py` made it from the list that CLIP was published with.
const MERGES: &[u8] = include_bytes!("../../../assets/clip_merges.bin");

/// Tokens with their ids, and the pairs that are joined, the most frequent first.
#[derive(Debug)]
pub struct Vocabulary {
    pub ids: HashMap<String, u32>,
    pub merges: Vec<(String, String)>,
}

impl Vocabulary {
    /// Reads `vocab.json` and `merges.txt`, or `tokenizer.json`, which newer exporters write instead of both. A model
    /// that brings none of them has OpenAI's vocabulary, as every single-file checkpoint does.
    ///
    /// # Errors
    /// [`crate::Error::BrokenFile`]; [`crate::Error::MissingFile`] if one of the two is there without the other.
    pub fn load(files: &ModelFiles, folder: &str) -> Result<Self> {
        let inside = |file: &str| format!("{folder}/{file}");
        let two = ["vocab.json", "merges.txt"].map(inside);
        let whole = inside("tokenizer.json");
        if two.iter().any(|file| files.exists(file)) {
            Ok(Self { ids: files.json(&two[0])?, merges: read_merges(files, &two[1])? })
        } else if files.exists(&whole) {
            Self::from_tokenizer_json(files, &whole)
        } else {
            Ok(Self::openai())
        }
    }

    /// The vocabulary of OpenAI's CLIP: 49,408 tokens.
    pub fn openai() -> Self {
        let letters = byte_letters();
        let mut tokens: Vec<String> = letters.iter().map(char::to_string).collect();
        tokens.extend(letters.iter().map(|letter| format!("{letter}</w>")));
        let mut merges = Vec::with_capacity(MERGES.len() / 4);
        for &[low_1, high_1, low_2, high_2] in MERGES.as_chunks().0 {
            let [one, two] = [[low_1, high_1], [low_2, high_2]]
                .map(|bytes| tokens[usize::from(u16::from_le_bytes(bytes))].clone());
            tokens.push(format!("{one}{two}"));
            merges.push((one, two));
        }
        tokens.extend(["<|startoftext|>", "<|endoftext|>"].map(str::to_owned));
        Self { ids: tokens.into_iter().zip(0..).collect(), merges }
    }

    fn from_tokenizer_json(files: &ModelFiles, file: &str) -> Result<Self> {
        let TokenizerJson { model, added_tokens } = files.json(file)?;
        let pair = |merge: Merge| match merge {
            Merge::Pair(one, two) => Ok((one, two)),
            Merge::Line(line) => split_pair(files, file, &line),
        };
        let merges = model.merges.into_iter().map(pair).collect::<Result<_>>()?;
        let mut ids = model.vocab;
        ids.extend(added_tokens.into_iter().map(|token| (token.content, token.id)));
        Ok(Self { ids, merges })
    }
}

/// What of `tokenizer.json` matters here: its rules are CLIP's own.
#[derive(Deserialize)]
struct TokenizerJson {
    model: BytePairs,
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
}

#[derive(Deserialize)]
struct BytePairs {
    vocab: HashMap<String, u32>,
    merges: Vec<Merge>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Merge {
    Pair(String, String),
    /// As older exporters wrote it.
    Line(String),
}

#[derive(Deserialize)]
struct AddedToken {
    id: u32,
    content: String,
}

/// One pair a line, after a first line with the version.
pub fn read_merges(files: &ModelFiles, file: &str) -> Result<Vec<(String, String)>> {
    let text = files.text(file)?;
    let lines = text.lines().filter(|line| !line.starts_with("#version") && !line.is_empty());
    lines.map(|line| split_pair(files, file, line)).collect()
}

fn split_pair(files: &ModelFiles, file: &str, line: &str) -> Result<(String, String)> {
    match line.split_once(' ') {
        Some((one, two)) if !one.is_empty() && !two.is_empty() => Ok((one.to_owned(), two.to_owned())),
        _ => Err(files.broken(file, format!("`{line}` is no pair of tokens"))),
    }
}

/// The letter that stands for each byte: itself where it can be printed, else one beyond the 256th. Printable ones
/// come first, as in the published list.
fn byte_letters() -> Vec<char> {
    let is_printable = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    let plain = (0..=u8::MAX).filter(is_printable).map(char::from);
    let rest = (0..=u8::MAX).filter(|byte| !is_printable(byte));
    plain.chain(rest.zip('\u{100}'..).map(|(_, letter)| letter)).collect()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn the_programs_own_vocabulary_has_every_token_once() {
        let vocabulary = Vocabulary::openai();
        assert_eq!(vocabulary.ids.len(), 49_408);
        assert_eq!(vocabulary.merges.len(), 48_894);
        for (token, id) in
            [("!", 0), ("a</w>", 320), (",</w>", 267), ("<|startoftext|>", 49_406), ("<|endoftext|>", 49_407)]
        {
            assert_eq!(vocabulary.ids[token], id, "{token}");
        }
    }

    #[test]
    fn both_ways_of_writing_pairs_are_read_from_one_file() {
        let read = |file: &str| {
            let text = br#"{"model": {"vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"], "ab a"]},
                "added_tokens": [{"id": 3, "content": "<|endoftext|>", "special": true}]}"#;
            (file == "tokenizer/tokenizer.json").then_some(Cow::Borrowed(&text[..]))
        };
        let vocabulary = Vocabulary::load(&ModelFiles::embedded("demo", read), "tokenizer").unwrap();
        let pair = |one: &str, two: &str| (one.to_owned(), two.to_owned());
        assert_eq!(vocabulary.merges, [pair("a", "b"), pair("ab", "a")]);
        assert_eq!(vocabulary.ids["<|endoftext|>"], 3);
    }

    #[test]
    fn half_a_vocabulary_is_refused_by_the_name_of_the_other_half() {
        let read = |file: &str| (file == "tokenizer/merges.txt").then_some(Cow::Borrowed(&b"a b"[..]));
        let error = Vocabulary::load(&ModelFiles::embedded("demo", read), "tokenizer").unwrap_err();
        assert_eq!(error.to_string(), "model `demo` has no file `tokenizer/vocab.json`");
    }
}
