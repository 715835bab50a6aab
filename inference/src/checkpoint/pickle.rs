//! Pickles, which are never opened.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::{Error, Result};

/// The endings under which pickles of weights go about.
const ENDINGS: [&str; 4] = ["ckpt", "pt", "pth", "bin"];

/// Whether a file is a pickle by its name.
pub fn is_pickle_name(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ENDINGS.iter().any(|pickle| ending.eq_ignore_ascii_case(pickle)))
}

/// Refuses a pickle, whatever its name: by its ending, or by how it begins. torch writes either a zip file or a
/// bare pickle of protocol 2.
///
/// # Errors
/// [`Error::Pickle`]. A file that cannot be read is no pickle: whoever opens it says why.
pub fn refuse_pickle(path: &Path) -> Result<()> {
    let mut start = [0; 4];
    let begins_so = File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok()
        && (start == *b"PK\x03\x04" || start[..2] == *b"\x80\x02");
    // A safetensors file may begin with any length, so there the rest of its eight bytes decides as well.
    let is_pickle = is_pickle_name(path) && path.is_file() || begins_so && !has_a_header(path);
    if is_pickle {
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        return Err(Error::Pickle { file });
    }
    Ok(())
}

/// Whether eight bytes of length are followed by the brace that begins a header.
fn has_a_header(path: &Path) -> bool {
    let mut start = [0; 9];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start[8] == b'{'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pickle_is_known_by_its_name_and_by_its_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let is_refused = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            matches!(refuse_pickle(&path), Err(Error::Pickle { file }) if file == name)
        };
        assert!(is_refused("model.ckpt", b"anything"));
        assert!(is_refused("model.PT", b"anything"));
        assert!(is_refused("model.safetensors", b"PK\x03\x04 a zip file"));
        assert!(is_refused("old.safetensors", b"\x80\x02\x8a\x0a a bare pickle"));
        assert!(!is_refused("true.safetensors", b"\x80\x02\0\0\0\0\0\0{ a header of 640 bytes"));
        assert!(!is_refused("other.safetensors", b"\x10\0\0\0\0\0\0\0{"));
    }
}
