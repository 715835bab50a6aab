//! LoRA files: small changes to a model's weights, added while these are read.
//!
//! A changed weight is `base + Σ weight · scale · delta`, computed in f32 from the file's own numbers each time it is
//! read. Taking a LoRA out again is reading without it, so nothing drifts.
//!
//! # Layout
//! * `keys`: the many names under which files store one layer's change
//! * `delta`: what a change adds, for LoRA, `LoCon` and `LoHa`
//! * `targets`: which tensor of a model a layer's name means
//!
//! # Source
//! Hu et al. 2021, arXiv:2106.09685; Yeh et al. 2023, arXiv:2309.14859 (`LoCon`, `LoHa`). Checked against diffusers'
//! `load_lora_weights` and `fuse_lora`, and against a computation in torch for what these do not read.

mod delta;
mod keys;
mod targets;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use types::model::Family;

use self::delta::Delta;
use self::keys::{Key, Place};
use self::targets::Targets;
use crate::checkpoint::{Kinship, refuse_pickle};
use crate::error::{Error, Result};
use crate::model_files::{ModelFiles, OpenFile};
use crate::weights::Header;

/// A LoRA file. Its numbers stay on the disk until weights are read with it.
#[derive(Debug)]
pub struct Lora {
    name: String,
    file: OpenFile,
    /// By layer, in the file's own spelling.
    layers: BTreeMap<Place, Delta>,
    family: Family,
    /// Tensors that belong to no layer's change.
    n_ignored: usize,
    n_bytes: u64,
}

/// A LoRA and how strongly it is wanted.
#[derive(Debug, Clone)]
pub struct LoraUse {
    /// The file.
    pub lora: Arc<Lora>,
    /// Factor of its changes to the U-Net; 1 is as it was trained.
    pub unet: f64,
    /// Factor of its changes to the text encoders.
    pub text_encoder: f64,
}

impl LoraUse {
    /// The same weight everywhere.
    pub fn new(lora: Arc<Lora>, weight: f64) -> Self {
        Self { lora, unet: weight, text_encoder: weight }
    }
}

impl Lora {
    /// Reads the header of a file and sorts its tensors by layer.
    ///
    /// # Errors
    /// [`Error::MissingFile`], [`Error::Pickle`], [`Error::UnsupportedLora`]; [`Error::BrokenFile`] if it is no
    /// safetensors file, holds no change to any layer, or half of one.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        refuse_pickle(path)?;
        let file = ModelFiles::open_alone(path)?;
        let header = Header::read(&file)?;
        let mut by_layer: BTreeMap<Place, Vec<(keys::Role, String)>> = BTreeMap::new();
        let mut n_ignored = 0;
        for name in header.tensors.keys() {
            match Key::parse(name) {
                Key::Of { place, role } => by_layer.entry(place).or_default().push((role, name.clone())),
                Key::Unsupported(kind) => {
                    return Err(Error::UnsupportedLora { file: file.path().to_owned(), kind });
                }
                Key::Unknown => n_ignored += 1,
            }
        }
        let mut layers = BTreeMap::new();
        for (place, tensors) in by_layer {
            if let Some(delta) = Delta::new(&file, &header, &tensors)? {
                layers.insert(place, delta);
            }
        }
        if layers.is_empty() {
            return Err(file.broken("it changes no layer: it is no LoRA"));
        }
        let family = family_of(&layers);
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let n_bytes = file.size() as u64;
        Ok(Self { name, file, layers, family, n_ignored, n_bytes })
    }

    /// The file's name without its ending.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The family whose models it changes, told from the sizes of its layers.
    pub fn family(&self) -> Family {
        self.family
    }

    /// Whether it changes models of that family. What is of a family of its own may fit or not: the layers decide.
    pub fn fits(&self, family: Family) -> bool {
        self.family == family || self.family == Family::Other || family == Family::Other
    }

    /// How many layers it changes.
    pub fn n_layers(&self) -> usize {
        self.layers.len()
    }

    /// Whether it changes text encoders besides the U-Net.
    pub fn changes_text_encoder(&self) -> bool {
        self.layers.keys().any(|place| place.part != "unet")
    }

    /// Size of the file.
    pub fn n_bytes(&self) -> u64 {
        self.n_bytes
    }
}

/// The kind of a file's changes, if it is one that is not supported.
pub(crate) fn unsupported_kind(header: &Header) -> Option<&'static str> {
    header.tensors.keys().find_map(|name| match Key::parse(name) {
        Key::Unsupported(kind) => Some(kind),
        Key::Of { .. } | Key::Unknown => None,
    })
}

/// By the width of the text that the U-Net is told, else by that of the text encoder.
fn family_of(layers: &BTreeMap<Place, Delta>) -> Family {
    let told = |place: &&Place| {
        place.part == "unet" && (place.layer.ends_with("attn2_to_k") || place.layer.ends_with("attn2_to_v"))
    };
    let width = layers.iter().find(|(place, _)| told(place)).map(|(_, delta)| delta.n_inputs());
    let encoder = |part: &str| {
        let layer = |place: &Place| place.part == part && place.layer.ends_with("self_attn_q_proj");
        layers.iter().find(|(place, _)| layer(place)).map(|(_, delta)| delta.n_inputs())
    };
    match width {
        Some(768) => Family::Sd1,
        Some(1024) => Family::Sd2,
        Some(2048) => Family::Sdxl,
        Some(1280) => Family::SdxlRefiner,
        Some(_) => Family::Other,
        None => match (encoder("text_encoder"), encoder("text_encoder_2")) {
            (_, Some(1280)) => Family::Sdxl,
            (Some(768), None) => Family::Sd1,
            (Some(1024), None) => Family::Sd2,
            _ => Family::Other,
        },
    }
}

/// What several LoRA files do to one model.
#[derive(Debug)]
pub(crate) struct Adaptations {
    parts: HashMap<&'static str, PartAdaptations>,
}

/// What they do to one part: full name of a tensor to all changes of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct PartAdaptations(Arc<HashMap<String, Vec<Change>>>);

/// One change to one tensor.
#[derive(Debug, Clone)]
struct Change {
    lora: Arc<Lora>,
    place: Place,
    /// Wanted weight.
    factor: f64,
}

impl Adaptations {
    /// Finds the tensors that each layer means.
    ///
    /// # Errors
    /// [`Error::LoraFamily`] if a LoRA changes other sizes, or fewer than half of its layers are in the model.
    pub(crate) fn new(files: &ModelFiles, loras: &[LoraUse]) -> Result<Self> {
        let family = Kinship::of(files)?.family;
        let targets = Targets::of(files)?;
        let mut parts: HashMap<&'static str, HashMap<String, Vec<Change>>> = HashMap::new();
        for LoraUse { lora, unet, text_encoder } in loras {
            let refuse = |found: String| Error::LoraFamily {
                lora: lora.name.clone(),
                found,
                model: files.name().to_owned(),
                needed: family.title().to_owned(),
            };
            if !lora.fits(family) {
                return Err(refuse(lora.family.title().to_owned()));
            }
            let mut n_found = 0;
            for (place, delta) in &lora.layers {
                let Some(target) = targets.find(place) else { continue };
                if !delta.fits(&target.shape) {
                    return Err(refuse(format!("models in which `{}` has another size", target.tensor)));
                }
                n_found += 1;
                let factor = if target.part == "unet" { *unet } else { *text_encoder };
                let change = Change { lora: Arc::clone(lora), place: place.clone(), factor };
                parts.entry(target.part).or_default().entry(target.tensor.clone()).or_default().push(change);
            }
            let n_layers = lora.layers.len();
            if n_found * 2 < n_layers {
                return Err(refuse(format!(
                    "models with other layers, of which {n_found} of {n_layers} are here"
                )));
            }
        }
        let parts =
            parts.into_iter().map(|(part, changes)| (part, PartAdaptations(Arc::new(changes)))).collect();
        Ok(Self { parts })
    }

    /// What is done to one part.
    pub(crate) fn of_part(&self, folder: &str) -> PartAdaptations {
        self.parts.get(folder).cloned().unwrap_or_default()
    }
}

impl PartAdaptations {
    /// Adds all changes to a tensor's numbers.
    pub(crate) fn add_to(&self, tensor: &str, values: &mut [f32]) -> Result<()> {
        for Change { lora, place, factor } in self.0.get(tensor).into_iter().flatten() {
            if *factor != 0.0 {
                lora.layers[place].add_to(&lora.file, *factor, values)?;
            }
        }
        Ok(())
    }
}

impl Lora {
    /// How many of its tensors and layers a model has no use for.
    ///
    /// # Errors
    /// Whatever is wrong with the model's files.
    pub fn n_ignored(&self, files: &ModelFiles) -> Result<usize> {
        let targets = Targets::of(files)?;
        let n_strangers = self.layers.keys().filter(|place| targets.find(place).is_none()).count();
        Ok(self.n_ignored + n_strangers)
    }
}
