//! CLIP's tokenizer: lower-case byte pairs.

mod vocabulary;

use serde::Deserialize;
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::normalizers::{Lowercase, NFC, Replace, Sequence as Normalizers};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence as PreTokenizers;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{AddedToken, NormalizerWrapper, PreTokenizerWrapper, SplitDelimiterBehavior, Tokenizer};

use self::vocabulary::Vocabulary;
pub(super) use self::vocabulary::read_merges;
use crate::error::{Error, Result};
use crate::model_files::ModelFiles;

/// What counts as a word before the byte pairs are joined: OpenAI's CLIP has this expression.
const WORDS: &str =
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";

/// What ends a text, unless a model says otherwise.
const END: &str = "<|endoftext|>";

/// A comma at the end of a word.
const COMMA: &str = ",</w>";

/// Texts to token ids of a fixed length.
#[derive(Debug, Clone)]
pub struct ClipTokenizer {
    tokenizer: Tokenizer,
    start: u32,
    end: u32,
    padding: u32,
    comma: Option<u32>,
    length: usize,
    n_tokens: usize,
}

/// What short texts are filled up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// The end token, as OpenAI's CLIP does: Stable Diffusion 1.x, and SDXL's first text encoder.
    EndOfText,
    /// The token 0, which is `!`, as `OpenCLIP` does: Stable Diffusion 2.x, and SDXL's second text encoder.
    Zero,
}

/// The settings of `tokenizer_config.json` and `special_tokens_map.json` that matter here.
#[derive(Debug, Default, Deserialize)]
struct Settings {
    bos_token: Option<Special>,
    eos_token: Option<Special>,
    pad_token: Option<Special>,
    unk_token: Option<Special>,
    model_max_length: Option<f64>,
    added_tokens_decoder: Option<serde_json::Value>,
}

/// A token with a meaning of its own, written as text or with its properties.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Special {
    Text(String),
    Token { content: String },
}

impl Special {
    pub(super) fn text(self) -> String {
        match self {
            Self::Text(content) | Self::Token { content } => content,
        }
    }
}

impl ClipTokenizer {
    /// Reads the tokenizer's folder. `max_length` is the most tokens that the text encoder takes. Where the folder
    /// has no vocabulary, it is OpenAI's, which every published Stable Diffusion has; what texts are filled up with
    /// is still read from the folder.
    ///
    /// # Errors
    /// [`Error::MissingFile`], [`Error::BrokenFile`]; [`Error::Tokenizer`] if the files contradict each
    /// other.
    pub fn load(files: &ModelFiles, folder: &str, max_length: usize) -> Result<Self> {
        Self::new(Vocabulary::load(files, folder)?, read_settings(files, folder)?, max_length)
    }

    /// Whether the folder has any of a tokenizer's files.
    pub fn is_in(files: &ModelFiles, folder: &str) -> bool {
        ["vocab.json", "merges.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]
            .iter()
            .any(|file| files.exists(&format!("{folder}/{file}")))
    }

    /// The tokenizer that the program carries: OpenAI's vocabulary, texts of 77 tokens.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if its tables contradict each other, which tests rule out.
    pub fn bundled(padding: Padding) -> Result<Self> {
        let padding = match padding {
            Padding::EndOfText => END,
            Padding::Zero => "!",
        };
        let settings = Settings { pad_token: Some(Special::Text(padding.to_owned())), ..Settings::default() };
        Self::new(Vocabulary::openai(), settings, 77)
    }

    fn new(vocabulary: Vocabulary, settings: Settings, max_length: usize) -> Result<Self> {
        let name =
            |token: Option<Special>, default: &str| token.map_or_else(|| default.to_owned(), Special::text);
        let start = name(settings.bos_token, "<|startoftext|>");
        let end = name(settings.eos_token, END);
        let padding = name(settings.pad_token, END);
        let unknown = name(settings.unk_token, END);
        let id = |token: &str| {
            let missing = || Error::Tokenizer(format!("its vocabulary has no token `{token}`"));
            vocabulary.ids.get(token).copied().ok_or_else(missing)
        };
        let (start_id, end_id, padding_id) = (id(&start)?, id(&end)?, id(&padding)?);
        let length = settings.model_max_length.map_or(max_length, |length| max_length.min(length as usize));
        if length < 3 {
            return Err(Error::Tokenizer(format!(
                "its texts have {length} tokens, and at least 3 are needed: start, end and one between"
            )));
        }
        let comma = vocabulary.ids.get(COMMA).copied();
        let n_tokens = vocabulary.ids.values().max().map_or(0, |&last| last as usize + 1);
        let tokenizer = build(vocabulary, unknown, &[start, end, padding]).map_err(fault)?;
        Ok(Self { tokenizer, start: start_id, end: end_id, padding: padding_id, comma, length, n_tokens })
    }

    /// The text between start and end, cut or filled up to the length that the text encoder takes.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if the text cannot be read.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        Ok(self.enclose(self.words(text)?))
    }

    /// Tokens between start and end, cut or filled up to the length that the text encoder takes.
    pub fn enclose(&self, words: impl IntoIterator<Item = u32>) -> Vec<u32> {
        let mut ids = vec![self.start];
        ids.extend(words.into_iter().take(self.capacity()));
        ids.push(self.end);
        ids.resize(self.length, self.padding);
        ids
    }

    /// The text's tokens alone, however many.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if the text cannot be read.
    pub fn words(&self, text: &str) -> Result<Vec<u32>> {
        Ok(self.tokenizer.encode_fast(text, false).map_err(fault)?.get_ids().to_vec())
    }

    /// Tokens of an encoded text, start, end and filling among them.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Tokens that fit between start and end, at least 1: 75 in every model that people have.
    pub fn capacity(&self) -> usize {
        self.length - 2
    }

    /// Tokens in the vocabulary.
    pub fn n_tokens(&self) -> usize {
        self.n_tokens
    }

    /// The token of a comma that ends a word, if the vocabulary has it.
    pub fn comma(&self) -> Option<u32> {
        self.comma
    }
}

fn fault(error: impl std::fmt::Display) -> Error {
    Error::Tokenizer(error.to_string())
}

/// Both files are optional. The map is the older place and is looked at where the config does not list the
/// tokens itself, as transformers does: SD 2.x fills up with `!` for that reason.
fn read_settings(files: &ModelFiles, folder: &str) -> Result<Settings> {
    let optional =
        |file: String| if files.exists(&file) { files.json(&file) } else { Ok(Settings::default()) };
    let mut settings = optional(format!("{folder}/tokenizer_config.json"))?;
    if settings.added_tokens_decoder.is_none() {
        let map = optional(format!("{folder}/special_tokens_map.json"))?;
        settings.bos_token = map.bos_token.or(settings.bos_token);
        settings.eos_token = map.eos_token.or(settings.eos_token);
        settings.pad_token = map.pad_token.or(settings.pad_token);
        settings.unk_token = map.unk_token.or(settings.unk_token);
    }
    Ok(settings)
}

fn build(vocabulary: Vocabulary, unknown: String, special: &[String]) -> tokenizers::Result<Tokenizer> {
    let model = BPE::builder()
        .vocab_and_merges(vocabulary.ids.into_iter().collect::<Vocab>(), vocabulary.merges)
        .unk_token(unknown)
        .end_of_word_suffix("</w>".to_owned())
        .build()?;
    let mut tokenizer = Tokenizer::new(model);
    let spaces =
        Replace::new(tokenizers::normalizers::replace::ReplacePattern::Regex(r"\s+".to_owned()), " ")?;
    let normalizers: Vec<NormalizerWrapper> = vec![NFC.into(), spaces.into(), Lowercase.into()];
    tokenizer.with_normalizer(Some(Normalizers::new(normalizers)))?;
    let words = Split::new(SplitPattern::Regex(WORDS.to_owned()), SplitDelimiterBehavior::Removed, true)?;
    // GPT-2's own expression comes after CLIP's, as in the reference: it cuts some words once more.
    let bytes = ByteLevel::new(false, true, true);
    let pre_tokenizers: Vec<PreTokenizerWrapper> = vec![words.into(), bytes.into()];
    tokenizer.with_pre_tokenizer(Some(PreTokenizers::new(pre_tokenizers)));
    let special: Vec<AddedToken> =
        special.iter().map(|token| AddedToken::from(token.clone(), true)).collect();
    tokenizer.add_special_tokens(special)?;
    Ok(tokenizer)
}
