//! Where a model's parts are read from: a folder on disk, the program itself, or one checkpoint file.
//!
//! All give the same answers to the same questions, so a model that is compiled into the program, or that comes as
//! one file with the original names, loads through exactly the code that loads a full folder.

mod open_file;

use std::borrow::Cow;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;

pub use self::open_file::OpenFile;
use crate::checkpoint::{Checkpoint, Part};
use crate::error::{Error, Result};
use crate::lora::{Adaptations, LoraUse};
use crate::precision::Precision;
use crate::weights::Progress;

/// Reads one file of a model that the program carries: path inside the model's folder to its bytes.
pub type ReadEmbedded = fn(&str) -> Option<Cow<'static, [u8]>>;

/// The files of one model in the layout that diffusers and transformers write. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ModelFiles {
    name: Arc<str>,
    source: Source,
    adaptations: Option<Arc<Adaptations>>,
    progress: Option<Arc<Progress>>,
    precision: Precision,
}

#[derive(Debug, Clone)]
enum Source {
    Folder(Arc<Path>),
    Embedded(ReadEmbedded),
    Checkpoint(Arc<Checkpoint>),
}

impl ModelFiles {
    /// The files below a folder. Nothing is opened yet.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self::new(&path.display().to_string(), Source::Folder(path.into()))
    }

    /// One `.safetensors` file with the original names. It answers as a folder in diffusers' layout would: its
    /// configs are derived from its tensors, and `Weights` finds them under diffusers' names.
    ///
    /// A folder beside it that has its name without the ending wins: whatever lies there, such as
    /// `scheduler/scheduler_config.json` or a whole `vae`, is read in the place of what the file says.
    ///
    /// No such file brings a tokenizer, so `tokenizer/vocab.json` does not exist unless that folder has it.
    ///
    /// # Errors
    /// [`Error::MissingFile`], [`Error::Pickle`], [`Error::BrokenFile`], [`Error::UnsupportedLora`],
    /// [`Error::UnknownFamily`]. What lacks a part or a tensor opens, and says so when the part is asked for.
    pub fn checkpoint(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let checkpoint = Checkpoint::open(path)?;
        Ok(Self::new(&path.display().to_string(), Source::Checkpoint(Arc::new(checkpoint))))
    }

    /// A file on its own, which lies in no model, under the name that errors call it by.
    ///
    /// # Errors
    /// As [`ModelFiles::bytes`].
    pub(crate) fn open_alone(path: &Path) -> Result<OpenFile> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let files = Self::new(&path.display().to_string(), Source::Folder(folder.into()));
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        files.open(&file)
    }

    fn new(name: &str, source: Source) -> Self {
        Self { name: name.into(), source, adaptations: None, progress: None, precision: Precision::default() }
    }

    /// The same model with LoRA files on it: every weight is read with their changes added, so leaving them out
    /// again is reading without them, and nothing can drift.
    ///
    /// # Errors
    /// [`Error::LoraFamily`] if one belongs to another family; whatever is wrong with the model's files.
    pub fn with_loras(&self, loras: &[LoraUse]) -> Result<Self> {
        let plain = Self { adaptations: None, ..self.clone() };
        let adaptations = if loras.is_empty() { None } else { Some(Adaptations::new(&plain, loras)?.into()) };
        Ok(Self { adaptations, ..plain })
    }

    /// The same model, which tells how much of its weights was read.
    #[must_use]
    pub fn with_progress(&self, progress: Arc<Progress>) -> Self {
        Self { progress: Some(progress), ..self.clone() }
    }

    /// The same model, which computes in other numbers.
    #[must_use]
    pub fn with_precision(&self, precision: Precision) -> Self {
        Self { precision, ..self.clone() }
    }

    /// In which numbers it computes.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// The changes that weights are read with.
    pub(crate) fn adaptations(&self) -> Option<&Arc<Adaptations>> {
        self.adaptations.as_ref()
    }

    /// Who is told how much was read.
    pub(crate) fn progress(&self) -> Option<&Arc<Progress>> {
        self.progress.as_ref()
    }

    /// The single file behind this model, if it is one.
    pub fn as_checkpoint(&self) -> Option<&Checkpoint> {
        match &self.source {
            Source::Checkpoint(checkpoint) => Some(checkpoint),
            Source::Folder(_) | Source::Embedded(_) => None,
        }
    }

    /// The tensors of one part, if the model is a single file that has it.
    pub(crate) fn part(&self, folder: &str) -> Option<&Part> {
        self.as_checkpoint().and_then(|checkpoint| checkpoint.part(folder))
    }

    /// Files inside the program. `name` is what errors call the model.
    pub fn embedded(name: &str, read: ReadEmbedded) -> Self {
        Self::new(name, Source::Embedded(read))
    }

    /// The path of the folder or of the checkpoint, or the name of the embedded model.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether there is such a file. `file` is a path inside the model's folder, with forward slashes.
    pub fn exists(&self, file: &str) -> bool {
        match &self.source {
            Source::Folder(folder) => folder.join(file).is_file(),
            Source::Embedded(read) => read(file).is_some(),
            Source::Checkpoint(checkpoint) => {
                checkpoint.side_file(file).is_some() || checkpoint.small_file(file).is_some()
            }
        }
    }

    /// The whole file.
    ///
    /// # Errors
    /// [`Error::MissingFile`] if there is none, [`Error::BrokenFile`] if the disk refuses; in a single file
    /// [`Error::MissingPart`] and [`Error::MissingTensors`].
    pub fn bytes(&self, file: &str) -> Result<Cow<'static, [u8]>> {
        match &self.source {
            Source::Folder(folder) => std::fs::read(folder.join(file))
                .map(Cow::Owned)
                .map_err(|error| self.unreadable(file, &error)),
            Source::Embedded(read) => read(file).ok_or_else(|| self.missing(file)),
            Source::Checkpoint(checkpoint) => {
                if let Some(path) = checkpoint.side_file(file) {
                    return std::fs::read(path)
                        .map(Cow::Owned)
                        .map_err(|error| self.unreadable(file, &error));
                }
                // A config that was derived from half of a part would hide what is the matter.
                checkpoint.refuse_gaps(file.split('/').next().unwrap_or_default())?;
                let bytes = checkpoint.small_file(file).map(|text| Cow::Owned(text.as_bytes().to_vec()));
                bytes.ok_or_else(|| self.missing(file))
            }
        }
    }

    /// The whole file as text.
    ///
    /// # Errors
    /// As [`ModelFiles::bytes`], and [`Error::BrokenFile`] if it is not UTF-8.
    pub fn text(&self, file: &str) -> Result<String> {
        String::from_utf8(self.bytes(file)?.into_owned())
            .map_err(|error| self.broken(file, error.to_string()))
    }

    /// The file, read as JSON. Python's `NaN` and `Infinity`, which are not JSON, count as `null`.
    ///
    /// # Errors
    /// As [`ModelFiles::bytes`], and [`Error::BrokenFile`] if it is not JSON of that form.
    pub fn json<T: DeserializeOwned>(&self, file: &str) -> Result<T> {
        let text = self.text(file)?;
        serde_json::from_str(&without_python_numbers(&text))
            .map_err(|error| self.broken(file, error.to_string()))
    }

    /// Opens a file that is read in pieces, such as one with weights.
    ///
    /// # Errors
    /// As [`ModelFiles::bytes`].
    pub fn open(&self, file: &str) -> Result<OpenFile> {
        let path = match &self.source {
            Source::Folder(folder) => folder.join(file),
            Source::Embedded(read) => {
                let bytes = read(file).ok_or_else(|| self.missing(file))?;
                return Ok(OpenFile::in_memory(self, file, bytes));
            }
            Source::Checkpoint(checkpoint) => match checkpoint.side_file(file) {
                Some(path) => path,
                None => return Ok(OpenFile::in_memory(self, file, self.bytes(file)?)),
            },
        };
        let opened = File::open(path).map_err(|error| self.unreadable(file, &error))?;
        let size = opened.metadata().map_err(|error| self.unreadable(file, &error))?.len();
        Ok(OpenFile::on_disk(self, file, opened, size))
    }

    /// An [`Error::BrokenFile`] about one of these files.
    pub fn broken(&self, file: &str, reason: impl Into<String>) -> Error {
        Error::BrokenFile { model: self.name().to_owned(), file: file.to_owned(), reason: reason.into() }
    }

    /// An [`Error::MissingFile`], or what it means in a single file: a part is not in it.
    pub(crate) fn missing(&self, file: &str) -> Error {
        if let Some(error) = self.as_checkpoint().and_then(|checkpoint| checkpoint.missing_part(file)) {
            return error;
        }
        Error::MissingFile { model: self.name().to_owned(), file: file.to_owned() }
    }

    fn unreadable(&self, file: &str, error: &std::io::Error) -> Error {
        if error.kind() == std::io::ErrorKind::NotFound {
            self.missing(file)
        } else {
            self.broken(file, error.to_string())
        }
    }
}

/// Python's `json` writes `NaN`, `Infinity` and `-Infinity` bare. No setting that is read here holds one,
/// so they become `null`; text inside quotation marks stays.
fn without_python_numbers(text: &str) -> Cow<'_, str> {
    if !text.contains("NaN") && !text.contains("Infinity") {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut in_quotes = false;
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let bare = if in_quotes {
            None
        } else {
            ["-Infinity", "Infinity", "NaN"].iter().find(|w| rest.starts_with(**w))
        };
        let taken = if let Some(word) = bare {
            clean.push_str("null");
            word.len()
        } else if in_quotes && character == '\\' {
            // The escaped character comes along, so that `\"` ends nothing.
            let taken = rest.char_indices().nth(2).map_or(rest.len(), |(index, _)| index);
            clean.push_str(&rest[..taken]);
            taken
        } else {
            in_quotes ^= character == '"';
            clean.push(character);
            character.len_utf8()
        };
        rest = &rest[taken..];
    }
    Cow::Owned(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_files(file: &str) -> Option<Cow<'static, [u8]>> {
        match file {
            "part/config.json" => Some(Cow::Borrowed(br#"{"low": -Infinity, "name": "NaN \" Infinity"}"#)),
            "weights" => Some(Cow::Borrowed(b"0123456789")),
            _ => None,
        }
    }

    #[test]
    fn a_folder_and_the_program_answer_alike() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("weights"), b"0123456789").unwrap();
        for files in [ModelFiles::folder(folder.path()), ModelFiles::embedded("demo", two_files)] {
            assert!(files.exists("weights"));
            assert!(!files.exists("other"));
            assert_eq!(*files.bytes("weights").unwrap(), *b"0123456789");
            let open = files.open("weights").unwrap();
            assert_eq!(*open.read(3, 4).unwrap(), *b"3456");
            assert!(matches!(open.read(8, 3), Err(Error::BrokenFile { .. })));
            assert!(matches!(files.bytes("other"), Err(Error::MissingFile { .. })));
            assert!(matches!(files.open("other"), Err(Error::MissingFile { .. })));
        }
    }

    #[test]
    fn numbers_that_only_python_writes_count_as_null() {
        #[derive(serde::Deserialize)]
        struct Config {
            low: Option<f64>,
            name: String,
        }
        let config: Config = ModelFiles::embedded("demo", two_files).json("part/config.json").unwrap();
        assert_eq!(config.low, None);
        assert_eq!(config.name, "NaN \" Infinity");
    }

    #[test]
    fn a_file_that_is_not_json_is_called_broken() {
        let error = ModelFiles::embedded("demo", two_files).json::<Vec<u8>>("weights").unwrap_err();
        assert!(error.to_string().starts_with("file `weights` of model `demo` cannot be read: "), "{error}");
    }
}
