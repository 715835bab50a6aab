//! `darkroom models import`.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use backend::Config;
use backend::models::{LORAS, inspect};
use clap::Args;
use indicatif::ProgressBar;
use inference::lora::Lora;
use types::error::PublicError;

use super::place::{bar, free_model_name, free_name, models_folder, unfinished};

/// Check a model or a LoRA and copy it into the models folder.
#[derive(Args)]
pub struct Import {
    /// A folder in diffusers' layout, a .safetensors checkpoint, or a LoRA file
    path: PathBuf,
    /// Name to install it under [default: that of the file or folder]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Make a link instead of a copy: the model stays where it is
    #[arg(long)]
    link: bool,
}

/// Bytes that are copied at once.
const PIECE: usize = 1 << 20;

impl Import {
    /// Checks and copies.
    pub fn run(self, config: &Config) -> anyhow::Result<()> {
        let Self { path, name, link } = self;
        let is_file = path.is_file();
        let is_lora = is_file && Lora::open(&path).is_ok();
        if !is_lora {
            check(&path)?;
        }
        let path = path.canonicalize().with_context(|| format!("`{}` cannot be read", path.display()))?;
        let own_name = if is_file { path.file_stem() } else { path.file_name() };
        let name =
            name.or_else(|| own_name.map(|name| name.to_string_lossy().into_owned())).unwrap_or_default();
        let mut folder = models_folder(config)?;
        if is_lora {
            folder.push(LORAS);
            std::fs::create_dir_all(&folder)?;
            free_name(&folder, &name)?;
        } else {
            free_model_name(config, &folder, &name)?;
        }
        let target = folder.join(if is_file { format!("{name}.safetensors") } else { name.clone() });
        let done = if link { make_link(&path, &target) } else { copy(&path, &target) };
        done.with_context(|| format!("`{}` cannot be installed as `{}`", path.display(), target.display()))?;
        let what = if is_lora { "LoRA" } else { "model" };
        writeln!(std::io::stdout(), "{what} {name} is installed at {}", target.display())?;
        Ok(())
    }
}

/// Refuses what could not be used where it goes.
fn check(path: &Path) -> Result<(), PublicError> {
    let refuse = |message| Err(PublicError::invalid_field("path", message));
    match inspect::open(path) {
        Err(message) => refuse(message),
        Ok(files) => match inspect::inspect(&files).problem {
            Some(problem) => refuse(problem),
            None => Ok(()),
        },
    }
}

#[cfg(unix)]
fn make_link(path: &Path, target: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(path, target)
}

#[cfg(windows)]
fn make_link(path: &Path, target: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        std::os::windows::fs::symlink_dir(path, target)
    } else {
        std::os::windows::fs::symlink_file(path, target)
    }
}

/// Copies a file, or what a model needs of a folder, and gives it its name when all of it is there.
fn copy(path: &Path, target: &Path) -> std::io::Result<()> {
    let unfinished = unfinished(target);
    // What an import that was stopped left behind.
    if unfinished.is_dir() {
        std::fs::remove_dir_all(&unfinished)?;
    }
    let mut files = Vec::new();
    if path.is_dir() {
        needed(path, Path::new(""), &mut files)?;
    } else {
        files.push(PathBuf::new());
    }
    // Joining an empty path would make the file a folder.
    let at = |base: &Path, file: &Path| {
        if file.as_os_str().is_empty() { base.to_owned() } else { base.join(file) }
    };
    let sizes = files.iter().map(|file| std::fs::metadata(at(path, file)).map(|metadata| metadata.len()));
    let bar = bar(sizes.sum::<std::io::Result<u64>>()?);
    let copied = files.iter().try_for_each(|file| {
        bar.set_message(at(path, file).file_name().unwrap_or_default().to_string_lossy().into_owned());
        copy_file(&at(path, file), &at(&unfinished, file), &bar)
    });
    let done = copied.and_then(|()| std::fs::rename(&unfinished, target));
    bar.finish_and_clear();
    if done.is_err() {
        // The first error is the one to tell.
        let _ = if unfinished.is_dir() {
            std::fs::remove_dir_all(&unfinished)
        } else {
            std::fs::remove_file(&unfinished)
        };
    }
    done
}

/// Configs, word lists and weights; pickles and pictures stay behind.
fn needed(folder: &Path, inside: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder.join(inside))? {
        let file = inside.join(entry?.file_name());
        let path = folder.join(&file);
        let is_needed = path
            .extension()
            .is_some_and(|ending| ["json", "txt", "safetensors"].iter().any(|needed| ending == *needed));
        if path.is_dir() {
            needed(folder, &file, files)?;
        } else if is_needed {
            files.push(file);
        }
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path, bar: &ProgressBar) -> std::io::Result<()> {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let (mut from, mut to) = (File::open(from)?, File::create(to)?);
    let mut piece = vec![0; PIECE];
    loop {
        let n = from.read(&mut piece)?;
        if n == 0 {
            return to.sync_all();
        }
        to.write_all(&piece[..n])?;
        bar.inc(n as u64);
    }
}
