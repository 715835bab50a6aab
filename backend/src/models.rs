//! What is known of a model before it is loaded.

mod card;
mod defaults;
mod folder;
mod hashes;
pub mod inspect;
mod loras;
mod stamp;

use std::path::Path;

use candle_core::Device;
use inference::checkpoint::Kinship;
use inference::model_files::ModelFiles;
use inference::models::clip::ClipConfig;
use inference::pipelines::stable_diffusion::Info;
use inference::precision::Precision;
use inference::tokenizers::clip::ClipTokenizer;
use inference::weights::Weights;
use sha2::{Digest, Sha256};
use types::lora::LoraInfo;
use types::model::{Family, ModelInfo, SizeLimits};
use types::request::{CLIP_SKIP, SIZE_MULTIPLE};

use crate::Config;
use crate::hexadecimal::hexadecimal;
use crate::memory::{self, Parameters};
use card::Card;
pub(crate) use folder::embeddings;
pub use folder::{EMBEDDINGS, LORAS};
use folder::{Entry, Found};
pub(crate) use hashes::{HashedFile, Hashes};
pub(crate) use stamp::Stamp;

/// The models that were found, by kind.
#[derive(Debug, Default)]
pub(crate) struct Installed {
    /// The default one first.
    pub(crate) pictures: Vec<PictureModel>,
    /// The bundled one first.
    pub(crate) writers: Vec<Writer>,
    /// By name.
    pub(crate) loras: Vec<LoraInfo>,
    /// The models folder as it was looked at, whatever it held.
    entries: Vec<Entry>,
    /// In which numbers the models are to compute.
    precision: Precision,
}

/// A folder in the layout that diffusers writes, or a checkpoint.
#[derive(Debug)]
pub(crate) struct PictureModel {
    pub(crate) info: ModelInfo,
    pub(crate) parameters: Parameters,
    pub(crate) files: ModelFiles,
    pub(crate) stamp: Stamp,
}

/// A model that writes prompts.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) name: String,
    pub(crate) files: ModelFiles,
    pub(crate) stamp: Stamp,
}

/// Looks at the bundled models and then at everything in the models folder, in the order of the names.
pub(crate) fn look(config: &Config) -> Installed {
    let entries = folder::entries(config).unwrap_or_else(|error| {
        let folder = config.models_dir.as_deref().unwrap_or(Path::new(""));
        tracing::warn!(folder = %folder.display(), %error, "the models folder cannot be read");
        Vec::new()
    });
    look_at(config, entries)
}

/// The same if anything in the models folder is not as it was. Reads no file to find out.
pub(crate) fn look_again(config: &Config, before: &Installed) -> Option<Installed> {
    // What is the matter with the folder was said at the first look.
    let entries = folder::entries(config).unwrap_or_default();
    (entries != before.entries).then(|| look_at(config, entries))
}

fn look_at(config: &Config, entries: Vec<Entry>) -> Installed {
    let mut installed = Installed { precision: config.precision, ..Installed::default() };
    for files in &config.bundled {
        installed.add(files.clone(), true, Stamp::default());
    }
    for Entry { found, path, stamp } in &entries {
        match found {
            Found::Folder => installed.add(ModelFiles::folder(path), false, stamp.clone()),
            // A pickle opens as badly as it should, and is shown with the reason.
            Found::Checkpoint | Found::Pickle => installed.add_checkpoint(path, stamp.clone()),
            Found::Lora => installed.loras.push(loras::look(path)),
        }
    }
    // A stable sort by one key brings the default model to the front and keeps the order of the others.
    installed.pictures.sort_by_key(|model| Some(&model.info.name) != config.default_model.as_ref());
    installed.entries = entries;
    installed
}

impl Installed {
    /// Where the LoRA of that name lies.
    pub(crate) fn lora_file(&self, name: &str) -> Option<(&Path, &Stamp)> {
        let is_it = |entry: &&Entry| matches!(entry.found, Found::Lora) && loras::stem(&entry.path) == name;
        self.entries.iter().find(is_it).map(|entry| (entry.path.as_path(), &entry.stamp))
    }

    /// The checkpoints that are one file.
    pub(crate) fn checkpoint_files(&self) -> Vec<HashedFile> {
        let checkpoints = self.pictures.iter().filter(|model| model.files.as_checkpoint().is_some());
        let file = |model: &PictureModel| HashedFile {
            model: model.info.name.clone(),
            path: model.files.name().into(),
            stamp: model.stamp.clone(),
        };
        checkpoints.map(file).collect()
    }

    fn is_taken(&self, name: &str) -> bool {
        let is_taken = self.pictures.iter().any(|model| model.info.name == name)
            || self.writers.iter().any(|writer| writer.name == name);
        if is_taken {
            tracing::warn!(model.name = name, "a model is left out, since another model has its name");
        }
        is_taken
    }

    fn add(&mut self, files: ModelFiles, bundled: bool, stamp: Stamp) {
        let name = name_of(&files);
        if self.is_taken(&name) {
            return;
        }
        if is_picture_model(&files) {
            let (info, parameters) = describe(&files, name, bundled, self.precision);
            self.add_picture_model(info, parameters, files, stamp);
        } else if files.exists("config.json") {
            self.writers.push(Writer { name, files, stamp });
        } else {
            tracing::warn!(
                model.name = name,
                "a folder is left out, since it has no model_index.json and no config.json"
            );
        }
    }

    fn add_checkpoint(&mut self, path: &Path, stamp: Stamp) {
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if self.is_taken(&name) {
            return;
        }
        match ModelFiles::checkpoint(path) {
            Ok(files) => {
                let (info, parameters) = describe(&files, name, false, self.precision);
                self.add_picture_model(info, parameters, files, stamp);
            }
            Err(error) => {
                let files = ModelFiles::folder(path);
                let problem = without_path(&error, &files, &name);
                self.add_picture_model(unusable(name, problem), Parameters::default(), files, stamp);
            }
        }
    }

    fn add_picture_model(
        &mut self,
        info: ModelInfo,
        parameters: Parameters,
        files: ModelFiles,
        stamp: Stamp,
    ) {
        if let Some(problem) = &info.problem {
            tracing::warn!(model.name = info.name, problem, "a model cannot be used");
        }
        self.pictures.push(PictureModel { info, parameters, files, stamp });
    }
}

/// Whether a folder holds a picture model, if perhaps a broken one.
pub fn is_picture_model(files: &ModelFiles) -> bool {
    ["model_index.json", "unet/config.json", "vae/config.json"].iter().any(|file| files.exists(file))
}

/// The last part of a path, without a checkpoint's ending, or the name of an embedded model.
pub fn name_of(files: &ModelFiles) -> String {
    let path = Path::new(files.name());
    let name = if files.as_checkpoint().is_some() { path.file_stem() } else { path.file_name() };
    name.map_or_else(|| files.name().to_owned(), |name| name.to_string_lossy().into_owned())
}

/// What the loader says, with the model's name in the place of its path on this machine.
pub(crate) fn without_path(error: &inference::Error, files: &ModelFiles, name: &str) -> String {
    error.to_string().replace(files.name(), name)
}

/// A model as the site shows it. One that cannot be used is shown too, with the reason.
fn describe(
    files: &ModelFiles,
    name: String,
    bundled: bool,
    precision: Precision,
) -> (ModelInfo, Parameters) {
    let (card, checked) = match Card::read(files) {
        Ok(card) => {
            let checked = check(files).and_then(|checked| {
                card.check(files, &checked.limits)?;
                Ok(checked)
            });
            (card, checked)
        }
        Err(error) => (Card::default(), Err(error)),
    };
    let problem = checked.as_ref().err().map(|error| without_path(error, files, &name));
    let Checked { limits, usual_side, parameters, max_clip_skip, edits } = checked.unwrap_or_default();
    let kinship = Kinship::of(files).unwrap_or(Kinship { family: Family::Other, inpaints: false });
    let sizes = card.sizes.unwrap_or_else(|| usual_sizes(usual_side, limits.multiple));
    let (width, height) = sizes[0];
    let info = ModelInfo {
        title: card.title.unwrap_or_else(|| name.clone()),
        name,
        description: card.description,
        licence: card.licence,
        family: kinship.family,
        inpaints: kinship.inpaints,
        edits,
        max_clip_skip,
        bundled,
        defaults: card.defaults.unwrap_or_else(|| defaults::of(files)),
        limits,
        sizes,
        vocabulary: card.vocabulary,
        examples: card.examples,
        n_parameters: parameters.all,
        memory_bytes: parameters.all * precision.n_bytes() + memory::of_picture((width, height)),
        problem,
    };
    (info, parameters)
}

/// A file that is no model, as the site shows it.
fn unusable(name: String, problem: String) -> ModelInfo {
    let Checked { limits, usual_side, max_clip_skip, .. } = Checked::default();
    ModelInfo {
        title: name.clone(),
        name,
        description: String::new(),
        licence: None,
        family: Family::Other,
        inpaints: false,
        edits: false,
        max_clip_skip,
        bundled: false,
        defaults: defaults::USUAL,
        sizes: usual_sizes(usual_side, limits.multiple),
        limits,
        vocabulary: None,
        examples: Vec::new(),
        n_parameters: 0,
        memory_bytes: 0,
        problem: Some(problem),
    }
}

/// What follows from configs and the headers of the weights.
struct Checked {
    limits: SizeLimits,
    usual_side: u32,
    parameters: Parameters,
    max_clip_skip: u32,
    edits: bool,
}

/// Stands in for a model that cannot be used.
impl Default for Checked {
    fn default() -> Self {
        Self {
            limits: limits(SIZE_MULTIPLE, 512),
            usual_side: 512,
            parameters: Parameters::default(),
            max_clip_skip: *CLIP_SKIP.end(),
            edits: false,
        }
    }
}

/// Reads the small files and the beginnings of the large ones: enough to find whatever is missing or truncated,
/// without loading any weights.
fn check(files: &ModelFiles) -> inference::Result<Checked> {
    let Info { constraints, form, .. } = Info::read(files)?;
    let text_encoders = text_encoders(files);
    let mut n_layers = usize::MAX;
    for encoder in &text_encoders {
        n_layers = n_layers.min(ClipConfig::read(files, encoder)?.n_layers);
    }
    for file in small_files(files, &text_encoders) {
        if !files.exists(&file) {
            return Err(inference::Error::MissingFile { model: files.name().to_owned(), file });
        }
    }
    // Text encoders compute together.
    let (mut n_text, mut largest_part, mut all) = (0, 0, 0);
    for (folder, stem) in parts(files) {
        let n = Weights::open(files, folder, stem, &Device::Cpu)?.n_parameters();
        all += n;
        n_text += if text_encoders.contains(&folder) { n } else { 0 };
        largest_part = n.max(n_text).max(largest_part);
    }
    let parameters = Parameters { all, largest_part };
    let usual_side = constraints.default_width.max(constraints.default_height) as u32;
    // Both are powers of two in every model there is; their product would be right for any others.
    let multiple = (constraints.size_multiple as u32).max(1);
    let multiple = if multiple.is_multiple_of(SIZE_MULTIPLE) { multiple } else { multiple * SIZE_MULTIPLE };
    let max_clip_skip = max_clip_skip(n_layers, &text_encoders);
    Ok(Checked {
        limits: limits(multiple, usual_side),
        usual_side,
        parameters,
        max_clip_skip,
        edits: form.edits(),
    })
}

/// The parts of a model that have weights: the folder of each, and how its files begin.
fn parts(files: &ModelFiles) -> impl Iterator<Item = (&'static str, &'static str)> {
    let encoders = text_encoders(files).into_iter().map(|encoder| (encoder, "model"));
    encoders.chain([("unet", "diffusion_pytorch_model"), ("vae", "diffusion_pytorch_model")])
}

/// Bytes that a model's weights take in their files. Parts that cannot be opened count as none.
pub(crate) fn n_bytes(files: &ModelFiles) -> u64 {
    let opened =
        parts(files).filter_map(|(folder, stem)| Weights::open(files, folder, stem, &Device::Cpu).ok());
    opened.map(|weights| weights.n_bytes()).sum()
}

/// A hash of all that a model in a folder, or inside the program, paints with: of its configs and the bytes of its
/// weights. Read whole, so it is for small models. What cannot be read counts as empty.
pub(crate) fn content(files: &ModelFiles) -> String {
    let mut hash = Sha256::new();
    let named = parts(files)
        .flat_map(|(folder, stem)| [format!("{folder}/config.json"), format!("{folder}/{stem}.safetensors")]);
    for file in named.chain(small_files(files, &text_encoders(files))) {
        let bytes = files.bytes(&file).unwrap_or_default();
        // With its length before it, a file cannot pass for two.
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(&bytes);
    }
    hexadecimal(&hash.finalize())
}

/// Folders of the text encoders that a model has. One without any lacks the first.
pub(crate) fn text_encoders(files: &ModelFiles) -> Vec<&'static str> {
    let is_there = |folder: &&str| files.exists(&format!("{folder}/config.json"));
    let found: Vec<_> = ["text_encoder", "text_encoder_2"].into_iter().filter(is_there).collect();
    if found.is_empty() { vec!["text_encoder"] } else { found }
}

/// How far from the last of these layers one may stop. Models of the form of SDXL begin with the last but one.
fn max_clip_skip(n_layers: usize, text_encoders: &[&str]) -> u32 {
    let n_left = n_layers.saturating_sub(usize::from(text_encoders.contains(&"text_encoder_2")));
    n_left.clamp(1, *CLIP_SKIP.end() as usize) as u32
}

/// What a model needs besides configs and weights. One without a tokenizer has the program's own.
fn small_files(files: &ModelFiles, text_encoders: &[&str]) -> Vec<String> {
    let mut needed = vec!["scheduler/scheduler_config.json".to_owned()];
    for encoder in text_encoders {
        let tokenizer = encoder.replace("text_encoder", "tokenizer");
        let is_one_file = files.exists(&format!("{tokenizer}/tokenizer.json"));
        if ClipTokenizer::is_in(files, &tokenizer) && !is_one_file {
            needed.extend(["vocab.json", "merges.txt"].map(|file| format!("{tokenizer}/{file}")));
        }
    }
    needed
}

/// From half to twice the side that the model was trained with: beyond that it repeats itself or falls apart.
fn limits(multiple: u32, usual_side: u32) -> SizeLimits {
    let min_side = (usual_side / 2).next_multiple_of(multiple);
    SizeLimits { multiple, min_side, max_side: (usual_side * 2).max(min_side) }
}

/// A square, and 5 to 3 both ways with about as many pixels.
fn usual_sizes(side: u32, multiple: u32) -> [(u32, u32); 3] {
    let [side, long, short] = [side, side * 5 / 4, side * 3 / 4].map(|side| side.next_multiple_of(multiple));
    [(side, side), (long, short), (short, long)]
}

#[cfg(test)]
#[path = "models_tests.rs"]
pub(crate) mod tests;
