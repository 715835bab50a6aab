//! The tar file of a back-up, and the sums at its end.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use sha2::{Digest, Sha256};
use tar::{Builder, Header};

use crate::hexadecimal::hexadecimal;
use crate::{Error, Result};

/// The last file of a back-up: a line for each of the others, with its SHA-256 and its name.
pub(crate) const SUMS: &str = "SHA256SUMS";

/// A back-up on its way.
pub(crate) struct Archive {
    tar: Builder<BufWriter<File>>,
    path: PathBuf,
    /// What [`SUMS`] will hold.
    sums: String,
}

impl Archive {
    /// Begins one in the new file at that path, whose lock is held until all is written.
    pub(super) fn over(file: File, path: &Path) -> Self {
        Self { tar: Builder::new(BufWriter::new(file)), path: path.to_owned(), sums: String::new() }
    }

    /// Adds a file that was read already.
    pub(super) fn add_bytes(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.add(name, bytes, bytes.len() as u64, Duration::ZERO)
    }

    /// Adds a file as it is.
    pub(super) fn add_file(&mut self, name: &str, path: &Path) -> Result<()> {
        let read_failed = |source| Error::Io { what: format!("reading {}", path.display()), source };
        let file = File::open(path).map_err(read_failed)?;
        let metadata = file.metadata().map_err(read_failed)?;
        let written = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        // A file that grows meanwhile is taken as it was.
        let size = metadata.len();
        self.add(name, file.take(size), size, written.unwrap_or_default())
    }

    /// Adds the sums and writes what is still to be written. Gives back how large the archive is, in bytes.
    pub(super) fn finish(mut self) -> Result<u64> {
        let sums = std::mem::take(&mut self.sums);
        self.add(SUMS, sums.as_bytes(), sums.len() as u64, Duration::ZERO)?;
        let path = self.path;
        let finish = |tar: Builder<BufWriter<File>>| {
            let mut buffered = tar.into_inner()?;
            buffered.flush()?;
            let file = buffered.into_inner().map_err(std::io::IntoInnerError::into_error)?;
            file.sync_all()?;
            Ok(file.metadata()?.len())
        };
        finish(self.tar).map_err(|source| failed(&path, source))
    }

    fn add(&mut self, name: &str, content: impl Read, size: u64, written: Duration) -> Result<()> {
        let mut header = Header::new_gnu();
        header.set_size(size);
        header.set_mode(0o600);
        header.set_mtime(written.as_secs());
        let mut content = HashingReader::new(content);
        self.tar.append_data(&mut header, name, &mut content).map_err(|source| failed(&self.path, source))?;
        if content.n_bytes != size {
            return Err(Error::Broken(format!("{name} became shorter while it was read")));
        }
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.sums, "{}  {name}", content.sum());
        Ok(())
    }
}

/// A full disk is said as such.
fn failed(path: &Path, source: std::io::Error) -> Error {
    match source.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Error::StorageFull,
        _ => Error::Io { what: format!("writing the back-up {}", path.display()), source },
    }
}

/// Passes on what it reads, and sums it up.
pub(crate) struct HashingReader<R> {
    inner: R,
    hash: Sha256,
    n_bytes: u64,
}

impl<R: Read> HashingReader<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, hash: Sha256::new(), n_bytes: 0 }
    }

    /// The SHA-256 of what was read, as text.
    pub(crate) fn sum(self) -> String {
        hexadecimal(&self.hash.finalize())
    }
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n_read = self.inner.read(buffer)?;
        self.hash.update(&buffer[..n_read]);
        self.n_bytes += n_read as u64;
        Ok(n_read)
    }
}
