//! Where a model's parts are read from: a folder on disk, or the program itself.
//!
//! Both give the same answers to the same questions, so a model that is compiled into the program loads
//! through exactly the code that loads a full one.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// Reads one file of a model that the program carries: path inside the model's folder to its bytes.
pub type ReadEmbedded = fn(&str) -> Option<Cow<'static, [u8]>>;

/// The files of one model in the layout that diffusers and transformers write. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ModelFiles {
    name: Arc<str>,
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    Folder(Arc<Path>),
    Embedded(ReadEmbedded),
}

impl ModelFiles {
    /// The files below a folder. Nothing is opened yet.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { name: path.display().to_string().into(), source: Source::Folder(path.into()) }
    }

    /// Files inside the program. `name` is what errors call the model.
    pub fn embedded(name: &str, read: ReadEmbedded) -> Self {
        Self { name: name.into(), source: Source::Embedded(read) }
    }

    /// The folder's path, or the name of the embedded model.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether there is such a file. `file` is a path inside the model's folder, with forward slashes.
    pub fn exists(&self, file: &str) -> bool {
        match &self.source {
            Source::Folder(folder) => folder.join(file).is_file(),
            Source::Embedded(read) => read(file).is_some(),
        }
    }

    /// The whole file.
    ///
    /// # Errors
    /// [`Error::MissingFile`] if there is none, [`Error::BrokenFile`] if the disk refuses.
    pub fn bytes(&self, file: &str) -> Result<Cow<'static, [u8]>> {
        match &self.source {
            Source::Folder(folder) => std::fs::read(folder.join(file))
                .map(Cow::Owned)
                .map_err(|error| self.unreadable(file, &error)),
            Source::Embedded(read) => read(file).ok_or_else(|| self.missing(file)),
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
        let content = match &self.source {
            Source::Folder(folder) => {
                let opened = File::open(folder.join(file)).map_err(|error| self.unreadable(file, &error))?;
                let size = opened.metadata().map_err(|error| self.unreadable(file, &error))?.len();
                Content::Disk { file: Mutex::new(opened), size: size as usize }
            }
            Source::Embedded(read) => Content::Memory(read(file).ok_or_else(|| self.missing(file))?),
        };
        Ok(OpenFile { model: self.clone(), path: file.to_owned(), content })
    }

    /// An [`Error::BrokenFile`] about one of these files.
    pub fn broken(&self, file: &str, reason: impl Into<String>) -> Error {
        Error::BrokenFile { model: self.name().to_owned(), file: file.to_owned(), reason: reason.into() }
    }

    fn missing(&self, file: &str) -> Error {
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

/// A file that is read in pieces: a large one never lies in memory as a whole.
#[derive(Debug)]
pub struct OpenFile {
    model: ModelFiles,
    path: String,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Disk { file: Mutex<File>, size: usize },
    Memory(Cow<'static, [u8]>),
}

impl OpenFile {
    /// Path inside the model's folder.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Length in bytes when it was opened.
    pub fn size(&self) -> usize {
        match &self.content {
            Content::Disk { size, .. } => *size,
            Content::Memory(bytes) => bytes.len(),
        }
    }

    /// `length` bytes from `start` on.
    ///
    /// # Errors
    /// [`Error::BrokenFile`] if the file ends before that.
    pub fn read(&self, start: usize, length: usize) -> Result<Cow<'_, [u8]>> {
        let end = start.checked_add(length).filter(|&end| end <= self.size()).ok_or_else(|| {
            self.broken(format!("it ends at byte {} and should go on to {start} + {length}", self.size()))
        })?;
        match &self.content {
            Content::Memory(bytes) => Ok(Cow::Borrowed(&bytes[start..end])),
            Content::Disk { file, .. } => {
                let mut bytes = vec![0; length];
                // A reader that panicked leaves nothing half done but the position, which is set anew here.
                let mut file = file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                file.seek(SeekFrom::Start(start as u64))
                    .and_then(|_| file.read_exact(&mut bytes))
                    .map_err(|error| self.broken(error.to_string()))?;
                Ok(Cow::Owned(bytes))
            }
        }
    }

    /// An [`Error::BrokenFile`] about this file.
    pub fn broken(&self, reason: impl Into<String>) -> Error {
        self.model.broken(&self.path, reason)
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
