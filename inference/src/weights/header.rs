//! The header of a safetensors file, which is believed only as far as it can be checked.
//!
//! # Source
//! The format as its own library reads it: eight bytes with the header's length (little-endian), JSON, then the
//! tensors' bytes. That library allows headers of 100 MB, and so does this.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::error::Result;
use crate::model_files::OpenFile;

/// The longest header that is read, in bytes.
const MAX_HEADER: u64 = 100_000_000;

/// How a tensor's numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
pub enum Kind {
    /// Half precision.
    F16,
    /// The upper half of an f32.
    BF16,
    /// Single precision.
    F32,
    /// Whole numbers of 64 bits: counters.
    I64,
    /// Masks and rarer forms; no network asks for one.
    #[serde(other)]
    Other,
}

impl Kind {
    /// Bytes of one number; 0 where that is not known.
    pub(crate) fn n_bytes(self) -> usize {
        match self {
            Self::F16 | Self::BF16 => 2,
            Self::F32 => 4,
            Self::I64 => 8,
            Self::Other => 0,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F16 => "f16",
            Self::BF16 => "bf16",
            Self::F32 => "f32",
            Self::I64 => "i64",
            Self::Other => "another form",
        })
    }
}

/// Where a tensor lies in its file, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) kind: Kind,
    pub(crate) shape: Vec<usize>,
    /// First byte, from the beginning of the file.
    pub(crate) start: usize,
    /// In bytes.
    pub(crate) length: usize,
}

impl Stored {
    pub(crate) fn n_elements(&self) -> usize {
        self.shape.iter().product()
    }
}

/// All that a header says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Header {
    pub(crate) tensors: BTreeMap<String, Stored>,
    /// Free text that the exporter left.
    pub(crate) metadata: BTreeMap<String, String>,
}

/// One tensor's line.
#[derive(Deserialize)]
struct Line {
    dtype: Kind,
    shape: Vec<usize>,
    data_offsets: (usize, usize),
}

/// The lines in the order they stand there. A map would keep the last of two lines with one name and say nothing.
#[derive(Default)]
struct Lines {
    tensors: Vec<(String, Line)>,
    metadata: BTreeMap<String, String>,
}

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Lines;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with a line for every tensor")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Lines, A::Error> {
                let mut lines = Lines::default();
                let mut names = HashSet::new();
                while let Some(name) = map.next_key::<String>()? {
                    if !names.insert(name.clone()) {
                        return Err(A::Error::custom(format_args!("`{name}` stands there twice")));
                    }
                    if name == "__metadata__" {
                        // Some exporters write numbers there, which the format does not allow and nobody misses.
                        let metadata: serde_json::Value = map.next_value()?;
                        let texts = metadata.as_object().into_iter().flatten();
                        lines.metadata = texts
                            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                            .collect();
                        continue;
                    }
                    let value: serde_json::Value = map.next_value()?;
                    let line = serde_json::from_value(value).map_err(|error| {
                        A::Error::custom(format_args!("its entry for `{name}` makes no sense: {error}"))
                    })?;
                    lines.tensors.push((name, line));
                }
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(lines)
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

impl Header {
    /// Reads and checks a file's header: no tensor lies outside of the file or over another one, and each is as
    /// long as its shape says.
    ///
    /// # Errors
    /// [`crate::Error::BrokenFile`].
    pub(crate) fn read(file: &OpenFile) -> Result<Self> {
        let length: [u8; 8] = file.read(0, 8)?[..].try_into().unwrap_or_default();
        let length = u64::from_le_bytes(length);
        if length > MAX_HEADER {
            return Err(file.broken(format!(
                "it begins with a header of {length} bytes, and at most {MAX_HEADER} are allowed: it is no safetensors file"
            )));
        }
        let end = 8 + length as usize;
        if end > file.size() {
            return Err(file.broken(format!(
                "it ends at byte {}, and its header goes on to {end}: the file is truncated",
                file.size()
            )));
        }
        let text = file.read(8, length as usize)?;
        let lines: Lines = serde_json::from_slice(&text)
            .map_err(|error| file.broken(format!("its header is wrong: {error}")))?;
        let mut tensors = BTreeMap::new();
        for (name, line) in lines.tensors {
            let stored = line.checked(file, &name, end)?;
            tensors.insert(name, stored);
        }
        refuse_overlaps(file, &tensors)?;
        Ok(Self { tensors, metadata: lines.metadata })
    }
}

impl Line {
    fn checked(self, file: &OpenFile, name: &str, data: usize) -> Result<Stored> {
        let (from, to) = self.data_offsets;
        let Some(length) = to.checked_sub(from) else {
            return Err(file.broken(format!("`{name}` ends at {to}, before it begins at {from}")));
        };
        let n_elements = self.shape.iter().try_fold(1usize, |n, &size| n.checked_mul(size));
        let expected = n_elements.and_then(|n| n.checked_mul(self.dtype.n_bytes()));
        let fits = match self.dtype {
            // However a number is stored, it takes at least a bit.
            Kind::Other => n_elements.is_some_and(|n| n <= length.saturating_mul(8)),
            _ => expected == Some(length),
        };
        if !fits {
            return Err(file.broken(format!("`{name}` has {length} bytes, which its shape does not give")));
        }
        let end = data.saturating_add(to);
        if end > file.size() {
            return Err(file.broken(format!(
                "it ends at byte {}, and tensor `{name}` goes on to {end}: the file is truncated",
                file.size()
            )));
        }
        Ok(Stored { kind: self.dtype, shape: self.shape, start: data + from, length })
    }
}

fn refuse_overlaps(file: &OpenFile, tensors: &BTreeMap<String, Stored>) -> Result<()> {
    let mut in_order: Vec<_> = tensors.iter().filter(|(_, stored)| stored.length > 0).collect();
    in_order.sort_by_key(|(_, stored)| stored.start);
    for pair in in_order.windows(2) {
        let ((name, stored), (next_name, next)) = (pair[0], pair[1]);
        if stored.start + stored.length > next.start {
            return Err(file.broken(format!("`{name}` and `{next_name}` lie over each other")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model_files::ModelFiles;

    /// What is said of a file with this header and so many bytes after it.
    fn complaint(header: &str, n_bytes: usize) -> String {
        let folder = tempfile::tempdir().unwrap();
        let length = (header.len() as u64).to_le_bytes();
        let bytes = [&length[..], header.as_bytes(), &vec![0; n_bytes]].concat();
        std::fs::write(folder.path().join("a.safetensors"), bytes).unwrap();
        let file = ModelFiles::folder(folder.path()).open("a.safetensors").unwrap();
        Header::read(&file)
            .map_or_else(|error| error.to_string(), |header| format!("{:?}", header.tensors.keys()))
    }

    #[test]
    fn a_header_that_tells_the_truth_is_read_with_its_metadata() {
        let header = r#"{"__metadata__": {"format": "pt", "steps": 3}, "b": {"dtype": "F16", "shape": [2, 1], "data_offsets": [0, 4]}, "n": {"dtype": "I64", "shape": [], "data_offsets": [4, 12]}}"#;
        assert_eq!(complaint(header, 12), r#"["b", "n"]"#);
    }

    #[test]
    fn a_header_that_lies_is_refused_with_what_is_wrong() {
        let line = |name: &str, shape: &str, from: usize, to: usize| {
            format!(r#""{name}": {{"dtype": "F32", "shape": {shape}, "data_offsets": [{from}, {to}]}}"#)
        };
        let file = |lines: &[String]| format!("{{{}}}", lines.join(", "));
        for (header, expected) in [
            (file(&[line("a", "[2]", 0, 16)]), "`a` has 16 bytes, which its shape does not give"),
            (file(&[line("a", "[2]", 8, 0)]), "`a` ends at 0, before it begins at 8"),
            (file(&[line("a", "[2]", 4, 12)]), "goes on to"),
            (file(&[line("a", "[2]", 0, 8), line("b", "[1]", 4, 8)]), "`a` and `b` lie over each other"),
            (file(&[line("a", "[2]", 0, 8), line("a", "[1]", 0, 4)]), "`a` stands there twice"),
            (file(&[line("a", "[4294967296, 4294967296, 2]", 0, 8)]), "which its shape does not give"),
            (
                r#"{"a": {"dtype": "U8", "shape": [18446744073709551615], "data_offsets": [0, 8]}}"#
                    .to_owned(),
                "which its shape does not give",
            ),
            (file(&[line("a", "[2]", 0, usize::MAX)]), "which its shape does not give"),
            (file(&[line("a", "[-1]", 0, 8)]), "its entry for `a` makes no sense"),
            ("[]".to_owned(), "its header is wrong"),
            ("{".to_owned(), "its header is wrong"),
        ] {
            let complaint = complaint(&header, 8);
            assert!(complaint.contains(expected), "{header}: {complaint}");
        }
    }

    #[test]
    fn a_header_of_absurd_length_is_refused_before_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        for (length, expected) in [(u64::MAX, "no safetensors file"), (99_999_999, "the file is truncated")] {
            std::fs::write(folder.path().join("a"), [&length.to_le_bytes()[..], b"{}"].concat()).unwrap();
            let file = ModelFiles::folder(folder.path()).open("a").unwrap();
            let complaint = Header::read(&file).unwrap_err().to_string();
            assert!(complaint.contains(expected), "{complaint}");
        }
    }
}
