//! GPT-2's tokenizer: byte pairs over whole bytes, so that every text has tokens.

use std::collections::HashMap;

use serde::Deserialize;
use tokenizers::Tokenizer;
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;

use crate::error::{Error, Result};
use crate::model_files::ModelFiles;
use crate::tokenizers::clip::{Special, read_merges};

/// Texts to token ids, and ids to the bytes they stand for.
#[derive(Debug, Clone)]
pub struct Gpt2Tokenizer {
    tokenizer: Tokenizer,
    /// What each id stands for; nothing for ids that mean something else than text.
    bytes: Vec<Vec<u8>>,
    end: u32,
}

/// Of the exported config only what is looked up here.
#[derive(Debug, Default, Deserialize)]
struct Settings {
    eos_token: Option<Special>,
}

impl Gpt2Tokenizer {
    /// Reads `tokenizer.json`, or `vocab.json` and `merges.txt` where there is none.
    ///
    /// # Errors
    /// [`Error::MissingFile`], [`Error::BrokenFile`]; [`Error::Tokenizer`] if there is no token between
    /// texts.
    pub fn load(files: &ModelFiles) -> Result<Self> {
        let mut tokenizer = if files.exists("tokenizer.json") {
            let broken = |error: tokenizers::Error| files.broken("tokenizer.json", error.to_string());
            Tokenizer::from_bytes(files.bytes("tokenizer.json")?).map_err(broken)?
        } else {
            from_vocabulary(files)?
        };
        // A prompt that spells out a special token means its letters.
        tokenizer.set_encode_special_tokens(true);
        let name = end_token(files)?;
        let missing = || Error::Tokenizer(format!("its vocabulary has no token `{name}`"));
        let end = tokenizer.token_to_id(&name).ok_or_else(missing)?;
        let mut bytes = token_bytes(&tokenizer);
        for id in tokenizer.get_added_tokens_decoder().keys().copied().chain([end]) {
            if let Some(meaning) = bytes.get_mut(id as usize) {
                meaning.clear();
            }
        }
        Ok(Self { tokenizer, bytes, end })
    }

    /// The text's tokens; none are added before or after.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if the text cannot be read.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let encoded = self.tokenizer.encode_fast(text, false);
        Ok(encoded.map_err(|error| Error::Tokenizer(error.to_string()))?.get_ids().to_vec())
    }

    /// What a token stands for: part of a text in UTF-8, perhaps not whole characters. Nothing for special
    /// and unknown tokens.
    pub fn bytes(&self, id: u32) -> &[u8] {
        self.bytes.get(id as usize).map_or(&[], Vec::as_slice)
    }

    /// The token that stands between texts: it begins one, and ends it.
    pub fn end(&self) -> u32 {
        self.end
    }

    /// Ids are below this.
    pub fn n_tokens(&self) -> usize {
        self.bytes.len()
    }
}

/// The name of the token between texts, GPT-2's own if nothing says otherwise.
fn end_token(files: &ModelFiles) -> Result<String> {
    const FILE: &str = "tokenizer_config.json";
    let settings: Settings = if files.exists(FILE) { files.json(FILE)? } else { Settings::default() };
    Ok(settings.eos_token.map_or_else(|| "<|endoftext|>".to_owned(), Special::text))
}

fn from_vocabulary(files: &ModelFiles) -> Result<Tokenizer> {
    let vocabulary: HashMap<String, u32> = files.json("vocab.json")?;
    let merges = read_merges(files, "merges.txt")?;
    let model = BPE::builder().vocab_and_merges(vocabulary.into_iter().collect::<Vocab>(), merges).build();
    let mut tokenizer = Tokenizer::new(model.map_err(|error| files.broken("merges.txt", error.to_string()))?);
    tokenizer.with_pre_tokenizer(Some(ByteLevel::new(false, true, true)));
    Ok(tokenizer)
}

/// The bytes behind every id. The vocabulary writes each byte as a printable character.
fn token_bytes(tokenizer: &Tokenizer) -> Vec<Vec<u8>> {
    let byte_of: HashMap<char, u8> = byte_characters().map(|(byte, character)| (character, byte)).collect();
    let n_ids = tokenizer.get_vocab(true).values().map(|&id| id as usize + 1).max().unwrap_or(0);
    let mut bytes = vec![Vec::new(); n_ids];
    for (token, id) in tokenizer.get_vocab(true) {
        bytes[id as usize] = token.chars().filter_map(|character| byte_of.get(&character).copied()).collect();
    }
    bytes
}

/// GPT-2's way to write bytes: printable ones of Latin-1 as themselves, the others as U+0100 and after.
fn byte_characters() -> impl Iterator<Item = (u8, char)> {
    let mut n_others = 0;
    (0..=255u8).map(move |byte| {
        if matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff) {
            (byte, char::from(byte))
        } else {
            n_others += 1;
            (byte, char::from_u32(0xff + n_others).unwrap_or(char::REPLACEMENT_CHARACTER))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_a_character_of_its_own() {
        let characters: std::collections::HashSet<char> = byte_characters().map(|(_, c)| c).collect();
        assert_eq!(characters.len(), 256);
        let alphabet = ByteLevel::alphabet();
        assert!(characters.iter().all(|character| alphabet.contains(character)));
    }
}
