//! Tensors by name, with errors that say which one is missing.
//!
//! Weights are stored in f16, bf16 or f32 and computed with in f32. They are read one tensor at a time,
//! so that a model takes no more memory while it loads than afterwards.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;

use candle_core::{Device, Tensor};
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::model_files::{ModelFiles, OpenFile};

/// All tensors of one part of a model, in one or more safetensors files.
#[derive(Debug)]
pub struct Weights {
    files: Vec<OpenFile>,
    entries: HashMap<String, Entry>,
    device: Device,
}

/// Where a tensor lies.
#[derive(Debug)]
struct Entry {
    file: usize,
    kind: Kind,
    shape: Vec<usize>,
    start: usize,
    length: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Kind {
    F16,
    BF16,
    F32,
    /// Counters and masks that older exporters left in their files; no network asks for one.
    #[serde(other)]
    Other,
}

impl Kind {
    fn n_bytes(self) -> usize {
        match self {
            Self::F16 | Self::BF16 => 2,
            Self::F32 => 4,
            Self::Other => 0,
        }
    }
}

/// One tensor's line in the header of a safetensors file.
#[derive(Deserialize)]
struct HeaderLine {
    dtype: Kind,
    shape: Vec<usize>,
    data_offsets: (usize, usize),
}

/// The list of files that a large model is cut into.
#[derive(Deserialize)]
struct ShardIndex {
    weight_map: BTreeMap<String, String>,
}

impl Weights {
    /// Opens the weights of one part: `{stem}.safetensors`, its half-precision variant, or the files
    /// that `{stem}.safetensors.index.json` lists. `folder` is empty for a model without parts.
    ///
    /// # Errors
    /// [`Error::MissingFile`] if none of these is there, [`Error::BrokenFile`] if one is truncated or
    /// not safetensors.
    pub fn open(files: &ModelFiles, folder: &str, stem: &str, device: &Device) -> Result<Self> {
        let inside =
            |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        let whole = inside(&format!("{stem}.safetensors"));
        let half = inside(&format!("{stem}.fp16.safetensors"));
        let index = inside(&format!("{stem}.safetensors.index.json"));
        let paths = if !files.exists(&whole) && files.exists(&half) {
            vec![half]
        } else if !files.exists(&whole) && files.exists(&index) {
            let index: ShardIndex = files.json(&index)?;
            let mut names: Vec<String> = index.weight_map.values().map(|name| inside(name)).collect();
            names.sort();
            names.dedup();
            names
        } else {
            vec![whole]
        };
        let mut weights = Self { files: Vec::new(), entries: HashMap::new(), device: device.clone() };
        for path in paths {
            weights.add(files.open(&path)?)?;
        }
        Ok(weights)
    }

    /// Reads the header of one more file: eight bytes with its length, then JSON.
    fn add(&mut self, file: OpenFile) -> Result<()> {
        let length: [u8; 8] = file.read(0, 8)?[..].try_into().unwrap_or_default();
        let header_end = 8usize.saturating_add(u64::from_le_bytes(length) as usize);
        let header = file.read(8, header_end - 8)?.into_owned();
        let lines: HashMap<String, serde_json::Value> =
            serde_json::from_slice(&header).map_err(|error| file.broken(error.to_string()))?;
        let number = self.files.len();
        for (name, line) in lines {
            if name == "__metadata__" {
                continue;
            }
            let line: HeaderLine = serde_json::from_value(line)
                .map_err(|error| file.broken(format!("its entry for `{name}` makes no sense: {error}")))?;
            let (from, to) = line.data_offsets;
            let length = to.saturating_sub(from);
            let n_elements: Option<usize> =
                line.shape.iter().try_fold(1usize, |n, &size| n.checked_mul(size));
            let fits = n_elements.and_then(|n| n.checked_mul(line.dtype.n_bytes())) == Some(length);
            if line.dtype != Kind::Other && !fits {
                return Err(
                    file.broken(format!("`{name}` has {length} bytes, which its shape does not give"))
                );
            }
            let end = header_end.saturating_add(to);
            if end > file.size() {
                return Err(file.broken(format!(
                    "it ends at byte {}, and tensor `{name}` goes on to {end}: the file is truncated",
                    file.size()
                )));
            }
            let entry = Entry {
                file: number,
                kind: line.dtype,
                shape: line.shape,
                start: header_end.saturating_add(from),
                length,
            };
            self.entries.insert(name, entry);
        }
        self.files.push(file);
        Ok(())
    }

    /// The place that all names start from.
    pub fn root(&self) -> Scope<'_> {
        Scope { weights: self, prefix: String::new() }
    }

    /// What errors call the file: the first one.
    fn path(&self) -> &str {
        self.files.first().map_or("", OpenFile::path)
    }
}

/// A place in the tree of tensor names, such as `down_blocks.0.resnets.1`.
#[derive(Debug, Clone)]
pub struct Scope<'a> {
    weights: &'a Weights,
    prefix: String,
}

impl Scope<'_> {
    /// One step down: a name, or a number in a list.
    #[must_use]
    pub fn at(&self, step: impl Display) -> Self {
        Self { weights: self.weights, prefix: self.full_name(step) }
    }

    /// Where the tensors go.
    pub fn device(&self) -> &Device {
        &self.weights.device
    }

    /// Whether there is a tensor of that name, or any below it.
    pub fn has(&self, name: &str) -> bool {
        let full = self.full_name(name);
        self.weights.entries.contains_key(&full)
            || self
                .weights
                .entries
                .keys()
                .any(|key| key.starts_with(&full) && key[full.len()..].starts_with('.'))
    }

    /// The shape of a tensor, if it is there.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.weights.entries.get(&self.full_name(name)).map(|entry| entry.shape.as_slice())
    }

    /// The tensor, in f32 on this scope's device.
    ///
    /// # Errors
    /// [`Error::MissingTensor`] and [`Error::TensorShape`] with its full name.
    pub fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        Ok(Tensor::from_vec(self.values(name, shape)?, shape, self.device())?)
    }

    /// The tensor's numbers in row-major order.
    ///
    /// # Errors
    /// As [`Scope::tensor`].
    pub fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let full = self.full_name(name);
        let entry = self.weights.entries.get(&full).ok_or_else(|| Error::MissingTensor {
            file: self.weights.path().to_owned(),
            tensor: full.clone(),
        })?;
        let file = &self.weights.files[entry.file];
        if entry.shape != shape {
            return Err(Error::TensorShape {
                file: file.path().to_owned(),
                tensor: full,
                expected: shape.to_vec(),
                found: entry.shape.clone(),
            });
        }
        let bytes = file.read(entry.start, entry.length)?;
        match entry.kind {
            Kind::F16 => Ok(halves(&bytes).map(f16::from_bits).collect::<Vec<_>>().to_f32_vec()),
            Kind::BF16 => Ok(halves(&bytes).map(bf16::from_bits).collect::<Vec<_>>().to_f32_vec()),
            Kind::F32 => Ok(bytes.as_chunks().0.iter().map(|&four| f32::from_le_bytes(four)).collect()),
            Kind::Other => {
                Err(file.broken(format!("`{full}` is stored in another form than F16, BF16 or F32")))
            }
        }
    }

    fn full_name(&self, step: impl Display) -> String {
        if self.prefix.is_empty() { step.to_string() } else { format!("{}.{step}", self.prefix) }
    }
}

fn halves(bytes: &[u8]) -> impl Iterator<Item = u16> {
    bytes.as_chunks().0.iter().map(|&two| u16::from_le_bytes(two))
}
