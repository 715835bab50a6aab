//! Single-file checkpoints with the original names, seen as folders in diffusers' layout.
//!
//! # Layout
//! * `family`: which family a file belongs to
//! * `names`: a tensor under its two names, and one part of a file under diffusers' ones
//! * `unet`, `vae`, `text`: the names of each part's layers, and its config
//! * `configs`: the other small files that a folder would have had
//! * `pickle`: what is never opened

mod configs;
mod family;
pub(crate) mod names;
mod pickle;
mod text;
pub(crate) mod unet;
mod vae;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use types::model::Family;

use self::configs::Found;
pub use self::family::Kinship;
pub(crate) use self::names::{Part, View};
pub use self::pickle::{is_pickle_name, refuse_pickle};
use self::text::TextPlace;
use self::unet::UnetBlocks;
use self::vae::VaeBlocks;
use crate::error::{Error, Result};
use crate::model_files::{ModelFiles, OpenFile};
use crate::weights::Header;

/// One `.safetensors` file with all parts of a model.
#[derive(Debug)]
pub struct Checkpoint {
    /// Its name without the folder.
    name: String,
    /// Where other files may lie that win over what it says.
    side: PathBuf,
    family: Family,
    inpaints: bool,
    file: Arc<OpenFile>,
    parts: BTreeMap<&'static str, Part>,
    small_files: BTreeMap<String, String>,
    /// Folder, name in words and beginning of the names of each part that is not there.
    missing: Vec<(&'static str, &'static str, &'static str)>,
}

impl Checkpoint {
    /// Reads the header and finds every part in it. No weights are read.
    ///
    /// # Errors
    /// [`Error::MissingFile`], [`Error::Pickle`], [`Error::BrokenFile`], [`Error::UnsupportedLora`],
    /// [`Error::UnknownFamily`].
    pub(crate) fn open(path: &Path) -> Result<Self> {
        refuse_pickle(path)?;
        let file = ModelFiles::open_alone(path)?;
        let header = Header::read(&file)?;
        let name = file.path().to_owned();
        let family = family::of_header(&header).map_err(|found| family::unknown(&name, &header, found))?;
        let unet = UnetBlocks::of_names(&header, unet::PREFIX);
        let vae = VaeBlocks::of_names(&header);
        let expected: &[TextPlace] = match family {
            Family::Sdxl => &[text::SDXL_FIRST, text::SDXL_SECOND],
            Family::SdxlRefiner => &[text::REFINER],
            Family::Sd2 => &[text::SD2],
            Family::Sd1 | Family::Other => &[text::SD1],
        };
        let (texts, absent): (Vec<TextPlace>, Vec<TextPlace>) =
            expected.iter().partition(|place| place.is_in(&header));
        let mut missing: Vec<_> =
            absent.iter().map(|place| (place.folder, "text encoder", place.prefix)).collect();
        let mut parts = BTreeMap::new();
        parts.insert("unet", Part::from_pairs(&header, unet::PREFIX, &unet.pairs()));
        if names::any(&header, vae::PREFIX) {
            parts.insert("vae", Part::from_pairs(&header, vae::PREFIX, &vae.pairs()));
        } else {
            missing.push(("vae", "VAE", vae::PREFIX));
        }
        for place in &texts {
            parts.insert(place.folder, place.part(&header));
        }
        let found =
            Found { header: &header, file: &file, family, unet: &unet, vae, texts: &texts, parts: &parts };
        let small_files = found.small_files()?;
        let inpaints = found.n_inputs() == 9;
        let file = Arc::new(file);
        Ok(Self { name, side: path.with_extension(""), family, inpaints, file, parts, small_files, missing })
    }

    /// Which models have parts of the same sizes.
    pub fn family(&self) -> Family {
        self.family
    }

    /// Whether its U-Net has 9 channels.
    pub fn inpaints(&self) -> bool {
        self.inpaints
    }

    /// Folders, in diffusers' layout, of the parts that are in the file.
    pub fn parts(&self) -> impl Iterator<Item = &'static str> {
        self.parts.keys().copied()
    }

    /// The open file.
    pub(crate) fn file(&self) -> &Arc<OpenFile> {
        &self.file
    }

    /// One part's tensors under diffusers' names.
    pub(crate) fn part(&self, folder: &str) -> Option<&Part> {
        self.parts.get(folder)
    }

    /// A config that was derived from the tensors.
    pub(crate) fn small_file(&self, file: &str) -> Option<&str> {
        self.small_files.get(file).map(String::as_str)
    }

    /// A file in the folder beside it, if it is there.
    pub(crate) fn side_file(&self, file: &str) -> Option<PathBuf> {
        Some(self.side.join(file)).filter(|path| path.is_file())
    }

    /// What it means that a file of a part is not there: the whole part is not.
    pub(crate) fn missing_part(&self, file: &str) -> Option<Error> {
        let folder = file.split('/').next()?;
        let &(_, part, prefix) = self.missing.iter().find(|(missing, ..)| *missing == folder)?;
        let side = self.side.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Some(Error::MissingPart { file: self.name.clone(), part, prefix, folder: side })
    }

    /// Refuses a part that lacks tensors.
    ///
    /// # Errors
    /// [`Error::MissingTensors`] with the first three.
    pub(crate) fn refuse_gaps(&self, folder: &str) -> Result<()> {
        let Some(part) = self.part(folder).filter(|part| !part.missing.is_empty()) else { return Ok(()) };
        let words = match folder {
            "unet" => "U-Net",
            "vae" => "VAE",
            _ => "text encoder",
        };
        Err(Error::MissingTensors {
            file: self.name.clone(),
            part: words,
            names: part.missing.iter().take(3).cloned().collect(),
            n_missing: part.missing.len(),
        })
    }
}
