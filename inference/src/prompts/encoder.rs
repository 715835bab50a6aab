//! The one call from prompts to what the U-Net listens to.

use candle_core::{Device, Tensor};
use serde::Deserialize;
use types::prompt::Weighting;

use crate::error::{Error, Result};
use crate::model_files::ModelFiles;
use crate::models::clip::{ClipConfig, ClipTextEncoder, Encoded, Encoding, Vectors};
use crate::models::config::Config;
use crate::nn::activation::Activation;
use crate::prompts::chunks::{Chunk, cut};
use crate::prompts::embeddings::{Embeddings, Needed};
use crate::prompts::weighting;
use crate::tokenizers::clip::{ClipTokenizer, Padding};

/// How prompts are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PromptOptions {
    /// How weights are applied.
    pub weighting: Weighting,
    /// Which block's output is taken, counted from the end, 1 to [`PromptEncoder::max_clip_skip`]: 1 is the one that
    /// the model was trained with. One more than diffusers' `clip_skip`, which leaves the negative prompt as it is; here, as
    /// in the AUTOMATIC1111 web UI, it goes for both.
    pub clip_skip: usize,
}

impl Default for PromptOptions {
    fn default() -> Self {
        Self { weighting: Weighting::default(), clip_skip: 1 }
    }
}

/// A prompt as the U-Net listens to it.
#[derive(Debug, Clone)]
pub struct Conditioning {
    /// `(1, tokens, width)`: 77 tokens for each chunk of the prompt; SDXL's two encoders side by side.
    pub context: Tensor,
    /// `(1, width)`: the first chunk's pooled text embedding, which SDXL asks for; `None` where the last text encoder
    /// has no projection.
    pub pooled: Option<Tensor>,
}

/// A prompt and its negative prompt.
#[derive(Debug, Clone)]
pub struct EncodedPrompts {
    /// What is to be seen.
    pub positive: Conditioning,
    /// What is not to be seen, in the same shapes; `None` if it was not asked for.
    pub negative: Option<Conditioning>,
}

/// A text encoder with its tokenizer.
#[derive(Debug, Clone)]
pub struct TextPart {
    /// Text to tokens.
    pub tokenizer: ClipTokenizer,
    /// Tokens to hidden states.
    pub encoder: ClipTextEncoder,
}

impl TextPart {
    /// Reads both from their folders. Without any file of a tokenizer it is the one that the program carries, which
    /// fills texts up as the makers of the text encoder did: OpenAI's has quick GELU, the open one GELU.
    ///
    /// # Errors
    /// As [`ClipTextEncoder::load`] and [`ClipTokenizer::load`]; [`Error::Tokenizer`] if it has tokens that the text
    /// encoder does not know, or longer texts than that takes.
    pub fn load(files: &ModelFiles, encoder: &str, tokenizer: &str, device: &Device) -> Result<Self> {
        let encoder = ClipTextEncoder::load(files, encoder, device)?;
        let ClipConfig { vocabulary, max_tokens, activation, .. } = *encoder.config();
        let tokenizer = if ClipTokenizer::is_in(files, tokenizer) {
            ClipTokenizer::load(files, tokenizer, max_tokens)?
        } else if activation == Activation::Gelu {
            ClipTokenizer::bundled(Padding::Zero)?
        } else {
            ClipTokenizer::bundled(Padding::EndOfText)?
        };
        let (n_tokens, length) = (tokenizer.n_tokens(), tokenizer.length());
        if n_tokens > vocabulary || length > max_tokens {
            return Err(Error::Tokenizer(format!(
                "it has {n_tokens} tokens and texts of {length}, and the text encoder knows {vocabulary} and takes \
                 {max_tokens}"
            )));
        }
        Ok(Self { tokenizer, encoder })
    }
}

/// The text encoders of a model, with all that lies between a prompt and them.
///
/// # Source
/// Which hidden states are taken: `encode_prompt` of diffusers' `StableDiffusionPipeline` and
/// `StableDiffusionXLPipeline`. A prompt of one chunk without weights gives what they give, to the bit of this crate's
/// [`ClipTextEncoder::forward`]. Chunks and weights: see [`cut`] and [`weighting::apply`].
#[derive(Debug, Clone)]
pub struct PromptEncoder {
    parts: Vec<TextPart>,
    /// What [`Embeddings`] call each part, where a file holds vectors for two.
    keys: Vec<Option<&'static str>>,
    /// SDXL listens to the last block but one, without the final norm.
    is_penultimate: bool,
    /// SDXL was trained with zeros where there is no prompt.
    empty_negative_is_zero: bool,
    embeddings: Embeddings,
}

/// What of `model_index.json` matters here.
#[derive(Default, Deserialize)]
struct ModelIndex {
    force_zeros_for_empty_prompt: Option<bool>,
}

impl PromptEncoder {
    /// Loads whatever text encoders a model has: `text_encoder` alone (SD 1.x, 2.x), with `text_encoder_2` (SDXL), or
    /// `text_encoder_2` alone (SDXL's refiner).
    ///
    /// # Errors
    /// [`Error::MissingFile`], [`Error::BrokenFile`], [`Error::MissingTensor`], [`Error::TensorShape`],
    /// [`Error::Unsupported`], [`Error::Tokenizer`].
    pub fn load(files: &ModelFiles, device: &Device) -> Result<Self> {
        let second_config = "text_encoder_2/config.json";
        let first = || TextPart::load(files, "text_encoder", "tokenizer", device);
        if !files.exists(second_config) {
            return Ok(Self::single(first()?));
        }
        let second = TextPart::load(files, "text_encoder_2", "tokenizer_2", device)?;
        if second.encoder.config().projection.is_none() {
            let config = Config::read(files, second_config)?;
            return Err(config.unsupported("architectures", "CLIPTextModelWithProjection"));
        }
        let first = if files.exists("text_encoder/config.json") { Some(first()?) } else { None };
        let index = if files.exists("model_index.json") {
            files.json("model_index.json")?
        } else {
            ModelIndex::default()
        };
        let empty_negative_is_zero = index.force_zeros_for_empty_prompt.unwrap_or(first.is_some());
        Ok(Self { empty_negative_is_zero, ..Self::sdxl(first, second) })
    }

    /// The one text encoder of Stable Diffusion 1.x or 2.x.
    pub fn single(part: TextPart) -> Self {
        Self {
            parts: vec![part],
            keys: vec![None],
            is_penultimate: false,
            empty_negative_is_zero: false,
            embeddings: Embeddings::default(),
        }
    }

    /// The text encoders of SDXL, or of its refiner, which has the second alone.
    fn sdxl(first: Option<TextPart>, second: TextPart) -> Self {
        let mut keys = vec![Some("clip_g")];
        if first.is_some() {
            keys.insert(0, Some("clip_l"));
        }
        Self {
            keys,
            parts: first.into_iter().chain([second]).collect(),
            is_penultimate: true,
            empty_negative_is_zero: false,
            embeddings: Embeddings::default(),
        }
    }

    /// The same with textual inversions.
    #[must_use]
    pub fn with_embeddings(self, embeddings: Embeddings) -> Self {
        Self { embeddings, ..self }
    }

    /// The text encoders with their tokenizers, in the order of their channels.
    pub fn parts(&self) -> &[TextPart] {
        &self.parts
    }

    /// Channels of [`Conditioning::context`], which the U-Net's cross-attention has to take.
    pub fn width(&self) -> usize {
        self.parts.iter().map(|part| part.encoder.config().width).sum()
    }

    /// Channels of [`Conditioning::pooled`], if there is one.
    pub fn pooled_width(&self) -> Option<usize> {
        let last = self.parts.last()?.encoder.config();
        last.projection.map(|projection| projection.width)
    }

    /// The largest [`PromptOptions::clip_skip`].
    pub fn max_clip_skip(&self) -> usize {
        let n_layers = self.parts.iter().map(|part| part.encoder.config().n_layers).min().unwrap_or(0);
        n_layers.saturating_sub(usize::from(self.is_penultimate))
    }

    /// Encodes a prompt and, where there is guidance, the negative prompt, both with as many chunks as the longer
    /// one has. LoRA tags have to be out of them already.
    ///
    /// # Errors
    /// [`Error::ClipSkip`]; [`Error::Embedding`] if a prompt names a textual inversion that cannot be used;
    /// [`Error::Tokenizer`]; whatever candle says.
    pub fn encode(
        &self,
        prompt: &str,
        negative_prompt: Option<&str>,
        options: PromptOptions,
    ) -> Result<EncodedPrompts> {
        let most = self.max_clip_skip();
        if !(1..=most).contains(&options.clip_skip) {
            return Err(Error::ClipSkip { clip_skip: options.clip_skip, most });
        }
        let is_zero = |text: &str| self.empty_negative_is_zero && text.trim().is_empty();
        let positive = self.chunks(prompt)?;
        let negative = match negative_prompt {
            Some(text) if !is_zero(text) => Some(self.chunks(text)?),
            _ => None,
        };
        let all = positive.iter().chain(negative.iter().flatten());
        let n_chunks = all.map(Vec::len).max().unwrap_or(1);
        let positive = self.encode_chunks(&positive, n_chunks, options)?;
        let negative = match (negative, negative_prompt) {
            (Some(chunks), _) => Some(self.encode_chunks(&chunks, n_chunks, options)?),
            (None, Some(_)) => Some(Conditioning {
                context: positive.context.zeros_like()?,
                pooled: positive.pooled.as_ref().map(Tensor::zeros_like).transpose()?,
            }),
            (None, None) => None,
        };
        Ok(EncodedPrompts { positive, negative })
    }

    /// A prompt's chunks for each part.
    fn chunks(&self, prompt: &str) -> Result<Vec<Vec<Chunk>>> {
        let widths: Vec<usize> = self.parts.iter().map(|part| part.encoder.config().width).collect();
        let one = |(i, part): (usize, &TextPart)| {
            let other = (0..self.parts.len()).find(|&other| other != i);
            let other = other.and_then(|other| Some((self.keys[other]?, widths[other])));
            let needed = Needed { width: widths[i], key: self.keys[i], other };
            cut(prompt, &part.tokenizer, &self.embeddings.dictionary(&part.tokenizer, needed)?)
        };
        self.parts.iter().enumerate().map(one).collect()
    }

    /// `chunks` has those of each part; what is missing to `n_chunks` is filled up with empty ones.
    fn encode_chunks(
        &self,
        chunks: &[Vec<Chunk>],
        n_chunks: usize,
        options: PromptOptions,
    ) -> Result<Conditioning> {
        let mut contexts = Vec::with_capacity(self.parts.len());
        let mut pooled = None;
        for (part, chunks) in self.parts.iter().zip(chunks) {
            let filling = Chunk::empty(&part.tokenizer);
            let chunks = chunks.iter().chain(std::iter::repeat(&filling)).take(n_chunks);
            let encoded: Vec<Encoded> =
                chunks.map(|chunk| self.encode_chunk(part, chunk, options)).collect::<Result<_>>()?;
            let hidden: Vec<&Tensor> = encoded.iter().map(|one| &one.hidden).collect();
            contexts.push(Tensor::cat(&hidden, 1)?);
            pooled = encoded.into_iter().next().and_then(|first| first.pooled);
        }
        Ok(Conditioning { context: Tensor::cat(&contexts, 2)?, pooled })
    }

    /// One chunk at a time, so that the others beside it change no bit of it.
    fn encode_chunk(&self, part: &TextPart, chunk: &Chunk, options: PromptOptions) -> Result<Encoded> {
        let vectors: Vec<Vectors> = chunk
            .vectors
            .iter()
            .map(|(position, values)| Vectors { text: 0, position: *position, values: values.clone() })
            .collect();
        let encoding = Encoding {
            skip: options.clip_skip - 1 + usize::from(self.is_penultimate),
            final_norm: !self.is_penultimate,
            vectors: &vectors,
        };
        let encoded = part.encoder.encode(std::slice::from_ref(&chunk.ids), encoding)?;
        if chunk.is_plain() {
            return Ok(encoded);
        }
        let empty = || {
            let empty = Chunk::empty(&part.tokenizer);
            Ok(part.encoder.encode(&[empty.ids], Encoding { vectors: &[], ..encoding })?.hidden)
        };
        let hidden = weighting::apply(options.weighting, &encoded.hidden, &chunk.weights, empty)?;
        Ok(Encoded { hidden, ..encoded })
    }
}
