//! A file that is read in pieces.

use std::borrow::Cow;
use std::fs::File;

use super::ModelFiles;
use crate::error::Result;

/// A file that is read in pieces: a large one never lies in memory as a whole. Threads may read at once.
#[derive(Debug)]
pub struct OpenFile {
    model: ModelFiles,
    path: String,
    content: Content,
}

/// Positioned reads rather than a memory map: a map has no safe form, since a file that is cut short while it is
/// mapped ends the program, and every tensor is converted on its way in, so that nothing would be saved but one copy.
#[derive(Debug)]
enum Content {
    Disk { file: File, size: usize },
    Memory(Cow<'static, [u8]>),
}

impl OpenFile {
    pub(super) fn on_disk(model: &ModelFiles, path: &str, file: File, size: u64) -> Self {
        let content = Content::Disk { file, size: usize::try_from(size).unwrap_or(usize::MAX) };
        Self { model: model.clone(), path: path.to_owned(), content }
    }

    pub(super) fn in_memory(model: &ModelFiles, path: &str, bytes: Cow<'static, [u8]>) -> Self {
        Self { model: model.clone(), path: path.to_owned(), content: Content::Memory(bytes) }
    }

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
    /// [`crate::Error::BrokenFile`] if the file ends before that.
    pub fn read(&self, start: usize, length: usize) -> Result<Cow<'_, [u8]>> {
        let end = self.end(start, length)?;
        match &self.content {
            Content::Memory(bytes) => Ok(Cow::Borrowed(&bytes[start..end])),
            Content::Disk { .. } => {
                let mut bytes = vec![0; length];
                self.read_into(start, &mut bytes)?;
                Ok(Cow::Owned(bytes))
            }
        }
    }

    /// As many bytes from `start` on as `bytes` takes.
    ///
    /// # Errors
    /// As [`OpenFile::read`].
    pub fn read_into(&self, start: usize, bytes: &mut [u8]) -> Result<()> {
        let end = self.end(start, bytes.len())?;
        match &self.content {
            Content::Memory(all) => bytes.copy_from_slice(&all[start..end]),
            Content::Disk { file, .. } => {
                read_at(file, bytes, start as u64).map_err(|error| self.broken(error.to_string()))?;
            }
        }
        Ok(())
    }

    /// Where a stretch ends that lies within the file.
    fn end(&self, start: usize, length: usize) -> Result<usize> {
        start.checked_add(length).filter(|&end| end <= self.size()).ok_or_else(|| {
            self.broken(format!("it ends at byte {} and should go on to {start} + {length}", self.size()))
        })
    }

    /// An [`crate::Error::BrokenFile`] about this file.
    pub fn broken(&self, reason: impl Into<String>) -> crate::Error {
        self.model.broken(&self.path, reason)
    }
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], start: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, start)
}

#[cfg(windows)]
fn read_at(file: &File, mut bytes: &mut [u8], mut start: u64) -> std::io::Result<()> {
    while !bytes.is_empty() {
        let n = std::os::windows::fs::FileExt::seek_read(file, bytes, start)?;
        if n == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        bytes = &mut bytes[n..];
        start += n as u64;
    }
    Ok(())
}
