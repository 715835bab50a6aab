//! What is known of a model before it is loaded.

mod card;
mod stamp;

use std::path::{Path, PathBuf};

use candle_core::Device;
use inference::model_files::ModelFiles;
use inference::models::clip::ClipConfig;
use inference::pipelines::stable_diffusion::Info;
use inference::weights::Weights;
use types::model::{ModelDefaults, ModelInfo, SizeLimits};
use types::request::SIZE_MULTIPLE;
use types::sampler::{Sampler, Schedule};

use crate::Config;
use card::Card;
pub(crate) use stamp::Stamp;

/// The models that were found, by kind.
#[derive(Debug, Default)]
pub(crate) struct Installed {
    /// The default one first.
    pub(crate) pictures: Vec<PictureModel>,
    /// The bundled one first.
    pub(crate) writers: Vec<Writer>,
    /// The models folder's subfolders as they were looked at, whatever they held.
    folders: Vec<(PathBuf, Stamp)>,
}

/// A model in the layout that diffusers writes.
#[derive(Debug)]
pub(crate) struct PictureModel {
    pub(crate) info: ModelInfo,
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

/// Looks at the bundled models and then at every subfolder of the models folder, in the order of their names.
pub(crate) fn look(config: &Config) -> Installed {
    let folders = folders(config).unwrap_or_else(|error| {
        let folder = config.models_dir.as_deref().unwrap_or(Path::new(""));
        tracing::warn!(folder = %folder.display(), %error, "the models folder cannot be read");
        Vec::new()
    });
    look_at(config, folders)
}

/// The same if anything in the models folder is not as it was. Reads no file to find out.
pub(crate) fn look_again(config: &Config, before: &Installed) -> Option<Installed> {
    // What is the matter with the folder was said at the first look.
    let folders = folders(config).unwrap_or_default();
    (folders != before.folders).then(|| look_at(config, folders))
}

fn look_at(config: &Config, folders: Vec<(PathBuf, Stamp)>) -> Installed {
    let mut installed = Installed::default();
    for files in &config.bundled {
        installed.add(files.clone(), true, Stamp::default());
    }
    for (path, stamp) in &folders {
        installed.add(ModelFiles::folder(path), false, stamp.clone());
    }
    // A stable sort by one key brings the default model to the front and keeps the order of the others.
    installed.pictures.sort_by_key(|model| Some(&model.info.name) != config.default_model.as_ref());
    installed.folders = folders;
    installed
}

impl Installed {
    fn add(&mut self, files: ModelFiles, bundled: bool, stamp: Stamp) {
        let name = name_of(&files);
        let is_taken = self.pictures.iter().any(|model| model.info.name == name)
            || self.writers.iter().any(|writer| writer.name == name);
        if is_taken {
            tracing::warn!(model.name = name, "a model folder is left out, since another model has its name");
        } else if ["model_index.json", "unet/config.json", "vae/config.json"]
            .iter()
            .any(|file| files.exists(file))
        {
            let info = describe(&files, name, bundled);
            if let Some(problem) = &info.problem {
                tracing::warn!(model.name = info.name, problem, "a model cannot be used");
            }
            self.pictures.push(PictureModel { info, files, stamp });
        } else if files.exists("config.json") {
            self.writers.push(Writer { name, files, stamp });
        } else {
            tracing::warn!(
                model.name = name,
                "a folder is left out, since it has no model_index.json and no config.json"
            );
        }
    }
}

/// The subfolders of the models folder, by name.
fn folders(config: &Config) -> std::io::Result<Vec<(PathBuf, Stamp)>> {
    let Some(folder) = config.models_dir.as_deref() else { return Ok(Vec::new()) };
    let entries = std::fs::read_dir(folder)?;
    let mut paths: Vec<_> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    paths.sort();
    Ok(paths.into_iter().map(|path| (path.clone(), Stamp::of(&path))).collect())
}

/// The last part of a folder's path, or the name of an embedded model.
fn name_of(files: &ModelFiles) -> String {
    let name = Path::new(files.name()).file_name();
    name.map_or_else(|| files.name().to_owned(), |name| name.to_string_lossy().into_owned())
}

/// What the loader says, with the model's name in the place of its path on this machine.
pub(crate) fn without_path(error: &inference::Error, files: &ModelFiles, name: &str) -> String {
    error.to_string().replace(files.name(), name)
}

/// A model as the site shows it. One that cannot be used is shown too, with the reason.
fn describe(files: &ModelFiles, name: String, bundled: bool) -> ModelInfo {
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
    let Checked { limits, usual_side, n_parameters } = checked.unwrap_or_default();
    let sizes = card.sizes.unwrap_or_else(|| usual_sizes(usual_side, limits.multiple));
    let (width, height) = sizes[0];
    ModelInfo {
        title: card.title.unwrap_or_else(|| name.clone()),
        name,
        description: card.description,
        licence: card.licence,
        bundled,
        defaults: card.defaults.unwrap_or(USUAL_DEFAULTS),
        limits,
        sizes,
        vocabulary: card.vocabulary,
        examples: card.examples,
        n_parameters,
        // Weights are computed with in f32. The decoder's widest layers hold a few hundred numbers a pixel.
        memory_bytes: n_parameters * 4 + u64::from(width) * u64::from(height) * 2_048,
        problem,
    }
}

/// What suits most models of the Stable Diffusion family.
const USUAL_DEFAULTS: ModelDefaults = ModelDefaults {
    steps: 25,
    guidance_scale: 7.0,
    sampler: Sampler::DpmPlusPlus2M,
    schedule: Schedule::Karras,
};

/// What follows from configs and the headers of the weights.
struct Checked {
    limits: SizeLimits,
    usual_side: u32,
    n_parameters: u64,
}

/// Stands in for a model that cannot be used.
impl Default for Checked {
    fn default() -> Self {
        Self { limits: limits(SIZE_MULTIPLE, 512), usual_side: 512, n_parameters: 0 }
    }
}

/// Reads the small files and the beginnings of the large ones: enough to find whatever is missing or truncated,
/// without loading any weights.
fn check(files: &ModelFiles) -> inference::Result<Checked> {
    let constraints = Info::read(files)?.constraints;
    ClipConfig::read(files, "text_encoder")?;
    for file in ["tokenizer/vocab.json", "tokenizer/merges.txt", "scheduler/scheduler_config.json"] {
        if !files.exists(file) {
            return Err(inference::Error::MissingFile {
                model: files.name().to_owned(),
                file: file.to_owned(),
            });
        }
    }
    let mut n_parameters = 0;
    for (folder, stem) in
        [("text_encoder", "model"), ("unet", "diffusion_pytorch_model"), ("vae", "diffusion_pytorch_model")]
    {
        Weights::open(files, folder, stem, &Device::Cpu)?;
        n_parameters += card::n_parameters(files, folder, stem);
    }
    let usual_side = constraints.default_width.max(constraints.default_height) as u32;
    // Both are powers of two in every model there is; their product would be right for any others.
    let multiple = (constraints.size_multiple as u32).max(1);
    let multiple = if multiple.is_multiple_of(SIZE_MULTIPLE) { multiple } else { multiple * SIZE_MULTIPLE };
    Ok(Checked { limits: limits(multiple, usual_side), usual_side, n_parameters })
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
