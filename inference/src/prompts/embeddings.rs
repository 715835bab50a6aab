//! Textual inversions: files whose name, written in a prompt, stands for vectors of their own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use safetensors::SafeTensors;

use crate::error::{Error, Result};
use crate::model_files::ModelFiles;
use crate::tokenizers::clip::ClipTokenizer;
use crate::weights::Weights;

/// The folder that textual inversions lie in. It is looked at anew for every prompt, so that a file put there
/// later is found. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Embeddings {
    folder: Option<PathBuf>,
}

/// What a text encoder needs from a textual inversion.
#[derive(Debug, Clone, Copy)]
pub struct Needed<'a> {
    /// Channels of a token.
    pub width: usize,
    /// The tensor's name where a file holds vectors for two text encoders.
    pub key: Option<&'a str>,
    /// The other text encoder's name and width, if the model has two.
    pub other: Option<(&'a str, usize)>,
}

impl Embeddings {
    /// The files in that folder. It need not be there.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self { folder: Some(path.into()) }
    }

    /// The names that a prompt may hold, in the alphabet's order.
    pub fn names(&self) -> Vec<String> {
        self.files().into_iter().filter(|file| !file.is_pickle()).map(|file| file.name).collect()
    }

    /// What the names are as tokens, for one text encoder.
    ///
    /// # Errors
    /// [`Error::Tokenizer`].
    pub fn dictionary<'a>(&self, tokenizer: &ClipTokenizer, needed: Needed<'a>) -> Result<Dictionary<'a>> {
        let mut entries = Vec::new();
        for file in self.files() {
            let tokens = tokenizer.words(&file.name)?;
            if !tokens.is_empty() {
                entries.push(Entry { tokens, file });
            }
        }
        // A stable sort: of files with the same tokens the first one stays first.
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.tokens.len()));
        Ok(Dictionary { entries, needed, capacity: tokenizer.capacity() })
    }

    /// By name, and of one name the file that can be read first.
    fn files(&self) -> Vec<EmbeddingFile> {
        let Some(folder) = &self.folder else { return Vec::new() };
        let Ok(listing) = std::fs::read_dir(folder) else { return Vec::new() };
        let mut files: Vec<EmbeddingFile> =
            listing.flatten().filter_map(|entry| EmbeddingFile::new(folder, &entry.path())).collect();
        files.sort_by(|a, b| (&a.name, a.is_pickle()).cmp(&(&b.name, b.is_pickle())));
        files
    }
}

/// The names of textual inversions as tokens.
#[derive(Debug)]
pub struct Dictionary<'a> {
    /// Long names before short ones.
    entries: Vec<Entry>,
    needed: Needed<'a>,
    capacity: usize,
}

#[derive(Debug)]
struct Entry {
    tokens: Vec<u32>,
    file: EmbeddingFile,
}

/// A name in a prompt and what stands for it.
#[derive(Debug)]
pub struct Found {
    /// How many tokens the name has.
    pub n_tokens: usize,
    /// `(tokens in their place, width)`, f32 on the CPU.
    pub vectors: Tensor,
}

impl Dictionary<'_> {
    /// The textual inversion that `tokens` begin with, if any: the one with the longest name.
    ///
    /// A name is found where its tokens stand, so it is a whole word or several, in capitals or not.
    ///
    /// # Errors
    /// [`Error::Embedding`] if the file is a pickle, is broken, or belongs to another kind of model.
    pub fn find(&self, tokens: &[u32]) -> Result<Option<Found>> {
        let Some(entry) = self.entries.iter().find(|entry| tokens.starts_with(&entry.tokens)) else {
            return Ok(None);
        };
        let vectors = entry.file.read(self.needed, self.capacity)?;
        Ok(Some(Found { n_tokens: entry.tokens.len(), vectors }))
    }
}

/// One file of the folder.
#[derive(Debug)]
struct EmbeddingFile {
    folder: PathBuf,
    /// Without the ending.
    name: String,
    /// With the ending.
    file: String,
}

impl EmbeddingFile {
    /// `None` for a file of another kind.
    fn new(folder: &Path, path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?;
        let is_known = ["safetensors", "pt", "bin", "ckpt"].contains(&ending);
        (is_known && path.is_file()).then_some(())?;
        Some(Self {
            folder: folder.to_owned(),
            name: path.file_stem()?.to_str()?.to_owned(),
            file: path.file_name()?.to_str()?.to_owned(),
        })
    }

    fn is_pickle(&self) -> bool {
        !self.file.ends_with(".safetensors")
    }

    fn unusable(&self, reason: impl Into<String>) -> Error {
        Error::Embedding { file: self.file.clone(), reason: reason.into() }
    }

    /// The vectors for one text encoder, `(1 to capacity, width)`.
    fn read(&self, needed: Needed<'_>, capacity: usize) -> Result<Tensor> {
        if self.is_pickle() {
            return Err(self.unusable(format!(
                "it is a pickle, and reading one can run any program; convert it to {}.safetensors",
                self.name
            )));
        }
        let files = ModelFiles::folder(&self.folder);
        let shapes = self.shapes(&files)?;
        let tensor = self.choose(&shapes, needed)?;
        let shape = &shapes[tensor];
        let (n_vectors, width) = match shape[..] {
            [width] => (1, width),
            [n_vectors, width] => (n_vectors, width),
            _ => {
                let message = format!("`{tensor}` has shape {shape:?}, and vectors are a table of two sizes");
                return Err(self.unusable(message));
            }
        };
        if width != needed.width {
            return Err(self.unusable(format!(
                "its vectors have {width} channels, and this model's have {}",
                needed.width
            )));
        }
        if !(1..=capacity).contains(&n_vectors) {
            return Err(self.unusable(format!("it has {n_vectors} vectors; allowed are 1 to {capacity}")));
        }
        let weights = Weights::open(&files, "", &self.name, &Device::Cpu)?;
        Ok(weights.root().tensor(tensor, shape)?.reshape((n_vectors, width))?)
    }

    fn shapes(&self, files: &ModelFiles) -> Result<BTreeMap<String, Vec<usize>>> {
        let bytes = files.bytes(&self.file)?;
        let (_, header) = SafeTensors::read_metadata(&bytes)
            .map_err(|error| self.unusable(format!("it is no whole safetensors file ({error})")))?;
        let shape = |(name, info): (String, &safetensors::tensor::TensorInfo)| (name, info.shape.clone());
        Ok(header.tensors().into_iter().map(shape).collect())
    }

    /// The name of the tensor that holds the vectors.
    fn choose<'a>(&self, shapes: &'a BTreeMap<String, Vec<usize>>, needed: Needed<'_>) -> Result<&'a str> {
        const FIRST: &str = "clip_l";
        const SECOND: &str = "clip_g";
        let size = |key: &str, axis: usize| shapes.get(key).and_then(|shape| shape.get(axis).copied());
        if let (Some(first), Some(second)) = (size(FIRST, 0), size(SECOND, 0)) {
            if first != second {
                return Err(self.unusable(format!(
                    "it has {first} vectors in {FIRST} and {second} in {SECOND}, and the numbers have to be equal"
                )));
            }
            return shapes.keys().find(|name| needed.key == Some(name)).map(String::as_str).ok_or_else(
                || {
                    self.unusable(format!(
                    "its vectors have {} and {} channels, for two text encoders, and this model's have {}",
                    size(FIRST, 1).unwrap_or_default(),
                    size(SECOND, 1).unwrap_or_default(),
                    needed.width
                ))
                },
            );
        }
        let mut names = shapes.keys();
        let only = match shapes.get_key_value("emb_params") {
            Some((name, _)) => Some(name),
            None => names.next().filter(|_| names.next().is_none()),
        };
        let only = only.ok_or_else(|| {
            self.unusable(format!(
                "it has {} tensors, and a textual inversion has emb_params alone, or {FIRST} and {SECOND}",
                shapes.len()
            ))
        })?;
        if let (Some(key), Some((other, width))) = (needed.key, needed.other) {
            return Err(self.unusable(format!(
                "its vectors have {} channels, and this model needs {key} with {} and {other} with {width}",
                shapes[only].last().copied().unwrap_or_default(),
                needed.width
            )));
        }
        Ok(only)
    }
}

#[cfg(test)]
mod tests;
