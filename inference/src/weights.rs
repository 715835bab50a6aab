//! Tensors by name, with errors that say which one is missing.
//!
//! Weights are stored in f16, bf16 or f32, whatever they are computed with in. They are read one tensor at a time,
//! so that a model takes no more memory while it loads than afterwards.

mod decode;
mod header;
mod progress;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{Device, Tensor};
use serde::Deserialize;

pub use self::header::Kind;
pub(crate) use self::header::{Header, Stored};
pub use self::progress::Progress;
use crate::checkpoint::View;
use crate::error::{Error, Result};
use crate::lora::PartAdaptations;
use crate::model_files::{ModelFiles, OpenFile};
use crate::precision::Precision;

/// All tensors of one part of a model, in one or more safetensors files.
#[derive(Debug)]
pub struct Weights {
    files: Vec<Arc<OpenFile>>,
    entries: HashMap<String, Entry>,
    device: Device,
    precision: Precision,
    /// What LoRA files add to them.
    adaptations: Option<PartAdaptations>,
    progress: Option<Arc<Progress>>,
    /// Memory that one tensor after the other is read into.
    scratch: Mutex<Vec<f32>>,
}

/// Where a tensor lies.
#[derive(Debug)]
struct Entry {
    file: usize,
    view: View,
}

/// The list of files that a large model is cut into.
#[derive(Deserialize)]
struct ShardIndex {
    weight_map: BTreeMap<String, String>,
}

impl Weights {
    /// Opens the weights of one part: `{stem}.safetensors`, a half-precision variant (`fp16`, `bf16`), the files
    /// that an index lists, or the part's tensors in a single-file checkpoint. `folder` is empty for a model
    /// without parts.
    ///
    /// # Errors
    /// [`Error::MissingFile`] if none of these is there, [`Error::Pickle`] if the same weights are there as a
    /// pickle, [`Error::BrokenFile`] if one is truncated or not safetensors, [`Error::MissingPart`] and
    /// [`Error::MissingTensors`] from a single file; [`Error::Cancelled`] if whoever is told how much was read breaks
    /// off.
    pub fn open(files: &ModelFiles, folder: &str, stem: &str, device: &Device) -> Result<Self> {
        let mut weights = Self {
            files: Vec::new(),
            entries: HashMap::new(),
            device: device.clone(),
            precision: files.precision(),
            adaptations: files.adaptations().map(|all| all.of_part(folder)),
            progress: files.progress().cloned(),
            scratch: Mutex::default(),
        };
        if let Some(paths) = paths(files, folder, stem)? {
            for path in paths {
                weights.add(files.open(&path)?)?;
            }
        } else if let (Some(checkpoint), Some(part)) = (files.as_checkpoint(), files.part(folder)) {
            checkpoint.refuse_gaps(folder)?;
            weights.files.push(Arc::clone(checkpoint.file()));
            let entry =
                |(name, view): (&String, &View)| (name.clone(), Entry { file: 0, view: view.clone() });
            weights.entries = part.views.iter().map(entry).collect();
        } else {
            let whole = inside(folder, &format!("{stem}.safetensors"));
            return Err(pickle_instead(files, folder, stem).unwrap_or_else(|| files.missing(&whole)));
        }
        if let Some(progress) = &weights.progress {
            progress.expect(weights.n_bytes())?;
        }
        Ok(weights)
    }

    /// Reads the header of one more file.
    fn add(&mut self, file: OpenFile) -> Result<()> {
        let number = self.files.len();
        for (name, stored) in Header::read(&file)?.tensors {
            self.entries.insert(name, Entry { file: number, view: View::whole(&stored) });
        }
        self.files.push(Arc::new(file));
        Ok(())
    }

    /// The place that all names start from.
    pub fn root(&self) -> Scope<'_> {
        Scope { weights: self, prefix: String::new() }
    }

    /// Full names and shapes of all tensors, in no order.
    pub fn shapes(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.entries.iter().map(|(name, entry)| (name.as_str(), entry.view.stored.shape.as_slice()))
    }

    /// How many numbers all tensors hold.
    pub fn n_parameters(&self) -> u64 {
        self.entries.values().map(|entry| entry.view.stored.n_elements() as u64).sum()
    }

    /// Bytes that all tensors take in their files.
    pub fn n_bytes(&self) -> u64 {
        self.entries.values().map(|entry| entry.view.stored.length as u64).sum()
    }

    /// How most of the numbers are stored; `None` if there are none.
    pub fn kind(&self) -> Option<Kind> {
        let mut sizes: BTreeMap<Kind, usize> = BTreeMap::new();
        for Entry { view, .. } in self.entries.values() {
            *sizes.entry(view.stored.kind).or_default() += view.stored.n_elements();
        }
        sizes.into_iter().max_by_key(|&(_, size)| size).map(|(kind, _)| kind)
    }

    /// What errors call the file: the first one.
    fn path(&self) -> &str {
        self.files.first().map_or("", |file| file.path())
    }
}

fn inside(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// The files of a part in a folder, the first form that is there: whole and plain, whole in half precision, in
/// several files plain or in half precision. Both places of a variant's name in that of an index are about.
fn paths(files: &ModelFiles, folder: &str, stem: &str) -> Result<Option<Vec<String>>> {
    for whole in ["safetensors", "fp16.safetensors", "bf16.safetensors"] {
        let path = inside(folder, &format!("{stem}.{whole}"));
        if files.exists(&path) {
            return Ok(Some(vec![path]));
        }
    }
    for index in [
        "safetensors.index.json",
        "safetensors.index.fp16.json",
        "fp16.safetensors.index.json",
        "safetensors.index.bf16.json",
        "bf16.safetensors.index.json",
    ] {
        let path = inside(folder, &format!("{stem}.{index}"));
        if files.exists(&path) {
            let index: ShardIndex = files.json(&path)?;
            let mut names: Vec<String> = index.weight_map.into_values().collect();
            names.sort();
            names.dedup();
            if let Some(outside) = names.iter().find(|name| name.contains(['/', '\\'])) {
                return Err(files.broken(&path, format!("it names the file `{outside}` in another folder")));
            }
            return Ok(Some(names.iter().map(|name| inside(folder, name)).collect()));
        }
    }
    Ok(None)
}

/// The names under which pickles of the same weights go about.
fn pickle_instead(files: &ModelFiles, folder: &str, stem: &str) -> Option<Error> {
    let names = [format!("{stem}.bin"), format!("{stem}.fp16.bin"), "pytorch_model.bin".to_owned()];
    let file = names.iter().map(|name| inside(folder, name)).find(|path| files.exists(path))?;
    Some(Error::Pickle { file: PathBuf::from(file).display().to_string() })
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

    /// In which numbers the model computes.
    pub fn precision(&self) -> Precision {
        self.weights.precision
    }

    /// Whether this crate's kernels compute with these weights: on the processor in f32.
    pub fn is_for_kernels(&self) -> bool {
        matches!(self.device(), Device::Cpu) && self.precision() == Precision::F32
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
        self.weights.entries.get(&self.full_name(name)).map(|entry| entry.view.stored.shape.as_slice())
    }

    /// The tensor, in f32 on this scope's device.
    ///
    /// # Errors
    /// [`Error::MissingTensor`] and [`Error::TensorShape`] with its full name; [`Error::Cancelled`] if whoever is told
    /// how much was read breaks off.
    pub fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        if matches!(self.device(), Device::Cpu) {
            return Ok(Tensor::from_vec(self.values(name, shape)?, shape, self.device())?);
        }
        self.with_values(name, shape, |values| Ok(Tensor::from_slice(values, shape, self.device())?))
    }

    /// The tensor's numbers in row-major order, with what LoRA files add to them.
    ///
    /// # Errors
    /// As [`Scope::tensor`].
    pub fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let mut values = Vec::new();
        self.read(name, shape, &mut values)?;
        Ok(values)
    }

    /// Looks at what [`Scope::values`] gives, for those who keep it in another form: the memory it lies in is used for
    /// the next tensor again, as memory that is new to a program costs more than what is done with it here.
    ///
    /// # Errors
    /// As [`Scope::tensor`], and whatever `look` returns.
    pub fn with_values<T>(
        &self,
        name: &str,
        shape: &[usize],
        look: impl FnOnce(&[f32]) -> Result<T>,
    ) -> Result<T> {
        let scratch = || self.weights.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        // Taken out, so that whoever looks may read another tensor meanwhile.
        let mut values = std::mem::take(&mut *scratch());
        self.read(name, shape, &mut values)?;
        let seen = look(&values);
        *scratch() = values;
        seen
    }

    /// Puts the tensor's numbers in the place of whatever `values` holds.
    fn read(&self, name: &str, shape: &[usize], values: &mut Vec<f32>) -> Result<()> {
        let full = self.full_name(name);
        let entry = self.weights.entries.get(&full).ok_or_else(|| Error::MissingTensor {
            file: self.weights.path().to_owned(),
            tensor: full.clone(),
        })?;
        let file = &self.weights.files[entry.file];
        let Entry { view: View { stored, is_transposed }, .. } = entry;
        if stored.shape != shape {
            return Err(Error::TensorShape {
                file: file.path().to_owned(),
                tensor: full,
                expected: shape.to_vec(),
                found: stored.shape.clone(),
            });
        }
        decode::read(file, stored, values, &full)?;
        if *is_transposed && let &[rows, columns] = shape {
            *values = transposed(values, rows, columns);
        }
        if let Some(adaptations) = &self.weights.adaptations {
            adaptations.add_to(&full, values)?;
        }
        if let Some(progress) = &self.weights.progress {
            progress.advance(stored.length as u64)?;
        }
        Ok(())
    }

    fn full_name(&self, step: impl Display) -> String {
        if self.prefix.is_empty() { step.to_string() } else { format!("{}.{step}", self.prefix) }
    }
}

/// From `(columns, rows)` to `(rows, columns)`.
fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..rows * columns).map(|i| values[i % columns * rows + i / columns]).collect()
}
