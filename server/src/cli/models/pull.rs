//! `darkroom models pull`.

use std::io::Write;
use std::path::{Component, Path};

use anyhow::{Context, bail};
use backend::Config;
use backend::models::inspect;
use clap::Args;
use types::error::PublicError;

use super::download::Download;
use super::hub::{Hub, Sibling};
use super::place::{bar, free_model_name, models_folder};

/// Fetch a model from a Hugging Face hub into the models folder.
///
/// A download that breaks off goes on where it was when the same command is given again, unless the repository has
/// changed since, or another variant is wanted: then it begins anew. `HF_TOKEN` may hold a token for
/// repositories that ask for one, `HF_ENDPOINT` the address of another hub.
#[derive(Args)]
pub struct Pull {
    /// The repository, OWNER/NAME
    repository: String,
    /// Name to install it under [default: the repository's, without its owner]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Branch, tag or commit [default: main]
    #[arg(long, value_name = "REVISION")]
    revision: Option<String>,
    /// Which form of the weights to prefer, such as fp16, which is half as large [default: the plain one]
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// A single .safetensors file of the repository, instead of its folder [default: the only one there is]
    #[arg(long, value_name = "FILE")]
    file: Option<String>,
}

/// The parts of a model that are used here.
const PARTS: [&str; 7] =
    ["unet", "vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "scheduler"];

impl Pull {
    /// Fetches and checks.
    pub fn run(self, config: &Config) -> anyhow::Result<()> {
        let repository = self.repository.as_str();
        let is_name = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        let Some((_, own_name)) =
            repository.split_once('/').filter(|(owner, name)| is_name(owner) && is_name(name))
        else {
            let message = format!("repository `{repository}` is not possible; write it as OWNER/NAME");
            return Err(PublicError::invalid_field("repository", message).into());
        };
        let name = self.name.clone().unwrap_or_else(|| own_name.to_owned());
        let folder = models_folder(config)?;
        free_model_name(config, &folder, &name)?;

        let hub = Hub::from_environment();
        let revision = self.revision.as_deref().unwrap_or("main");
        let (commit, files) = hub.files(repository, revision)?;
        let chosen = self.choose(&files)?;
        let is_checkpoint = chosen.len() == 1;
        let target = folder.join(if is_checkpoint { format!("{name}.safetensors") } else { name.clone() });
        let unfinished = Download::of(repository, &commit, &chosen).place(&target)?;
        let bar = bar(chosen.iter().map(|file| file.size).sum());
        for file in &chosen {
            bar.set_message(file.path.clone());
            let to = if is_checkpoint { unfinished.clone() } else { unfinished.join(&file.path) };
            if let Some(parent) = to.parent() {
                std::fs::create_dir_all(parent)?;
            }
            hub.fetch(repository, &commit, file, &to, &bar)?;
        }
        bar.finish_and_clear();
        std::fs::rename(&unfinished, &target)
            .with_context(|| format!("`{}` cannot get its name", target.display()))?;
        writeln!(std::io::stdout(), "model {name} is installed at {}", target.display())?;
        let problem = match inspect::open(&target) {
            Ok(files) => inspect::inspect(&files).problem,
            Err(problem) => Some(problem),
        };
        if let Some(problem) = problem {
            bail!("it came whole, but it cannot be used: {problem}");
        }
        Ok(())
    }

    /// What of a repository is needed: the parts of a folder in diffusers' layout, or one checkpoint.
    fn choose(&self, files: &[Sibling]) -> anyhow::Result<Vec<Sibling>> {
        let checkpoints: Vec<&Sibling> = files
            .iter()
            .filter(|file| !file.path.contains('/') && file.path.ends_with(".safetensors"))
            .collect();
        if let Some(name) = &self.file {
            return match files.iter().find(|file| file.path == *name && name.ends_with(".safetensors")) {
                Some(file) => Ok(vec![file.clone()]),
                None => bail!(
                    "there is no .safetensors file `{name}` in the repository; there are {}",
                    list(&checkpoints)
                ),
            };
        }
        if !files.iter().any(|file| file.path == "model_index.json") {
            return match checkpoints[..] {
                [file] => Ok(vec![file.clone()]),
                [] => bail!(
                    "the repository has no model_index.json and no .safetensors file, so it is no model that can be used here"
                ),
                _ => bail!(
                    "the repository has several checkpoints; choose one with --file: {}",
                    list(&checkpoints)
                ),
            };
        }
        let mut chosen: Vec<Sibling> =
            files.iter().filter(|file| is_small_and_needed(&file.path)).cloned().collect();
        for (part, stem) in [
            ("unet", "diffusion_pytorch_model"),
            ("vae", "diffusion_pytorch_model"),
            ("text_encoder", "model"),
            ("text_encoder_2", "model"),
        ] {
            chosen.extend(self.weights(files, part, stem)?);
        }
        Ok(chosen)
    }

    /// One form of a part's weights, and the index that goes with it.
    fn weights(&self, files: &[Sibling], part: &str, stem: &str) -> anyhow::Result<Vec<Sibling>> {
        let in_part: Vec<&Sibling> =
            files.iter().filter(|file| file.path.starts_with(&format!("{part}/"))).collect();
        if in_part.is_empty() {
            return Ok(Vec::new());
        }
        let wanted = self.variant.as_deref().map_or_else(Vec::new, |variant| vec![format!(".{variant}")]);
        for variant in wanted.into_iter().chain([String::new(), ".fp16".to_owned(), ".bf16".to_owned()]) {
            let whole = format!("{part}/{stem}{variant}.safetensors");
            if let Some(file) = in_part.iter().find(|file| file.path == whole) {
                return Ok(vec![(*file).clone()]);
            }
            // Shards are named `stem.fp16-00001-of-00002` or `stem-00001-of-00002.fp16`.
            let is_shard = |path: &str| {
                let number = path
                    .strip_prefix(&format!("{part}/{stem}"))
                    .and_then(|rest| rest.strip_suffix(".safetensors"));
                number.is_some_and(|number| {
                    let number =
                        if variant.is_empty() { number.to_owned() } else { number.replacen(&variant, "", 1) };
                    number.starts_with('-')
                        && number.contains("-of-")
                        && !number.contains('.')
                        && (variant.is_empty() || path.contains(&variant))
                })
            };
            let shards: Vec<Sibling> =
                in_part.iter().filter(|file| is_shard(&file.path)).map(|file| (*file).clone()).collect();
            let indices = [
                format!("{part}/{stem}.safetensors.index{variant}.json"),
                format!("{part}/{stem}{variant}.safetensors.index.json"),
            ];
            let index = in_part.iter().find(|file| indices.contains(&file.path));
            if let Some(index) = index.filter(|_| !shards.is_empty()) {
                return Ok(shards.into_iter().chain([(*index).clone()]).collect());
            }
        }
        bail!(
            "`{part}` in the repository has no .safetensors weights; a pickle can run any program and is not fetched"
        )
    }
}

/// Configs and word lists of the parts that are used. Nothing that would lie outside of the model's folder.
fn is_small_and_needed(path: &str) -> bool {
    let is_plain = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    let is_of_a_part = match path.split_once('/') {
        Some((folder, file)) => PARTS.contains(&folder) && !file.contains('/'),
        // Who publishes a model for Darkroom may say there what suits it.
        None => ["model_index.json", "darkroom.json"].contains(&path),
    };
    let is_index = path.contains(".index.");
    let ending = Path::new(path).extension();
    is_plain && is_of_a_part && !is_index && ending.is_some_and(|ending| ending == "json" || ending == "txt")
}

fn list(files: &[&Sibling]) -> String {
    let names: Vec<String> = files.iter().map(|file| format!("`{}`", file.path)).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
